import SardonyxGraph

/// Y[n, t] = post_transform(Σ X[n, f] · coefficients[t, f] + intercepts[t])
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_LinearRegressor.html>
enum LinearRegressor: Operator {
    static let schema = Schema(
        "LinearRegressor", domain: "ai.onnx.ml", versions: [1], inputs: [Parameter("X", "T", .features)],
        outputs: [Parameter("Y", "tensor(float)", [.float])],
        attributes: [
            AttributeSpec("coefficients", .floats), AttributeSpec("intercepts", .floats),
            AttributeSpec("post_transform", .string), AttributeSpec("targets", .int),
        ])

    private static func model(_ node: Node) throws -> LinearModel {
        try LinearModel(node, scoreCount: node.int("targets", default: 1))
    }

    static func infer(_ context: inout InferenceContext) throws {
        _ = try PostTransform(context.node)
        context.set(0, .float, [try FeatureRows.extent(context), .fixed(try model(context.node).scoreCount)])
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        try context.rowKernel(try model(context.node), PostTransform(context.node))
    }

    static let examples = [
        Example(
            "two targets",
            attributes: [
                "coefficients": .floats([1, 2, 3, 4]), "intercepts": .floats([0.5, -1]), "targets": .int(2),
            ], inputs: [Tensor(shape: [2, 2], scalars: [1, 0, 2, 1] as [Float])],
            outputs: [Tensor(shape: [2, 2], scalars: [1.5, 2, 4.5, 9] as [Float])])
    ]
}

extension TypeSet {
    /// The number types that ai.onnx.ml's features have.
    static let features: TypeSet = [.double, .float, .int32, .int64]
}
