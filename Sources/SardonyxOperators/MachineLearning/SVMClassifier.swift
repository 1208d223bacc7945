import SardonyxGraph

/// Z[n, :] = the decision of each pair of classes, Σⱼ coefficients · kernel(X[n], support_vectors[j]) + rho, or with
/// `prob_a` and `prob_b` the classes' probabilities; Y[n] = the label with the most votes or the largest score.
///
/// Without support vectors each class has a row of weights. Two classes with one score get two.
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_SVMClassifier.html>
enum SVMClassifier: Operator {
    static let execution = Execution.dynamic

    static let schema = Schema(
        "SVMClassifier", domain: "ai.onnx.ml", versions: [1], inputs: [Parameter("X", "T1", .features)],
        outputs: [Parameter("Y", "T2", [.int64, .string]), Parameter("Z", "tensor(float)", [.float])],
        attributes: [
            AttributeSpec("classlabels_ints", .ints), AttributeSpec("classlabels_strings", .strings),
            AttributeSpec("coefficients", .floats), AttributeSpec("kernel_params", .floats),
            AttributeSpec("kernel_type", .string), AttributeSpec("post_transform", .string),
            AttributeSpec("prob_a", .floats), AttributeSpec("prob_b", .floats), AttributeSpec("rho", .floats),
            AttributeSpec("support_vectors", .floats), AttributeSpec("vectors_per_class", .ints),
        ])

    private static func labels(_ node: Node) -> ClassLabels {
        ClassLabels(node, integers: "classlabels_ints", strings: "classlabels_strings")
    }

    static func infer(_ context: inout InferenceContext) throws {
        _ = try (PairwiseMachine(context.node, classes: labels(context.node).count), PostTransform(context.node))
        try context.inferClassifier(labels(context.node), scores: .unknown)
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let labels = labels(context.node)
        let transform = try PostTransform(context.node)
        let machine = try context.derived { try PairwiseMachine(context.node, classes: labels.count) }
        var result = try ClassifiedRows(context, labels, rows: FeatureRows(context.tensor(0).shape).rows)
        try machine.eachRow(context) { own in
            let decision = machine.decide(own)
            try result.add(
                label: label(decision, machine, labels), finalScores(decision.scores, machine, labels, transform))
        }
        return try result.outputs(width: machine.scoreCount)
    }

    private static func label(
        _ decision: PairwiseMachine.Decision, _ machine: PairwiseMachine, _ labels: ClassLabels
    ) -> Int? {
        guard machine.hasOneMargin else { return decision.best }
        if labels.count == 2 {
            return !machine.hasProbabilities && machine.hasPositiveWeights && decision.weight >= 0.5 ? 1 : decision.best
        }
        // One class: inside or outside.
        return decision.weight > 0 ? 0 : nil
    }

    private static func finalScores(
        _ scores: [Double], _ machine: PairwiseMachine, _ labels: ClassLabels, _ transform: PostTransform
    ) -> [Double] {
        guard scores.count == 1 else { return transform.applied(scores) }
        guard machine.hasOneMargin && labels.count == 2 else {
            return transform == .probit ? transform.applied(scores) : scores
        }
        return transform.pair(scores[0], isProbability: false)
    }

    static let examples = [
        Example(
            "two classes with a vector each",
            attributes: [
                "coefficients": .floats([1, -1]), "support_vectors": .floats([1, 0, 0, 1]), "rho": .floats([0]),
                "vectors_per_class": .ints([1, 1]), "classlabels_ints": .ints([10, 20]),
                "kernel_type": .string("LINEAR"),
            ], inputs: [Tensor(shape: [2, 2], scalars: [1, 3, 3, 1] as [Float])],
            outputs: [
                Tensor(shape: [2], scalars: [20, 10] as [Int64]),
                Tensor(shape: [2, 2], scalars: [2, -2, -2, 2] as [Float]),
            ])
    ]
}
