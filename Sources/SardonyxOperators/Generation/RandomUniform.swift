import SardonyxGraph

/// y[…] ~ U[low, high): uniformly distributed numbers in the shape `shape`. With a `seed`, they are those of numpy.
///
/// <https://onnx.ai/onnx/operators/onnx__RandomUniform.html>
enum RandomUniform: UniformFill {
    static let schema = Schema(
        "RandomUniform", versions: [1, 22], inputs: [], outputs: [Parameter("output", "T", .floats)],
        attributes: [AttributeSpec("shape", .ints, required: true)] + parameters)

    static func infer(_ context: inout InferenceContext) throws { try inferFromAttribute(&context) }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        try fill(context, try outputType(context.node, default: .float), try ownShape(context.node))
    }

    static let examples = [
        Example(
            "with a seed", attributes: ["seed": .float(7), "low": .float(-1), "high": .float(2), "shape": .ints([3])],
            inputs: [],
            outputs: [Tensor(shape: [3], scalars: [-0.77107512, 1.33975648, 0.31522774] as [Float])],
            tolerance: 1e-6)
    ]
}
