import SardonyxGraph

/// Y[…] = cats_int64s[k] where cats_strings[k] = X[…], or the other way round for integers; the default elsewhere.
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_CategoryMapper.html>
enum CategoryMapper: Operator {
    static let execution = Execution.dynamic

    static let schema = Schema(
        "CategoryMapper", domain: "ai.onnx.ml", versions: [1], inputs: [Parameter("X", "T1", [.int64, .string])],
        outputs: [Parameter("Y", "T2", [.int64, .string])],
        attributes: [
            AttributeSpec("cats_int64s", .ints), AttributeSpec("cats_strings", .strings),
            AttributeSpec("default_int64", .int), AttributeSpec("default_string", .string),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        context.set(0, try context.dataType(0) == .string ? .int64 : .string, context.shape(0))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let node = context.node
        let x = try context.tensor(0)
        let strings = node.strings("cats_strings") ?? []
        let (texts, numbers) = (
            Tensor(shape: [strings.count], strings: strings), Tensor(integers: node.ints("cats_int64s") ?? [])
        )
        let table =
            x.dataType == .string
            ? try LabelTable(
                keys: texts, values: numbers, fallback: Tensor(Int64(node.int("default_int64", default: -1))))
            : try LabelTable(
                keys: numbers, values: texts,
                fallback: Tensor(shape: [1], strings: [node.string("default_string", default: "_Unused")]))
        return [.tensor(try table.lookUp(x))]
    }

    static let examples = [
        Example(
            "numbers to names", attributes: ["cats_int64s": .ints([1, 2]), "cats_strings": .strings(["a", "b"])],
            inputs: [Tensor(shape: [1, 3], scalars: [2, 3, 1] as [Int64])],
            outputs: [Tensor(shape: [1, 3], strings: ["b", "_Unused", "a"])])
    ]
}
