import SardonyxGraph

/// Y[…, k] = 1 where X[…] is category k, else 0.
///
/// Numbers are compared as integers. Without `zeros` an unknown category is an error.
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_OneHotEncoder.html>
enum OneHotEncoder: Operator {
    static let execution = Execution.dynamic

    static let schema = Schema(
        "OneHotEncoder", domain: "ai.onnx.ml", versions: [1],
        inputs: [Parameter("X", "T", .features + [.string])], outputs: [Parameter("Y", "tensor(float)", [.float])],
        attributes: [
            AttributeSpec("cats_int64s", .ints), AttributeSpec("cats_strings", .strings), AttributeSpec("zeros", .int),
        ])

    private static func count(_ node: Node, _ type: DataType) -> Int {
        type == .string ? node.strings("cats_strings")?.count ?? 0 : node.ints("cats_int64s")?.count ?? 0
    }

    static func infer(_ context: inout InferenceContext) throws {
        let count = count(context.node, try context.dataType(0))
        guard count > 0 else {
            throw SardonyxError(.invalidModel, "there must be categories of X's type: cats_strings or cats_int64s")
        }
        context.set(0, .float, context.shape(0).map { $0 + [.fixed(count)] })
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let x = try context.tensor(0)
        let node = context.node
        let classes = count(node, x.dataType)
        let found: [Int?]
        if x.dataType == .string {
            let places = Dictionary(zip(node.strings("cats_strings") ?? [], 0...)) { $1 }
            found = x.strings.map { places[$0] }
        } else {
            let places = Dictionary(zip((node.ints("cats_int64s") ?? []).map(Int64.init), 0...)) { $1 }
            found = try x.converted(to: .int64).scalars(Int64.self).map { places[$0] }
        }
        var scalars = [Float](repeating: 0, count: found.count * classes)
        for (index, place) in found.enumerated() {
            if let place {
                scalars[index * classes + place] = 1
            } else if !node.flag("zeros", default: true) {
                throw SardonyxError(.invalidValue, "element \(index) of X is none of the categories")
            }
        }
        return [.tensor(Tensor(shape: x.shape + [classes], scalars: scalars))]
    }

    static let examples = [
        Example(
            "strings", attributes: ["cats_strings": .strings(["a", "b"])],
            inputs: [Tensor(shape: [3], strings: ["b", "x", "a"])],
            outputs: [Tensor(shape: [3, 2], scalars: [0, 1, 0, 0, 1, 0] as [Float])])
    ]
}
