import SardonyxGraph

/// y = x as elements of the type `to`.
///
/// Integers keep their low bits; floating point becomes an integer by truncation, and rounds to the nearest floating
/// point, ties to even. 8-bit formats clamp what is out of range with `saturate`, else it becomes infinity or NaN;
/// `round_mode` chooses float8e8m0's power of two. Numbers become strings in their shortest form.
/// <https://onnx.ai/onnx/operators/onnx__Cast.html>
enum Cast: Operator {
    private static let types: TypeSet = Casting.types + [.float6e2m3, .float6e3m2]

    static let schema = Schema(
        "Cast", versions: [1, 6, 9, 13, 19, 21, 23, 24, 25, 28], inputs: [Parameter("input", "T1", types)],
        outputs: [Parameter("output", "T2", types)],
        attributes: Casting.attributes + [AttributeSpec("to", .int, required: true)])

    /// Through opset 5 the type is given by name.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        guard opset < 6, let name = node.string("to") else { return }
        guard let type = DataType.allCases.first(where: { $0.name == name.lowercased() }) else {
            throw SardonyxError(.invalidModel, "attribute 'to' is '\(name)', which is no element type of ONNX")
        }
        node.attributes["to"] = .int(Int64(type.rawValue))
    }

    private static func target(_ node: Node) throws -> DataType {
        guard let type = try node.dataType("to"), types.contains(type) else {
            throw SardonyxError(.invalidModel, "attribute 'to' must name an element type that is not complex")
        }
        return type
    }

    static func infer(_ context: inout InferenceContext) throws {
        try Casting.infer(&context, to: target(context.node))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        try Casting.prepare(context, to: target(context.node))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        try Casting.castStrings(context, to: target(context.node)) ?? evaluatePlanned(context)
    }

    private static func to(_ type: DataType) -> [String: Attribute] { ["to": .int(Int64(type.rawValue))] }

    static let derivative: Derivative? = .unary { x, _, dy in try dy.converted(to: x) }

    static let examples = [
        Example(
            "truncation", attributes: to(.int32), inputs: [Tensor(shape: [3], scalars: [-1.9, 0.5, 2.5] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-1, 0, 2] as [Int32])]),
        Example(
            "an integer out of range keeps its low bits", attributes: to(.int8),
            inputs: [Tensor(shape: [2], scalars: [200, -3] as [Int16])],
            outputs: [Tensor(shape: [2], scalars: [-56, -3] as [Int8])]),
        Example(
            "truth", attributes: to(.bool), inputs: [Tensor(shape: [3], scalars: [0, 0.5, .nan] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [false, true, true])]),
        Example(
            "rounding to a half", attributes: to(.float16),
            inputs: [Tensor(shape: [2], scalars: [0.1, 1e6] as [Double])],
            outputs: [Tensor(shape: [2], scalars: [0.1, .infinity] as [Float16])]),
        Example(
            "numbers as strings", attributes: to(.string),
            inputs: [Tensor(shape: [5], scalars: [1.5, -0.25, 3, 1e-7, 1e6] as [Float])],
            outputs: [Tensor(shape: [5], strings: ["1.5", "-0.25", "3.0", "1e-07", "1e+06"])]),
        Example(
            "strings as numbers", attributes: to(.float),
            inputs: [Tensor(shape: [3], strings: ["100.5", "1E8", "-INF"])],
            outputs: [Tensor(shape: [3], scalars: [100.5, 1e8, -.infinity] as [Float])]),
    ]
}
