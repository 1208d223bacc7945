import SardonyxGraph

/// y = sₚ: the element of a sequence at `position` p.
///
/// <https://onnx.ai/onnx/operators/onnx__SequenceAt.html>
enum SequenceAt: Operator {
    static let schema = Schema(
        "SequenceAt", versions: [11],
        inputs: [Parameter("input_sequence", "S", []), Parameter("position", "I", .indices)],
        outputs: [Parameter("tensor", "T", .movable)])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws { context.set(0, try context.elementType(0)) }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let elements = try context.sequence(0)
        return [elements[try context.position(1, length: elements.count, below: elements.count)]]
    }

    static let derivative: Derivative? = Derivative { d in
        try d.set(0) {
            let sequence = try d.x()
            let position = try d.position(1, in: sequence)
            return try d.zeros(like: sequence).apply("SequenceErase", position)
                .apply("SequenceInsert", d.dy(), position)
        }
    }
}
