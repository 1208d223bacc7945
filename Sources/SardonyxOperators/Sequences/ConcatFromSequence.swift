import SardonyxGraph

/// y[…, i, …] = the sequence's tensors one after the other along `axis`, which is a new one with `new_axis` = 1.
///
/// <https://onnx.ai/onnx/operators/onnx__ConcatFromSequence.html>
enum ConcatFromSequence: Operator {
    static let schema = Schema(
        "ConcatFromSequence", versions: [11], inputs: [Parameter("input_sequence", "S", [])],
        outputs: [Parameter("concat_result", "T", .movable)],
        attributes: [AttributeSpec("new_axis", .int), AttributeSpec("axis", .int, required: true)])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        guard case .tensor(let type, let shape) = try context.elementType(0) else { return }
        guard var shape else { return context.set(0, type, nil) }
        let stacks = context.node.flag("new_axis")
        let rank = shape.count + (stacks ? 1 : 0)
        let axis = try context.axis(context.node.int("axis", default: 0), rank: rank)
        if stacks {
            shape.insert(.unknown, at: axis)
        } else {
            shape[axis] = .unknown
        }
        context.set(0, type, shape)
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        var tensors = try context.sequence(0).map { element in
            guard case .tensor(let tensor) = element else {
                throw SardonyxError(.invalidInput, "the sequence's elements must be tensors")
            }
            return tensor
        }
        let stacks = context.node.flag("new_axis")
        let rank = (tensors.first?.shape.count ?? 0) + (stacks ? 1 : 0)
        // Of an empty sequence not even the rank is known; joining says what is wrong.
        let axis = tensors.isEmpty ? 0 : try normalizedAxis(context.node.int("axis", default: 0), rank: rank)
        if stacks {
            tensors = tensors.map { tensor in
                var shape = tensor.shape
                shape.insert(1, at: min(axis, shape.count))
                return tensor.reshaped(to: shape)
            }
        }
        return [.tensor(try Tensor.joined(tensors, axis: axis, in: context.environment))]
    }

    static let derivative: Derivative? = Derivative { d in
        let axis = d.node.int("axis", default: 0)
        let attributes: [String: Attribute] = ["axis": .int(Int64(axis)), "keepdims": .int(0)]
        try d.set(0) {
            if d.node.flag("new_axis") { return try d.dy().apply("SplitToSequence", with: attributes) }
            let sequence = try d.x()
            let extents = try d.builder.mapTensors([sequence.id]) { inner, parts in
                let part = Term(id: parts[0], builder: inner)
                return try part.extents().apply("Gather", part.integers([axis])).id
            }
            let lengths = try d.term(extents).apply("ConcatFromSequence", with: ["axis": .int(0)])
            return try d.dy().apply("SplitToSequence", lengths, with: attributes)
        }
    }
}
