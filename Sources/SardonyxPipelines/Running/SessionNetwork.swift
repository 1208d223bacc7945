import Sardonyx
import SardonyxGraph

/// A session, with one input and one output of floats.
final class SessionNetwork: Network {
    let session: Session
    private let input: Port
    private let output: Port
    /// Seconds that runs have taken.
    private(set) var seconds = 0.0
    private var inputs: [String: Tensor] = [:]
    private(set) var outputs: [String: Tensor] = [:]

    /// - Throws: `PipelineFailure` when the model has no such input or output, or they are not floats.
    init(_ session: Session, input: String?, output: String?) throws {
        self.session = session
        self.input = try Self.port(session.model.inputs, input, "input")
        self.output = try Self.port(session.model.outputs, output, "output")
    }

    private static func port(_ ports: Ports, _ name: String?, _ kind: String) throws -> Port {
        let names = ports.map { "'\($0.name)' \($0.typeDescription)" }.joined(separator: ", ")
        guard let port = name.map({ ports[$0] }) ?? (kind == "output" || ports.count == 1 ? ports.first : nil) else {
            throw PipelineFailure(
                .badModel, "the model's \(kind)s are \(names); the pipeline asks for \(name.map { "'\($0)'" } ?? "one")"
            )
        }
        guard port.dataType == .float else {
            throw PipelineFailure(
                .badModel, "the model's \(kind) '\(port.name)' is \(port.typeDescription); a pipeline runs on floats")
        }
        return port
    }

    /// The input's extents where the model fixes them: [batch, channels, spatial …].
    var fixedShape: [Int?] { input.shape?.map(\.value) ?? [] }

    func byteCount(shape: [Int]) throws -> Int {
        let summary = try plan(shape)
        let results = try specs(summary).reduce(0) { $0 + $1.byteCount }
        return summary.peakMemory.byteCount + 4 * shape.reduce(1, *) + results
    }

    /// The hash of the plan for an input's shape.
    func planHash(shape: [Int]) throws -> String { try plan(shape).hash }

    func outputShape(shape: [Int]) throws -> [Int] {
        let results = try specs(plan(shape))
        return results[session.model.outputs.firstIndex { $0.name == output.name } ?? 0].shape
    }

    private func plan(_ shape: [Int]) throws -> PlanSummary { try session.plan(for: [input.name: shape]) }

    private func specs(_ summary: PlanSummary) throws -> [TensorSpec] {
        try zip(session.model.outputs, summary.plan.resultTypes).map { port, type in
            guard let spec = type.spec else {
                throw PipelineFailure(
                    .badModel,
                    "the shape of the model's output '\(port.name)' is known only after a run: export the model so that it "
                        + "follows from the input's, a detector without non-maximum suppression")
            }
            return spec
        }
    }

    func run(
        shape: [Int], fill: (UnsafeMutableBufferPointer<Float>) throws -> Void,
        use: (UnsafeBufferPointer<Float>, [Int]) throws -> Void
    ) throws {
        if inputs[input.name]?.shape != shape {
            inputs = [:]
            outputs = [:]
            let results = try specs(plan(shape))
            // `fill` and the run write every value.
            for (port, spec) in zip(session.model.outputs, results) {
                outputs[port.name] = try Tensor(uninitialized: spec.dataType, shape: spec.shape)
            }
            inputs[input.name] = try Tensor(uninitialized: .float, shape: shape)
        }
        try inputs.values[inputs.startIndex].withUnsafeMutableBytes { try fill($0.bindMemory(to: Float.self)) }
        let began = Clock.seconds
        try session.run(inputs, into: &outputs)
        seconds += Clock.seconds - began
        guard let result = outputs[output.name] else { return }
        try result.withUnsafeBytes(of: Float.self) { try use($0, result.shape) }
    }
}
