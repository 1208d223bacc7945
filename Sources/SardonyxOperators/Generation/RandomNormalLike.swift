import SardonyxGraph

/// y[…] ~ N(mean, scale²): normally distributed numbers in x's shape. With a `seed`, they are those of numpy.
///
/// <https://onnx.ai/onnx/operators/onnx__RandomNormalLike.html>
enum RandomNormalLike: NormalFill {
    static let schema = Schema(
        "RandomNormalLike", versions: [1, 22], inputs: [Parameter("input", "T1", .movable)],
        outputs: [Parameter("output", "T2", .floats)], attributes: parameters)

    static func infer(_ context: inout InferenceContext) throws { try inferFromInput(&context) }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] { try fillLikeInput(context) }

    static let derivative: Derivative? = .zero

    static let examples = [
        Example(
            "with a seed", attributes: ["seed": .float(7), "scale": .float(2), "mean": .float(1)],
            inputs: [Tensor(shape: [3], scalars: [0, 0, 0] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [4.38105106, 0.06812524, 1.06564033] as [Float])],
            tolerance: 1e-6)
    ]
}
