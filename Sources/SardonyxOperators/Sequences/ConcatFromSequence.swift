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
}
