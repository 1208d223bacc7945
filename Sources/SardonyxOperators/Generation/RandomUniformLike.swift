import SardonyxGraph

/// y[…] ~ U[low, high): uniformly distributed numbers in x's shape. With a `seed`, they are those of numpy.
///
/// <https://onnx.ai/onnx/operators/onnx__RandomUniformLike.html>
enum RandomUniformLike: UniformFill {
    static let schema = Schema(
        "RandomUniformLike", versions: [1, 22], inputs: [Parameter("input", "T1", .movable)],
        outputs: [Parameter("output", "T2", .floats)], attributes: parameters)

    static func infer(_ context: inout InferenceContext) throws { try inferFromInput(&context) }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] { try fillLikeInput(context) }

    static let derivative: Derivative? = .zero

    static let examples = [
        Example(
            "with a seed", attributes: ["seed": .float(7), "low": .float(-1), "high": .float(2)],
            inputs: [Tensor(shape: [3], scalars: [0, 0, 0] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-0.77107512, 1.33975648, 0.31522774] as [Float])],
            tolerance: 1e-6)
    ]
}
