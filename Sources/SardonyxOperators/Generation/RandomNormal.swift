import SardonyxGraph

/// y[…] ~ N(mean, scale²): normally distributed numbers in the shape `shape`. With a `seed`, they are those of numpy.
///
/// <https://onnx.ai/onnx/operators/onnx__RandomNormal.html>
enum RandomNormal: NormalFill {
    static let schema = Schema(
        "RandomNormal", versions: [1, 22], inputs: [], outputs: [Parameter("output", "T", .floats)],
        attributes: [AttributeSpec("shape", .ints, required: true)] + parameters)

    static func infer(_ context: inout InferenceContext) throws { try inferFromAttribute(&context) }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        try fill(context, try outputType(context.node, default: .float), try ownShape(context.node))
    }

    static let examples = [
        Example(
            "with a seed", attributes: ["seed": .float(7), "scale": .float(2), "mean": .float(1), "shape": .ints([3])],
            inputs: [],
            outputs: [Tensor(shape: [3], scalars: [4.38105106, 0.06812524, 1.06564033] as [Float])],
            tolerance: 1e-6)
    ]
}
