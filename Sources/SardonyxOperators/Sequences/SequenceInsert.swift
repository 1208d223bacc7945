import SardonyxGraph

/// y = [s₀, …, sₚ₋₁, tensor, sₚ, …]: the sequence with one more tensor, at its end unless `position` p is given.
///
/// <https://onnx.ai/onnx/operators/onnx__SequenceInsert.html>
enum SequenceInsert: Operator {
    static let schema = Schema(
        "SequenceInsert", versions: [11],
        inputs: [
            Parameter("input_sequence", "S", []), Parameter("tensor", "T", .movable),
            Parameter("position", "I", .indices, .optional),
        ],
        outputs: [Parameter("output_sequence", "S", [])])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        let element = try context.elementType(0)
        let tensor = context.inputs[1] ?? .unknown
        if let a = element.dataType, let b = tensor.dataType, a != b {
            throw SardonyxError(.invalidModel, "a tensor of \(b.name) cannot be put into a sequence of \(a.name)")
        }
        context.set(0, .sequence(element == .unknown ? tensor.withoutShape : element.union(tensor)))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        var elements = try context.sequence(0)
        let tensor = Datum.tensor(try context.tensor(1))
        if let first = elements.first, !tensor.isAlike(first) { throw SardonyxError.mixedElements(tensor, first) }
        let length = elements.count
        let position = context.has(2) ? try context.position(2, length: length, below: length + 1) : length
        elements.insert(tensor, at: position)
        return [.sequence(elements)]
    }
}
