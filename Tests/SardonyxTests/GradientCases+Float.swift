import SardonyxTestSupport

/// Operators that do not take double, in float: differences are too coarse there, but for linear functions.
extension GradientCases {
    private static func cast(_ from: String, _ to: String, _ type: Int64) -> TestNode {
        TestNode("Cast", [from], [to], [("to", .int(type))])
    }

    /// y of the operator on inputs of these shapes, in this order; `constants` have places among them.
    private static func float(
        _ type: String, _ names: [String], _ shapes: [String: [Int]], _ attributes: [(String, TestAttribute)] = [],
        _ ranges: [String: ClosedRange<Double>] = [:], constants: [TestTensor] = [], output: Int = 0, _ title: String
    ) -> Case {
        let inputs = names.filter { shapes[$0] != nil }
        return Case(
            title: "\(type), \(title)",
            nodes: inputs.map { cast($0, "\($0)_f", 1) } + [
                TestNode(
                    type, names.map { shapes[$0] == nil ? $0 : "\($0)_f" },
                    (0...output).map { $0 == output ? "f" : "o\($0)" }, attributes), cast("f", "y", 11),
            ], inputs: inputs.map { .init(name: $0, shape: shapes[$0] ?? [], range: ranges[$0] ?? -1...1) },
            initializers: constants)
    }

    private static let levels = TestTensor("levels", dims: [2, 4], type: 3, raw: [1, 254, 3, 4, 251, 6, 7, 248])

    static let inFloat: [Case] = [
        float(
            "LinearAttention", ["q", "k", "v", "past", "decay", "beta"],
            [
                "q": [2, 3, 8], "k": [2, 3, 4], "v": [2, 3, 6], "past": [2, 2, 2, 3], "decay": [2, 3, 4],
                "beta": [2, 3, 2],
            ], [("q_num_heads", .int(4)), ("kv_num_heads", .int(2))], ["decay": -1...0, "beta": 0...1],
            "gates and a state"),
        float(
            "LinearAttention", ["q", "k", "v", "", "decay"],
            ["q": [1, 3, 2], "k": [1, 3, 2], "v": [1, 3, 2], "decay": [1, 3, 1]],
            [
                ("q_num_heads", .int(1)), ("kv_num_heads", .int(1)), ("update_rule", .text("gated")),
                ("scale", .float(0.5)),
            ], ["decay": -1...0], output: 1, "the last state"),
        float(
            "CausalConvWithState", ["x", "w", "b", "past"],
            ["x": [2, 3, 4], "w": [3, 1, 3], "b": [3], "past": [2, 3, 2]],
            [("activation", .text("silu"))], [:], "a state, silu"),
        float(
            "CausalConvWithState", ["x", "w"], ["x": [1, 2, 4], "w": [2, 1, 2]], [], [:], output: 1, "the next state"),
        float("DequantizeLinear", ["levels", "s"], ["s": []], constants: [levels], "one scale"),
        float(
            "DequantizeLinear", ["levels", "s", "zero"], ["s": [4]], [("axis", .int(1))],
            constants: [levels, TestTensor("zero", dims: [4], type: 3, raw: [1, 2, 255, 0])], "a scale for each column"),
        float(
            "DequantizeLinear", ["levels", "s"], ["s": [2, 2]], [("axis", .int(1)), ("block_size", .int(3))],
            constants: [levels], "blocks"),
        float("DynamicQuantizeLinear", ["x"], ["x": [5]], [], [:], output: 1, "the scale"),
        float(
            "RotaryEmbedding", ["x", "cos", "sin", "positions"], ["x": [1, 2, 2, 6], "cos": [3, 2], "sin": [3, 2]],
            [("rotary_embedding_dim", .int(4))],
            constants: [matrix("positions", [2, 2], rows: 1)], "caches and positions"),
        float(
            "RotaryEmbedding", ["x", "cos", "sin"], ["x": [2, 2, 8], "cos": [1, 2, 2], "sin": [1, 2, 2]],
            [("num_heads", .int(2)), ("interleaved", .int(1))], [:], "caches for all batches, neighbours"),
        Case(
            title: "Attention, values of another type",
            nodes: [cast("v", "v_f", 1), TestNode("Attention", ["q", "k", "v_f"], ["y"])],
            inputs: ["q", "k", "v"].map { .init(name: $0, shape: [1, 1, 2, 2], range: -1...1) }),
    ]
}
