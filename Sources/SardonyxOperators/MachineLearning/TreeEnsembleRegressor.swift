import SardonyxGraph

/// Y[n, t] = post_transform(Σ over trees of the weight for t of the leaf that X[n] reaches, + base_values[t])
///
/// The sum may be a mean, the least or the largest weight.
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html>
enum TreeEnsembleRegressor: Operator {
    static let schema = Schema(
        "TreeEnsembleRegressor", domain: "ai.onnx.ml", versions: [1, 3, 5], inputs: [Parameter("X", "T", .features)],
        outputs: [Parameter("Y", "tensor(float)", [.float])],
        attributes: TreeModel.nodeAttributes + [
            AttributeSpec("aggregate_function", .string), AttributeSpec("n_targets", .int),
            AttributeSpec("target_ids", .ints), AttributeSpec("target_nodeids", .ints),
            AttributeSpec("target_treeids", .ints), AttributeSpec("target_weights", .floats),
            AttributeSpec("target_weights_as_tensor", .tensor),
        ])

    private static func targets(_ node: Node) throws -> Int {
        let count = node.int("n_targets", default: 1)
        guard count > 0 else { throw SardonyxError(.invalidModel, "n_targets is \(count); it must be positive") }
        return count
    }

    static func infer(_ context: inout InferenceContext) throws {
        _ = try PostTransform(context.node)
        context.set(0, .float, [try FeatureRows.extent(context), .fixed(try targets(context.node))])
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let name = context.node.string("aggregate_function", default: "SUM")
        guard let aggregation = TreeModel.Aggregation(rawValue: name) else {
            throw SardonyxError(
                .invalidModel, "aggregate_function is '\(name)'; it must be SUM, AVERAGE, MIN or MAX")
        }
        return try TreeModel.kernel(context, PostTransform(context.node)) {
            try TreeModel(
                context.node, prefix: "target", scoreCount: try targets(context.node), aggregation: aggregation,
                base: context.node.numbers("base_values"))
        }
    }

    static let examples = [
        Example(
            "one tree with two leaves",
            attributes: [
                "nodes_treeids": .ints([0, 0, 0]), "nodes_nodeids": .ints([0, 1, 2]),
                "nodes_modes": .strings(["BRANCH_LEQ", "LEAF", "LEAF"]), "nodes_featureids": .ints([1, 0, 0]),
                "nodes_values": .floats([0.5, 0, 0]), "nodes_truenodeids": .ints([1, 0, 0]),
                "nodes_falsenodeids": .ints([2, 0, 0]), "target_treeids": .ints([0, 0]),
                "target_nodeids": .ints([1, 2]), "target_ids": .ints([0, 0]), "target_weights": .floats([10, 20]),
                "base_values": .floats([1]),
            ], inputs: [Tensor(shape: [2, 2], scalars: [9, 0.5, 9, 0.6] as [Float])],
            outputs: [Tensor(shape: [2, 1], scalars: [11, 21] as [Float])])
    ]
}
