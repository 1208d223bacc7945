import SardonyxGraph

/// Z[n, c] = post_transform(Σ X[n, f] · coefficients[c, f] + intercepts[c]); Y[n] = the label of the largest Z[n, c].
///
/// One row of coefficients for two labels makes the scores −s and s.
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_LinearClassifier.html>
enum LinearClassifier: Operator {
    static let execution = Execution.dynamic

    static let schema = Schema(
        "LinearClassifier", domain: "ai.onnx.ml", versions: [1], inputs: [Parameter("X", "T1", .features)],
        outputs: [Parameter("Y", "T2", [.int64, .string]), Parameter("Z", "tensor(float)", [.float])],
        attributes: [
            AttributeSpec("classlabels_ints", .ints), AttributeSpec("classlabels_strings", .strings),
            AttributeSpec("coefficients", .floats, required: true), AttributeSpec("intercepts", .floats),
            AttributeSpec("multi_class", .int), AttributeSpec("post_transform", .string),
        ])

    private static func labels(_ node: Node) -> ClassLabels {
        ClassLabels(node, integers: "classlabels_ints", strings: "classlabels_strings")
    }

    /// The rows of coefficients: as many as intercepts, or else as labels.
    private static func model(_ node: Node) throws -> LinearModel {
        let intercepts = node.floats("intercepts")?.count ?? 0
        return try LinearModel(node, scoreCount: intercepts > 0 ? intercepts : max(labels(node).count, 1))
    }

    static func infer(_ context: inout InferenceContext) throws {
        _ = try PostTransform(context.node)
        let scores = try model(context.node).scoreCount
        let labels = labels(context.node)
        try context.inferClassifier(labels, scores: .fixed(scores == 1 && labels.count == 2 ? 2 : scores))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let labels = labels(context.node)
        let transform = try PostTransform(context.node)
        let model = try context.derived { try Self.model(context.node) }
        let width = model.scoreCount
        var result = try ClassifiedRows(context, labels, rows: FeatureRows(context.tensor(0).shape).rows)
        try model.eachRow(context) { own in
            if width == 1 && labels.count != 2 {
                let score = transform.applied(own)[0]
                try result.add(label: score >= (transform == .none ? 0 : 0.5) ? 0 : nil, [score])
            } else {
                let final = transform.applied(width == 1 ? [-own[0], own[0]] : own)
                try result.add(label: final.indexOfLargest(), final)
            }
        }
        return try result.outputs(width: max(width, labels.count == 2 ? 2 : 1))
    }

    static let examples = [
        Example(
            "three classes",
            attributes: [
                "coefficients": .floats([1, 0, 0, 1, -1, -1]), "intercepts": .floats([0, 0, 1]),
                "classlabels_strings": .strings(["a", "b", "c"]),
            ], inputs: [Tensor(shape: [2, 2], scalars: [3, 1, -2, 0] as [Float])],
            outputs: [
                Tensor(shape: [2], strings: ["a", "c"]),
                Tensor(shape: [2, 3], scalars: [3, 1, -3, -2, 0, 3] as [Float]),
            ])
    ]
}
