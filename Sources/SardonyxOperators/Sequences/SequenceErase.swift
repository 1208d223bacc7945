import SardonyxGraph

/// y = [s₀, …, sₚ₋₁, sₚ₊₁, …]: the sequence without one element, the last unless `position` p is given.
///
/// <https://onnx.ai/onnx/operators/onnx__SequenceErase.html>
enum SequenceErase: Operator {
    static let schema = Schema(
        "SequenceErase", versions: [11],
        inputs: [Parameter("input_sequence", "S", []), Parameter("position", "I", .indices, .optional)],
        outputs: [Parameter("output_sequence", "S", [])])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        context.set(0, .sequence(try context.elementType(0)))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        var elements = try context.sequence(0)
        guard !elements.isEmpty else {
            throw SardonyxError(.invalidValue, "the sequence is empty: there is nothing to erase")
        }
        let length = elements.count
        elements.remove(at: context.has(1) ? try context.position(1, length: length, below: length) : length - 1)
        return [.sequence(elements)]
    }

    static let derivative: Derivative? = Derivative { d in
        try d.set(0) {
            let sequence = try d.x()
            let position = try d.position(1, in: sequence)
            let erased = try sequence.apply("SequenceAt", position ?? sequence.scalar(-1))
            return try d.dy().apply("SequenceInsert", d.zeros(like: erased), position)
        }
    }
}
