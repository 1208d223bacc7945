import SardonyxGraph

/// Y[…] = values[k] where keys[k] = X[…], or the default.
///
/// NaN keys match any NaN; a repeated key's last value counts.
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_LabelEncoder.html>
enum LabelEncoder: Operator {
    static let execution = Execution.dynamic

    private static let types: TypeSet = [.double, .float, .int16, .int32, .int64, .string]

    static let schema = Schema(
        "LabelEncoder", domain: "ai.onnx.ml", versions: [1, 2, 4], inputs: [Parameter("X", "T1", types)],
        outputs: [Parameter("Y", "T2", types)],
        attributes: [
            AttributeSpec("default_float", .float), AttributeSpec("default_int64", .int),
            AttributeSpec("default_string", .string), AttributeSpec("default_tensor", .tensor),
            AttributeSpec("keys_floats", .floats), AttributeSpec("keys_int64s", .ints),
            AttributeSpec("keys_strings", .strings), AttributeSpec("keys_tensor", .tensor),
            AttributeSpec("values_floats", .floats), AttributeSpec("values_int64s", .ints),
            AttributeSpec("values_strings", .strings), AttributeSpec("values_tensor", .tensor),
        ])

    /// In opset 1 the classes' strings and their numbers map to each other: strings as keys; `sides` turns them round.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        guard opset < 2, let classes = node.strings("classes_strings") else { return }
        node.attributes["classes_strings"] = nil
        node.attributes["keys_strings"] = .strings(classes)
        node.attributes["values_int64s"] = .ints(classes.indices.map { Int64($0) })
    }

    /// Keys and values for an input type.
    private static func sides(_ node: Node, input: DataType) throws -> (keys: Tensor, values: Tensor) {
        guard let keys = side(node, "keys"), let values = side(node, "values") else {
            throw SardonyxError(.invalidModel, "one keys_… and one values_… attribute must be there")
        }
        if keys.dataType == input { return (keys, values) }
        guard node.opset < 2, values.dataType == input else {
            throw SardonyxError(.invalidModel, "X has the type \(input.name) and the keys \(keys.dataType.name)")
        }
        return (values, keys)
    }

    private static func side(_ node: Node, _ name: String) -> Tensor? {
        if let tensor = node.tensor("\(name)_tensor") { return tensor }
        if let floats = node.floats("\(name)_floats") { return Tensor(shape: [floats.count], scalars: floats) }
        if let integers = node.ints("\(name)_int64s") { return Tensor(integers: integers) }
        return node.strings("\(name)_strings").map { Tensor(shape: [$0.count], strings: $0) }
    }

    private static func fallback(_ node: Node, _ type: DataType) throws -> Tensor {
        if let tensor = node.tensor("default_tensor"), tensor.dataType == type { return tensor }
        switch type {
        case .string: return Tensor(shape: [1], strings: [node.string("default_string", default: "_Unused")])
        case .float: return Tensor(node.float("default_float", default: -0.0))
        case .double: return Tensor(-0.0 as Double)
        case .int64: return Tensor(Int64(node.int("default_int64", default: -1)))
        case .int32: return Tensor(-1 as Int32)
        case .int16: return Tensor(-1 as Int16)
        default: throw type.unsupported
        }
    }

    static func infer(_ context: inout InferenceContext) throws {
        context.set(0, try sides(context.node, input: context.dataType(0)).values.dataType, context.shape(0))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let x = try context.tensor(0)
        let (keys, values) = try sides(context.node, input: x.dataType)
        let table = try LabelTable(
            keys: keys, values: values, fallback: fallback(context.node, values.dataType))
        return [.tensor(try table.lookUp(x))]
    }

    static let examples = [
        Example(
            "names to numbers",
            attributes: [
                "keys_strings": .strings(["Amy", "Sally"]), "values_int64s": .ints([5, 6]), "default_int64": .int(-1),
            ], inputs: [Tensor(shape: [3], strings: ["Dori", "Amy", "Sally"])],
            outputs: [Tensor(shape: [3], scalars: [-1, 5, 6] as [Int64])])
    ]
}
