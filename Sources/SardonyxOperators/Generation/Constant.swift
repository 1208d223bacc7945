import SardonyxGraph

/// y = the tensor that an attribute holds.
///
/// Exactly one attribute is given: a tensor, a number or string for a scalar, a list for a vector, or a sparse tensor,
/// which is made dense.
///
/// <https://onnx.ai/onnx/operators/onnx__Constant.html>
enum Constant: Operator {
    static let schema = Schema(
        "Constant", versions: [1, 9, 11, 12, 13, 19, 21, 23, 24, 25],
        inputs: [],
        outputs: [Parameter("output", "T", .all)],
        attributes: [
            AttributeSpec("value_strings", .strings), AttributeSpec("value_string", .string),
            AttributeSpec("value_floats", .floats), AttributeSpec("value_float", .float),
            AttributeSpec("value_ints", .ints), AttributeSpec("value_int", .int),
            AttributeSpec("sparse_value", .sparseTensor), AttributeSpec("value", .tensor),
        ])

    // A constant of strings has no planned form; all of them are folded before a run.
    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        let tensor = try value(context.node)
        context.set(0, tensor.dataType, SymbolicShape(tensor.shape))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] { [.tensor(try value(context.node))] }

    private static func value(_ node: Node) throws -> Tensor {
        guard node.attributes.count == 1, let (name, attribute) = node.attributes.first else {
            let names = node.attributes.keys.sorted().joined(separator: ", ")
            throw SardonyxError(
                .invalidModel, "there must be exactly one value; there \(names.isEmpty ? "is none" : "are \(names)")")
        }
        switch attribute {
        case .tensor(let tensor): return tensor
        case .float(let value): return Tensor(value)
        case .int(let value): return Tensor(value)
        case .string(let value): return Tensor(shape: [], strings: [value])
        // An empty list may be read as one of another kind; its name tells.
        case .floats(let values) where name == "value_floats" || !values.isEmpty:
            return Tensor(shape: [values.count], scalars: values)
        case .ints(let values) where name == "value_ints" || !values.isEmpty:
            return Tensor(shape: [values.count], scalars: values)
        case .floats: return Tensor(shape: [0], scalars: [] as [Int64])
        case .ints: return Tensor(shape: [0], scalars: [] as [Float])
        case .strings(let values): return Tensor(shape: [values.count], strings: values)
        default: throw SardonyxError(.invalidModel, "'\(name)' is \(attribute.kind), which is no value")
        }
    }

    static let examples = [
        Example(
            "a list of integers", attributes: ["value_ints": .ints([1, 2])], inputs: [],
            outputs: [Tensor(integers: [1, 2])]),
        Example(
            "a string", attributes: ["value_string": .string("a")], inputs: [],
            outputs: [Tensor(shape: [], strings: ["a"])]),
    ]
}
