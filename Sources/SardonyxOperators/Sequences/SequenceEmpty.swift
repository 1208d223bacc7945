import SardonyxGraph

/// y = []: an empty sequence of tensors of the type `dtype`.
///
/// <https://onnx.ai/onnx/operators/onnx__SequenceEmpty.html>
enum SequenceEmpty: Operator {
    static let schema = Schema(
        "SequenceEmpty", versions: [11], inputs: [], outputs: [Parameter("output", "S", [])],
        attributes: [AttributeSpec("dtype", .int)])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        context.set(0, .sequence(.tensor(try context.node.dataType("dtype") ?? .float, nil)))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] { [.sequence([])] }
}
