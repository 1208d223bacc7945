import SardonyxGraph

/// Z[n] = the map from the class labels to X[n, :]; a vector X is one row.
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_ZipMap.html>
enum ZipMap: Operator {
    static let execution = Execution.dynamic

    static let schema = Schema(
        "ZipMap", domain: "ai.onnx.ml", versions: [1], inputs: [Parameter("X", "tensor(float)", [.float])],
        outputs: [Parameter("Z", "T", [])],
        attributes: [AttributeSpec("classlabels_int64s", .ints), AttributeSpec("classlabels_strings", .strings)])

    private static func keys(_ node: Node) throws -> [Datum.MapKey] {
        if let strings = node.strings("classlabels_strings"), !strings.isEmpty { return strings.map { .string($0) } }
        guard let integers = node.ints("classlabels_int64s") else {
            throw SardonyxError(.invalidModel, "classlabels_strings or classlabels_int64s must name the keys")
        }
        return integers.map { .integer(Int64($0)) }
    }

    static func infer(_ context: inout InferenceContext) throws {
        try context.requireRank(0, 1...2, "X")
        let key: DataType = if case .string? = try keys(context.node).first { .string } else { .int64 }
        context.set(0, .sequence(.map(key: key, value: .tensor(.float, []))))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let keys = try keys(context.node)
        let x = try context.tensor(0)
        let shape = try FeatureRows(x.shape)
        guard shape.columns == keys.count else {
            throw SardonyxError(.invalidValue, "X has \(shape.columns) columns for \(keys.count) class labels")
        }
        let values = x.scalars(Float.self)
        return [
            .sequence(
                (0..<shape.rows).map { row in
                    .map(
                        keys.enumerated().map { (key: $1, value: .tensor(Tensor(values[row * keys.count + $0]))) })
                })
        ]
    }
}
