import SardonyxGraph

/// Y[n, 0] = Σⱼ coefficients[j] · kernel(X[n], support_vectors[j]) + rho; with `one_class` its sign, 1 or −1.
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_SVMRegressor.html>
enum SVMRegressor: Operator {
    static let schema = Schema(
        "SVMRegressor", domain: "ai.onnx.ml", versions: [1], inputs: [Parameter("X", "T", .features)],
        outputs: [Parameter("Y", "tensor(float)", [.float])],
        attributes: [
            AttributeSpec("coefficients", .floats), AttributeSpec("kernel_params", .floats),
            AttributeSpec("kernel_type", .string), AttributeSpec("n_supports", .int), AttributeSpec("one_class", .int),
            AttributeSpec("post_transform", .string), AttributeSpec("rho", .floats),
            AttributeSpec("support_vectors", .floats),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        _ = try (Model(context.node), PostTransform(context.node))
        context.set(0, .float, [try FeatureRows.extent(context), .fixed(1)])
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        try context.rowKernel(try Model(context.node), PostTransform(context.node))
    }

    private struct Model: RowModel {
        let vectors: SupportVectors
        let isOneClass: Bool
        let scoreCount = 1
        var featureCount: Int { vectors.featureCount }

        init(_ node: Node) throws {
            let count = node.int("n_supports", default: 0)
            guard count >= 0 else {
                throw SardonyxError(.invalidModel, "n_supports is \(count); it must not be negative")
            }
            vectors = try SupportVectors(node, count: count, machines: 1)
            isOneClass = node.flag("one_class")
            guard vectors.count == 0 || vectors.coefficients.count >= vectors.count else {
                throw SardonyxError(
                    .invalidModel, "there are \(vectors.coefficients.count) coefficients for \(vectors.count) vectors")
            }
        }

        func evaluate(
            _ row: UnsafePointer<Double>, into scores: UnsafeMutablePointer<Double>,
            scratch: UnsafeMutablePointer<Double>
        ) {
            var sum = vectors.count == 0 ? vectors.product(row, 0) : 0
            for j in 0..<vectors.count { sum += vectors.coefficients[j] * vectors.product(row, j) }
            sum += vectors.rho[0]
            scores[0] = isOneClass ? (sum > 0 ? 1 : -1) : sum
        }
    }

    static let examples = [
        Example(
            "two vectors",
            attributes: [
                "coefficients": .floats([1, -2]), "support_vectors": .floats([1, 0, 0, 1]), "n_supports": .int(2),
                "rho": .floats([0.5]), "kernel_type": .string("POLY"), "kernel_params": .floats([1, 1, 2]),
            ], inputs: [Tensor(shape: [1, 2], scalars: [2, 1] as [Float])],
            outputs: [Tensor(shape: [1, 1], scalars: [1.5] as [Float])], tolerance: 1e-6)
    ]
}
