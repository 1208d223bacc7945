import ArgumentParser
import Sardonyx

/// `sardonyx inspect`: what a model is and what it takes to run it.
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what a model takes, gives, and needs.",
        discussion: """
            Prints inputs, outputs, opsets, operators with their counts, parameters, and for given shapes the \
            multiply-adds (MACs) and the peak memory of a run. A model that cannot run is answered with everything in \
            it that is unsupported, and exit code 3.

            Examples:
              sardonyx inspect unet.onnx
              sardonyx inspect unet.onnx --shape image=1,1,512,512 --explain
            """)

    @Argument(help: ArgumentHelp("The ONNX file.", valueName: "model"))
    var model: String

    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp("A shape for an input; dimensions left open are 1 otherwise.", valueName: "name=shape"))
    var shape: [String] = []

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "List what each rewrite did, and would not do and why.")
    var explain = false

    func run() throws {
        let report = try InspectReport(path: model, shapes: shape, explains: explain)
        Terminal.print(json ? report.json.prettyText : report.text)
    }
}

/// What `inspect` prints.
struct InspectReport {
    let path: String
    let model: Model
    let session: Session
    let shapes: [String: [Int]]
    /// The plan, or why there is none.
    let plan: Result<PlanSummary, SardonyxError>
    let explains: Bool

    init(path: String, shapes: [String], explains: Bool) throws {
        self.path = path
        self.explains = explains
        model = try Model(contentsOf: path)
        session = try Session(model)
        self.shapes = model.defaultShapes(try model.readShapes(shapes))
        let session = session
        let wanted = self.shapes
        do {
            plan = .success(try session.plan(for: wanted))
        } catch let error as SardonyxError {
            if !shapes.isEmpty { throw error }
            plan = .failure(error)
        }
    }

    private var operators: [(name: String, count: Int)] {
        model.operatorCounts.map { ($0.key, $0.value) }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }
    }

    private var opsets: [(name: String, version: Int)] {
        model.opsets.map { ($0.key.isEmpty ? "ai.onnx" : $0.key, $0.value) }.sorted { $0.0 < $1.0 }
    }

    var text: String {
        var lines = ["model       \(path)"]
        if !model.producer.isEmpty { lines.append("producer    \(model.producer)") }
        let sets = opsets.map { "\($0.name) \($0.version)" }.joined(separator: ", ")
        lines.append("format      IR \(model.irVersion), opset \(sets)")
        func list(_ title: String, _ ports: [Port]) {
            let width = ports.map(\.name.count).max() ?? 0
            for (index, port) in ports.enumerated() {
                lines.append(
                    (index == 0 ? title : "").padded(to: 12) + "\(port.name.padded(to: width))  \(port.typeDescription)"
                )
            }
        }
        list("inputs", Array(model.inputs))
        list("optional", Array(model.optionalInputs))
        list("outputs", Array(model.outputs))
        lines.append("parameters  \(grouped(model.parameterCount))")
        lines.append("file        \(byteText(model.loaded.fileByteCount))")
        for (index, entry) in operators.enumerated() {
            lines.append(
                (index == 0 ? "operators" : "").padded(to: 12)
                    + "\(String(entry.count).leftPadded(to: 5))  \(entry.name)")
        }
        let given = model.inputs.compactMap { port in shapes[port.name].map { "\(port.name) \($0)" } }
        lines.append("")
        switch plan {
        case .success(let plan):
            lines.append("for shapes  \(given.joined(separator: ", "))")
            lines.append("steps       \(plan.stepCount)")
            lines.append("MACs        \(grouped(plan.multiplyAdds))")
            let isExact = if case .exact = plan.peakMemory { true } else { false }
            lines.append(
                "memory      \(isExact ? "" : "at least ")\(byteText(plan.peakMemory.byteCount)): "
                    + "values \(byteText(plan.arenaByteCount)), scratch \(byteText(plan.workspaceByteCount)), "
                    + "packed weights \(byteText(plan.bound.plan.packedByteCount))")
        case .failure(let error):
            lines.append("no plan for \(given.joined(separator: ", ")): \(error)")
            lines.append("            give shapes with --shape NAME=1,3,224,224")
        }
        if explains { lines += explanation }
        return lines.joined(separator: "\n")
    }

    private var explanation: [String] {
        let applied = session.remarks.filter(\.isApplied)
        let refused = session.remarks.filter { !$0.isApplied }
        return ["", "rewrites    \(applied.count) done"]
            + applied.map { "  \($0.pass): \($0.text) at '\($0.node)'" }
            + (refused.isEmpty ? [] : ["not done    \(refused.count)"])
            + refused.map { "  \($0.pass): '\($0.node)': \($0.text)" }
    }

    var json: JSON {
        func ports(_ ports: [Port]) -> JSON {
            .array(
                ports.map { port in
                    .object([
                        ("name", .string(port.name)), ("type", .string(port.typeDescription)),
                        ("data_type", port.dataType.map { .string($0.name) } ?? .null),
                        (
                            "shape",
                            port.shape.map { .array($0.map { $0.value.map(JSON.int) ?? .string($0.description) }) }
                                ?? .null
                        ),
                    ])
                })
        }
        var entries: [(key: String, value: JSON)] = [
            ("model", .string(path)), ("producer", .string(model.producer)), ("ir_version", .int(model.irVersion)),
            ("opsets", .object(opsets.map { ($0.name, .int($0.version)) })),
            ("inputs", ports(Array(model.inputs))), ("optional_inputs", ports(Array(model.optionalInputs))),
            ("outputs", ports(Array(model.outputs))), ("parameters", .int(model.parameterCount)),
            ("file_bytes", .int(model.loaded.fileByteCount)),
            ("operators", .object(operators.map { ($0.name, .int($0.count)) })),
            (
                "shapes",
                .object(
                    model.inputs.compactMap { port in
                        shapes[port.name].map { (port.name, .array($0.map(JSON.int))) }
                    })
            ),
        ]
        switch plan {
        case .success(let plan):
            let isExact = if case .exact = plan.peakMemory { true } else { false }
            entries += [
                ("steps", .int(plan.stepCount)), ("macs", .int(plan.multiplyAdds)),
                ("peak_memory_bytes", .int(plan.peakMemory.byteCount)), ("peak_memory_is_exact", .bool(isExact)),
                ("arena_bytes", .int(plan.arenaByteCount)), ("workspace_bytes", .int(plan.workspaceByteCount)),
                ("packed_weight_bytes", .int(plan.bound.plan.packedByteCount)),
            ]
        case .failure(let error): entries.append(("no_plan", .string("\(error)")))
        }
        if explains {
            entries.append(
                (
                    "remarks",
                    .array(
                        session.remarks.map {
                            .object([
                                ("pass", .string($0.pass)), ("node", .string($0.node)), ("text", .string($0.text)),
                                ("applied", .bool($0.isApplied)),
                            ])
                        })
                ))
        }
        return .object(entries)
    }
}
