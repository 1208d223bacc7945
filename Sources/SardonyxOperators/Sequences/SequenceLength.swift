import SardonyxGraph

/// y = the number of elements of a sequence.
///
/// <https://onnx.ai/onnx/operators/onnx__SequenceLength.html>
enum SequenceLength: Operator {
    static let schema = Schema(
        "SequenceLength", versions: [11], inputs: [Parameter("input_sequence", "S", [])],
        outputs: [Parameter("length", "I", [.int64])])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        _ = try context.elementType(0)
        context.set(0, .int64, [])
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        [.tensor(Tensor(Int64(try context.sequence(0).count)))]
    }
}
