import SardonyxGraph

/// y₀ … yₙ = then_branch() if cond, else else_branch(). Both branches give the same number of outputs of the same types;
/// shapes may differ.
///
/// <https://onnx.ai/onnx/operators/onnx__If.html>
enum If: Operator {
    static let schema = Schema(
        "If", versions: [1, 11, 13, 16, 19, 21, 23, 24, 25],
        inputs: [Parameter("cond", "B", [.bool])],
        outputs: [Parameter("outputs", "V", .all, .variadic, isHomogeneous: false)],
        attributes: [
            AttributeSpec("then_branch", .graph, required: true), AttributeSpec("else_branch", .graph, required: true),
        ])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        guard let thenBranch = context.node.subgraph("then_branch"),
            let elseBranch = context.node.subgraph("else_branch")
        else { return }
        let count = context.outputs.count
        guard thenBranch.graph.outputs.count >= count, elseBranch.graph.outputs.count >= count else {
            throw SardonyxError(
                .invalidModel,
                "the branches give \(thenBranch.graph.outputs.count) and \(elseBranch.graph.outputs.count) outputs; "
                    + "the node has \(count)")
        }
        guard thenBranch.graph.inputs.isEmpty, elseBranch.graph.inputs.isEmpty else {
            throw SardonyxError(.invalidModel, "the branches of an If take no inputs")
        }
        // A branch that is never taken may not fit the shapes that come in.
        let types = [thenBranch, elseBranch].map { try? context.infer($0, inputs: []) }
        for index in 0..<count {
            switch (types[0]?[index], types[1]?[index]) {
            case (let a?, let b?): context.set(index, a.union(b))
            case (let a?, nil), (nil, let a?): context.set(index, a.withoutShape)
            case (nil, nil): break
            }
        }
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let condition = try context.tensor(0)
        guard condition.count == 1 else {
            throw SardonyxError(.invalidInput, "the condition must be one element; its shape is \(condition.shape)")
        }
        let isTrue = condition.withUnsafeBytes { $0[0] != 0 }
        return try context.environment.run(isTrue ? "then_branch" : "else_branch", inputs: [])
    }
}

extension ValueType {
    /// What is common to two types: dimensions that differ become unknown.
    package func union(_ other: ValueType) -> ValueType {
        switch (self, other) {
        case (.tensor(let a, let x), .tensor(let b, let y)) where a == b:
            guard let x, let y, x.count == y.count else { return .tensor(a, nil) }
            return .tensor(a, zip(x, y).map { $0 == $1 ? $0 : .unknown })
        case (.sequence(let a), .sequence(let b)): return .sequence(a.union(b))
        case (.optional(let a), .optional(let b)): return .optional(a.union(b))
        default: return self == other ? self : .unknown
        }
    }

    /// The type without what is known of shapes.
    package var withoutShape: ValueType {
        switch self {
        case .tensor(let type, _): .tensor(type, nil)
        case .sparseTensor(let type, _): .sparseTensor(type, nil)
        case .sequence(let element): .sequence(element.withoutShape)
        case .optional(let element): .optional(element.withoutShape)
        default: self
        }
    }
}
