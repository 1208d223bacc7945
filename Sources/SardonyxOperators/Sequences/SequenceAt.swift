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
}
