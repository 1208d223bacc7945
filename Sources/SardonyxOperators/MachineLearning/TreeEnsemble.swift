import SardonyxGraph

/// Y[n, t] = post_transform(Σ over trees of the weight for t of the leaf that X[n] reaches); the sum may be a mean, the
/// least or the largest weight.
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html>
enum TreeEnsemble: Operator {
    private static let types: TypeSet = [.double, .float, .float16]

    static let schema = Schema(
        "TreeEnsemble", domain: "ai.onnx.ml", versions: [5], inputs: [Parameter("X", "T", types)],
        outputs: [Parameter("Y", "T", types)],
        attributes: [
            AttributeSpec("aggregate_function", .int), AttributeSpec("leaf_targetids", .ints, required: true),
            AttributeSpec("leaf_weights", .tensor, required: true), AttributeSpec("membership_values", .tensor),
            AttributeSpec("n_targets", .int), AttributeSpec("nodes_falseleafs", .ints, required: true),
            AttributeSpec("nodes_falsenodeids", .ints, required: true),
            AttributeSpec("nodes_featureids", .ints, required: true), AttributeSpec("nodes_hitrates", .tensor),
            AttributeSpec("nodes_missing_value_tracks_true", .ints),
            AttributeSpec("nodes_modes", .tensor, required: true),
            AttributeSpec("nodes_splits", .tensor, required: true),
            AttributeSpec("nodes_trueleafs", .ints, required: true),
            AttributeSpec("nodes_truenodeids", .ints, required: true), AttributeSpec("post_transform", .int),
            AttributeSpec("tree_roots", .ints, required: true),
        ])

    private static func targets(_ node: Node) throws -> Int {
        let count = node.int("n_targets", default: 1)
        guard count > 0 else { throw SardonyxError(.invalidModel, "n_targets is \(count); it must be positive") }
        return count
    }

    static func infer(_ context: inout InferenceContext) throws {
        context.set(
            0, try context.dataType(0), [try FeatureRows.extent(context), .fixed(try targets(context.node))])
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let transforms: [PostTransform] = [.none, .softmax, .logistic, .softmaxZero, .probit]
        guard let transform = transforms[safe: context.node.int("post_transform", default: 0)] else {
            throw SardonyxError(.invalidModel, "post_transform must be a number from 0 to 4")
        }
        return try TreeModel.kernel(context, transform) { try model(context.node) }
    }

    private static func model(_ node: Node) throws -> TreeModel {
        let aggregations: [TreeModel.Aggregation] = [.average, .sum, .min, .max]
        guard let aggregation = aggregations[safe: node.int("aggregate_function", default: 1)] else {
            throw SardonyxError(.invalidModel, "aggregate_function must be a number from 0 to 3")
        }
        let modes = node.tensor("nodes_modes")?.integers ?? []
        let count = modes.count
        func column(_ name: String) throws -> [Int] {
            let values = node.ints(name) ?? []
            guard values.count == count else {
                throw SardonyxError(.invalidModel, "\(name) has \(values.count) elements; it must have \(count)")
            }
            return values
        }
        let splits = node.tensor("nodes_splits")?.doubles ?? []
        let members = node.tensor("membership_values")?.doubles ?? []
        let weights = node.tensor("leaf_weights")?.doubles ?? []
        let targetIDs = node.ints("leaf_targetids") ?? []
        let missing = node.ints("nodes_missing_value_tracks_true") ?? []
        guard splits.count == count, missing.isEmpty || missing.count == count, weights.count == targetIDs.count else {
            throw SardonyxError(.invalidModel, "the nodes' or the leaves' attributes differ in length")
        }
        let (features, truths, falsehoods) = (
            try column("nodes_featureids"), try column("nodes_truenodeids"), try column("nodes_falsenodeids")
        )
        let (trueLeaves, falseLeaves) = (try column("nodes_trueleafs"), try column("nodes_falseleafs"))
        // The sets are divided by NaN, one for each node that tests membership.
        var memberStart = 0
        var sets: [Range<Int>] = []
        let branches = try modes.indices.map { index in
            guard let mode = UInt8(exactly: modes[index]).flatMap(TreeModel.Mode.init(rawValue:)),
                truths[index] >= 0, falsehoods[index] >= 0
            else {
                throw SardonyxError(.invalidModel, "node \(index) has a mode or a branch that does not exist")
            }
            var branch = try TreeModel.Branch(
                mode: mode, feature: features[index], threshold: splits[index],
                tracksMissing: !missing.isEmpty && missing[index] != 0,
                whenTrue: trueLeaves[index] != 0 ? ~truths[index] : truths[index],
                whenFalse: falseLeaves[index] != 0 ? ~falsehoods[index] : falsehoods[index])
            if mode == .member {
                let end = members[memberStart...].firstIndex(where: \.isNaN) ?? members.count
                branch.threshold = Double(sets.count)
                sets.append(memberStart..<end)
                memberStart = min(end + 1, members.count)
            }
            return branch
        }
        let roots = node.ints("tree_roots") ?? []
        guard roots.allSatisfy({ $0 >= 0 }) else {
            throw SardonyxError(.invalidModel, "tree_roots must not be negative")
        }
        return try TreeModel(
            branches: branches, sets: sets, members: members, roots: roots.map { Int32(clamping: $0) },
            leaves: TreeModel.Leaves(count: weights.count, weights: weights, targets: targetIDs) { $0 },
            scoreCount: try targets(node), aggregation: aggregation)
    }

    static let examples = [
        Example(
            "one node, one of its leaves for each target",
            attributes: [
                "n_targets": .int(2), "nodes_splits": .tensor(Tensor(shape: [1], scalars: [1.5] as [Double])),
                "nodes_modes": .tensor(Tensor(shape: [1], scalars: [0] as [UInt8])), "nodes_featureids": .ints([0]),
                "nodes_truenodeids": .ints([0]), "nodes_falsenodeids": .ints([1]), "nodes_trueleafs": .ints([1]),
                "nodes_falseleafs": .ints([1]), "leaf_targetids": .ints([0, 1]), "tree_roots": .ints([0]),
                "leaf_weights": .tensor(Tensor(shape: [2], scalars: [5, 7] as [Double])),
            ], inputs: [Tensor(shape: [2, 1], scalars: [1, 2] as [Double])],
            outputs: [Tensor(shape: [2, 2], scalars: [5, 0, 0, 7] as [Double])])
    ]
}
