import SardonyxGraph

/// Z[n, c] = post_transform(Σ over trees of the weight for c of the leaf that X[n] reaches, + base_values[c]);
/// Y[n] = the label of the largest score.
///
/// Two labels whose weights are all for the first class make one score s of the second label, and two scores as ONNX
/// Runtime has them: 1 − s and s where no weight is negative, else −s and s. Weights for the second class leave 0 and s.
/// The label is the second where s is above 1/2 or, with negative weights, above 0.
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html>
enum TreeEnsembleClassifier: Operator {
    static let execution = Execution.dynamic

    static let schema = Schema(
        "TreeEnsembleClassifier", domain: "ai.onnx.ml", versions: [1, 3, 5], inputs: [Parameter("X", "T1", .features)],
        outputs: [Parameter("Y", "T2", [.int64, .string]), Parameter("Z", "tensor(float)", [.float])],
        attributes: TreeModel.nodeAttributes + [
            AttributeSpec("class_ids", .ints), AttributeSpec("class_nodeids", .ints),
            AttributeSpec("class_treeids", .ints), AttributeSpec("class_weights", .floats),
            AttributeSpec("class_weights_as_tensor", .tensor), AttributeSpec("classlabels_int64s", .ints),
            AttributeSpec("classlabels_strings", .strings),
        ])

    private static func labels(_ node: Node) -> ClassLabels {
        ClassLabels(node, integers: "classlabels_int64s", strings: "classlabels_strings")
    }

    /// The only class that has weights, where there are two.
    private static func onlyClass(_ node: Node) -> Int? {
        guard labels(node).count == 2, case .ints(let ids)? = node.attributes["class_ids"], let first = ids.first,
            first == 0 || first == 1, ids.allSatisfy({ $0 == first })
        else { return nil }
        return Int(first)
    }

    /// What does not depend on the rows.
    private struct Classifier {
        let model: TreeModel
        let labels: ClassLabels
        let transform: PostTransform
        let only: Int?
        let base: [Double]
        let isProbability: Bool

        init(_ node: Node) throws {
            labels = TreeEnsembleClassifier.labels(node)
            transform = try PostTransform(node)
            only = onlyClass(node)
            base = node.numbers("base_values")
            isProbability = node.numbers("class_weights").allSatisfy { $0 >= 0 }
            model = try TreeModel(
                node, prefix: "class", scoreCount: labels.count, aggregation: .sum, base: only == nil ? base : [])
        }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let transform = try PostTransform(context.node)
        let labels = labels(context.node)
        guard labels.count > 0 else {
            throw SardonyxError(.invalidModel, "classlabels_int64s or classlabels_strings must name the classes")
        }
        let scores = onlyClass(context.node) == 0 && transform == .probit ? 1 : labels.count
        try context.inferClassifier(labels, scores: .fixed(scores))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let classifier = try context.derived { try Classifier(context.node) }
        let (labels, transform, only) = (classifier.labels, classifier.transform, classifier.only)
        let (base, isProbability) = (classifier.base, classifier.isProbability)
        let (rows, scores) = try classifier.model.scores(context)
        var result = try ClassifiedRows(context, labels, rows: rows)
        for row in 0..<rows {
            let own = Array(scores[row * labels.count..<(row + 1) * labels.count])
            if let only {
                let score = own[only] + (base.last ?? 0)
                try result.add(
                    label: score > (isProbability ? 0.5 : 0) ? 1 : 0,
                    only == 0
                        ? transform.pair(score, isProbability: isProbability) : transform.applied([0, score]))
            } else {
                try result.add(label: own.indexOfLargest(), transform.applied(own))
            }
        }
        return try result.outputs(width: labels.count)
    }

    static let examples = [
        Example(
            "one tree, two classes",
            attributes: [
                "nodes_treeids": .ints([0, 0, 0]), "nodes_nodeids": .ints([0, 1, 2]),
                "nodes_modes": .strings(["BRANCH_GT", "LEAF", "LEAF"]), "nodes_featureids": .ints([0, 0, 0]),
                "nodes_values": .floats([2, 0, 0]), "nodes_truenodeids": .ints([1, 0, 0]),
                "nodes_falsenodeids": .ints([2, 0, 0]), "class_treeids": .ints([0, 0]),
                "class_nodeids": .ints([1, 2]), "class_ids": .ints([0, 1]), "class_weights": .floats([1, 0.5]),
                "classlabels_strings": .strings(["large", "small"]),
            ], inputs: [Tensor(shape: [2, 1], scalars: [3, 2] as [Int64])],
            outputs: [
                Tensor(shape: [2], strings: ["large", "small"]),
                Tensor(shape: [2, 2], scalars: [1, 0, 0, 0.5] as [Float]),
            ])
    ]
}
