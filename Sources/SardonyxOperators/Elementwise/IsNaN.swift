import SardonyxGraph

/// y = whether x is not a number.
///
/// <https://onnx.ai/onnx/operators/onnx__IsNaN.html>
enum IsNaN: Operator {
    static let schema = Schema(
        "IsNaN", versions: [9, 13, 20], inputs: [Parameter("X", "T1", Classification.types)],
        outputs: [Parameter("Y", "T2", [.bool])])

    static func infer(_ context: inout InferenceContext) throws {
        context.set(0, .bool, context.shape(0))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        try Classification.kernel(context.input(0), finds: .nan)
    }

    static let examples = [
        Example(
            "only NaN", inputs: [Tensor(shape: [4], scalars: [3, .nan, .infinity, -0] as [Float])],
            outputs: [Tensor(shape: [4], scalars: [false, true, false, false])])
    ]
}
