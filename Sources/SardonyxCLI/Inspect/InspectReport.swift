import Sardonyx
import SardonyxGraph
import SardonyxLoading

/// What `inspect` prints.
struct InspectReport {
    enum State {
        case planned(Session, PlanSummary)
        /// The model runs, with other shapes than these.
        case unplanned(Session, SardonyxError)
        /// The model does not run.
        case unsupported(SardonyxError)
    }

    let path: String
    let outline: ModelOutline
    /// What the plan is for, by input.
    let shapes: [(name: String, shape: [Int])]
    let state: State
    let explains: Bool

    init(path: String, shapes: [String], explains: Bool, precision: Session.Options.Precision) throws {
        self.path = path
        self.explains = explains
        let model: Model
        do {
            model = try Model(contentsOf: path)
        } catch let error as SardonyxError where error.code == .unsupported {
            // A file whose outline cannot be read either has this error to show.
            guard let outline = try? ModelOutline(contentsOf: path) else { throw error }
            self.outline = outline
            self.shapes = []
            state = .unsupported(error)
            return
        }
        var options = Session.Options()
        options.precision = precision
        let session = try Session(model, options: options)
        let wanted = model.defaultShapes(try model.readShapes(shapes))
        outline = model.outline
        self.shapes = model.inputs.compactMap { port in wanted[port.name].map { (port.name, $0) } }
        do {
            state = .planned(session, try session.plan(for: wanted))
        } catch let error as SardonyxError {
            if !shapes.isEmpty { throw error }
            state = .unplanned(session, error)
        }
    }

    /// The operators, the most frequent first.
    var operators: [(name: String, count: Int)] {
        outline.operatorCounts.map { ($0.key, $0.value) }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }
    }

    var opsets: [(name: String, version: Int)] {
        outline.opsets.map { ($0.key.isEmpty ? "ai.onnx" : $0.key, $0.value) }.sorted { $0.0 < $1.0 }
    }

    /// The lines of a message about several nodes, without its first line.
    static func items(_ error: SardonyxError) -> [String] {
        error.message.split(separator: "\n").dropFirst().map { String($0.drop { $0 == " " }) }
    }
}

extension Model {
    /// The model as it is after loading: functions inlined, old opsets lifted, constants apart.
    fileprivate var outline: ModelOutline {
        var outline = ModelOutline()
        outline.inputs = inputs.map { ($0.name, $0.type) }
        outline.optionalInputs = optionalInputs.map { ($0.name, $0.type) }
        outline.outputs = outputs.map { ($0.name, $0.type) }
        outline.irVersion = irVersion
        outline.opsets = opsets
        outline.producer = producer
        outline.operatorCounts = operatorCounts
        outline.parameterCount = parameterCount
        outline.fileByteCount = loaded.fileByteCount
        return outline
    }
}
