import Sardonyx
import SardonyxGraph

extension InspectReport {
    /// The report as people read it.
    var text: String {
        var lines = ["model       \(path)"]
        func entry(_ title: String, _ text: String) { lines.append(title.padded(to: 12) + text) }
        func list(_ title: String, _ ports: [(name: String, type: ValueType)]) {
            let width = ports.map(\.name.count).max() ?? 0
            for (index, port) in ports.enumerated() {
                entry(index == 0 ? title : "", "\(port.name.padded(to: width))  \(port.type.shortText)")
            }
        }
        if !outline.producer.isEmpty { entry("producer", outline.producer) }
        entry(
            "format",
            "IR \(outline.irVersion), opset " + opsets.map { "\($0.name) \($0.version)" }.joined(separator: ", "))
        list("inputs", outline.inputs)
        list("optional", outline.optionalInputs)
        list("outputs", outline.outputs)
        entry("parameters", grouped(outline.parameterCount))
        entry("file", byteText(outline.fileByteCount))
        let width = operators.map { String($0.count).count }.max() ?? 0
        for (index, item) in operators.enumerated() {
            entry(index == 0 ? "operators" : "", "\(String(item.count).leftPadded(to: width))  \(item.name)")
        }
        let given = shapes.map { "\($0.name) \($0.shape)" }.joined(separator: ", ")
        switch state {
        case .planned(let session, let plan):
            lines.append("")
            entry("for shapes", given)
            for (index, output) in zip(outline.outputs, plan.resultTypes).enumerated() {
                entry(index == 0 ? "gives" : "", "\(output.0.name) \(output.1.shortText)")
            }
            lines += Self.figures(plan)
            if explains { lines += Self.explanation(session, plan) }
        case .unplanned(let session, let error):
            lines.append("")
            entry("for shapes", given)
            entry("no plan", "\(error)")
            if let advice = session.model.shapeAdvice([:]) { entry("", advice) }
            if explains { lines += Self.explanation(session, nil) }
        // The error goes to standard error after the report.
        case .unsupported: break
        }
        return lines.joined(separator: "\n")
    }

    private static func figures(_ plan: PlanSummary) -> [String] {
        let least = if case .exact = plan.peakMemory { "" } else { "at least " }
        return [
            "steps       \(plan.stepCount)",
            "plan        \(plan.hash)",
            "MACs        \(grouped(plan.multiplyAdds))",
            "memory      \(least)\(byteText(plan.peakMemory.byteCount)): values and scratch \(byteText(plan.arenaByteCount)) "
                + "(scratch up to \(byteText(plan.workspaceByteCount))), packed weights \(byteText(plan.packedWeightByteCount))"
                + (plan.constantByteCount > 0 ? ", other constants \(byteText(plan.constantByteCount))" : ""),
        ]
    }

    private static func explanation(_ session: Session, _ plan: PlanSummary?) -> [String] {
        let remarks = session.remarks + (plan?.plan.remarks ?? [])
        let applied = remarks.filter(\.isApplied)
        let refused = remarks.filter { !$0.isApplied }
        return ["", "rewrites    \(applied.count) done"]
            + applied.map { "  \($0.pass): \($0.text) at '\($0.node)'" }
            + (refused.isEmpty ? [] : ["not done    \(refused.count)"])
            + refused.map { "  \($0.pass): '\($0.node)': \($0.text)" }
    }
}

extension PlanSummary {
    /// The outputs' types, as far as the plan knows them.
    var resultTypes: [ValueType] { plan.resultTypes }
}

extension ValueType {
    /// The type with `?` for extents whose formula nobody would read.
    fileprivate var shortText: String {
        func short(_ shape: SymbolicShape?) -> SymbolicShape? {
            shape?.map { $0.description.count > 24 ? .unknown : $0 }
        }
        switch self {
        case .tensor(let type, let shape): return ValueType.tensor(type, short(shape)).text
        case .sparseTensor(let type, let shape): return ValueType.sparseTensor(type, short(shape)).text
        default: return text
        }
    }
}
