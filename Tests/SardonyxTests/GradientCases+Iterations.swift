import SardonyxTestSupport

/// Recurrent layers, scans and loops.
extension GradientCases {
    /// A layer of 2 hidden units over sequences of 3 steps.
    private static func layer(
        _ type: String, _ attributes: [(String, TestAttribute)] = [], bias: Bool = true, lengths: [UInt8] = [],
        states: Bool = false, peepholes: Bool = false, output: Int = 0, isTwice: Bool = false, _ title: String
    ) -> Case {
        let gates = ["RNN": 1, "GRU": 3, "LSTM": 4][type] ?? 1
        func has(_ name: String, _ value: TestAttribute) -> Bool {
            attributes.contains { $0.0 == name && "\($0.1)" == "\(value)" }
        }
        let directions = has("direction", .text("bidirectional")) ? 2 : 1
        let isBatchFirst = has("layout", .int(1))
        let state = isBatchFirst ? [2, directions, 2] : [directions, 2, 2]
        let inputs: [(String, [Int]?)] = [
            ("x", isBatchFirst ? [2, 3, 2] : [3, 2, 2]), ("w", [directions, gates * 2, 2]),
            ("r", [directions, gates * 2, 2]), ("b", bias ? [directions, gates * 4] : nil), ("lengths", nil),
            ("h", states ? state : nil), ("c", states && type == "LSTM" ? state : nil),
            ("p", peepholes ? [directions, 6] : nil),
        ]
        var names = inputs.map { $1 == nil ? "" : $0 }
        if !lengths.isEmpty { names[4] = "lengths" }
        while names.last == "" { names.removeLast() }
        return Case(
            title: "\(type), \(title)",
            nodes: [
                TestNode(
                    type, names, [String](repeating: "", count: output) + ["y"], [("hidden_size", .int(2))] + attributes
                )
            ], inputs: inputs.compactMap { name, shape in shape.map { .init(name: name, shape: $0, range: -1...1) } },
            initializers: [
                TestTensor(
                    "lengths", dims: [Int64(lengths.count)], type: 6, raw: lengths.flatMap { [$0, 0, 0, 0] })
            ], isTwice: isTwice)
    }

    private static let bothWays = ("direction", TestAttribute.text("bidirectional"))
    private static let backwards = ("direction", TestAttribute.text("reverse"))

    static let recurrent: [Case] =
        ["RNN", "GRU", "LSTM"].flatMap { type in
            [
                layer(type, [], isTwice: true, "forwards"),
                layer(type, [backwards], bias: false, output: 1, "backwards"),
                layer(type, [bothWays], lengths: [3, 1], states: true, "both ways, lengths, states"),
                layer(type, [bothWays, ("layout", .int(1))], lengths: [0, 2], states: true, output: 1, "batch first"),
                layer(type, [("clip", .float(0.4))], "clipped"),
            ]
        } + [
            layer("GRU", [("linear_before_reset", .int(1))], isTwice: true, "reset after the product"),
            layer("GRU", [("linear_before_reset", .int(1))], bias: false, "reset after the product, no bias"),
            layer("LSTM", [], states: true, peepholes: true, output: 2, "peepholes, the cell"),
            layer("LSTM", [("input_forget", .int(1)), bothWays], peepholes: true, "coupled gates, peepholes"),
            layer("LSTM", [("layout", .int(1))], states: true, output: 2, "batch first, the cell"),
            layer("LSTM", [("activations", .texts(["HardSigmoid", "Softsign", "Elu"]))], "other functions"),
        ]
        + [
            ("Affine", 0.5, -0.25), ("Relu", 0, 0), ("LeakyRelu", 0.3, 0), ("ThresholdedRelu", 0.1, 0),
            ("ScaledTanh", 1.5, 0.5), ("Sigmoid", 0, 0), ("HardSigmoid", 0.3, 0.4), ("Elu", 0.7, 0), ("Softsign", 0, 0),
            ("Softplus", 0, 0),
        ].map { name, alpha, beta in
            layer(
                "RNN",
                [
                    ("activations", .texts([name])), ("activation_alpha", .floats([Float(alpha)])),
                    ("activation_beta", .floats([Float(beta)])),
                ], name)
        }

    static func body(_ nodes: [TestNode], _ inputs: [String], _ outputs: [String]) -> (String, TestAttribute) {
        (
            "body",
            .graph(
                TestGraph(
                    nodes: nodes, inputs: inputs.map { TestValue($0, nil) }, outputs: outputs.map { TestValue($0, nil) }
                ))
        )
    }

    /// s = tanh(s · w + x[t]), y[t] = s · x[t] + a[t], where the body reads w of the graph around it.
    private static func scan(
        _ attributes: [(String, TestAttribute)] = [], x: [Int] = [3, 2], a: [Int] = [3, 2], output: Int = 1,
        scans: Int64 = 2, _ title: String
    ) -> Case {
        let step = body(
            [
                TestNode("Mul", ["s", "w"], ["sw"]), TestNode("Add", ["sw", "xt"], ["sum"]),
                TestNode("Tanh", ["sum"], ["n"]),
                TestNode("Mul", ["n", "xt"], ["nx"]), TestNode("Add", ["nx", "at"], ["o"]),
            ], ["s", "xt", "at"], ["n", "o"])
        return Case(
            title: "Scan, \(title)",
            nodes: [
                TestNode(
                    "Scan", ["start", "x", "a"], (0...1).map { $0 == output ? "y" : "o\($0)" },
                    [step, ("num_scan_inputs", .int(scans))] + attributes)
            ],
            inputs: [
                .init(name: "start", shape: [2], range: -1...1), .init(name: "x", shape: x, range: -1...1),
                .init(name: "a", shape: a, range: -1...1), .init(name: "w", shape: [2], range: -1...1),
            ])
    }

    private static func truth(_ name: String) -> TestTensor { TestTensor(name, dims: [], type: 9, raw: [1]) }

    /// v = sin(v) · w + i, while i < last and at most `trips` times; y[i] = v · w.
    private static func loop(trips: UInt8, last: UInt8, output: Int = 0, _ title: String) -> Case {
        let step = body(
            [
                TestNode("Sin", ["v"], ["s"]), TestNode("Mul", ["s", "w"], ["sw"]),
                TestNode("Cast", ["i"], ["number"], [("to", .int(11))]), TestNode("Add", ["sw", "number"], ["n"]),
                TestNode("Mul", ["n", "w"], ["o"]), TestNode("Less", ["i", "last"], ["on"]),
            ], ["i", "go", "v"], ["on", "n", "o"])
        return Case(
            title: "Loop, \(title)",
            nodes: [
                TestNode("Loop", ["trips", "true", "x"], (0...1).map { $0 == output ? "l" : "o\($0)" }, [step]),
                TestNode("Mul", ["l", "x"], ["y"]),
            ],
            inputs: [.init(name: "x", shape: [2], range: -1...1), .init(name: "w", shape: [2], range: -1...1)],
            initializers: [scalar("trips", trips), scalar("last", last), truth("true")])
    }

    static let iterations: [Case] = [
        scan([], "results"), scan([], output: 0, "the last state"),
        scan(
            [("scan_input_axes", .ints([1, -1])), ("scan_output_axes", .ints([-1]))], x: [2, 3], a: [2, 3], "other axes"
        ),
        scan(
            [("scan_input_directions", .ints([1, 0])), ("scan_output_directions", .ints([1]))], "one way and the other"),
        Case(
            title: "Scan, of no state",
            nodes: [
                TestNode(
                    "Scan", ["x"], ["y"],
                    [body([TestNode("Mul", ["xt", "w"], ["p"])], ["xt"], ["p"]), ("num_scan_inputs", .int(1))])
            ], inputs: [.init(name: "x", shape: [3, 2], range: -1...1), .init(name: "w", shape: [2], range: -1...1)]),
        loop(trips: 3, last: 100, "three times"), loop(trips: 9, last: 1, "until a condition"),
        loop(trips: 3, last: 100, output: 1, "results"), loop(trips: 0, last: 100, "never"),
        Case(
            title: "Loop, what is carried grows in its value only and an If reads it",
            nodes: [
                TestNode(
                    "Loop", ["trips", "", "x", "a"], ["", "y"],
                    [
                        body(
                            [
                                TestNode("Cast", ["i"], ["odd"], [("to", .int(9))]),
                                TestNode(
                                    "If", ["odd"], ["n"],
                                    [
                                        ("then_branch", branchOf(TestNode("Mul", ["u", "v"], ["p"]), "p")),
                                        ("else_branch", branchOf(TestNode("Exp", ["v"], ["e"]), "e")),
                                    ]), TestNode("Sub", ["v", "u"], ["m"]),
                            ], ["i", "go", "u", "v"], ["go", "m", "n"])
                    ])
            ], inputs: [.init(name: "x", shape: [2], range: -1...1), .init(name: "a", shape: [2], range: -1...1)],
            initializers: [scalar("trips", 3)]),
        Case(
            title: "Loop, in a Scan",
            nodes: [
                TestNode(
                    "Scan", ["a", "x"], ["o", "y"],
                    [
                        body(
                            [
                                TestNode(
                                    "Loop", ["trips", "", "s"], ["n"],
                                    [
                                        body(
                                            [
                                                TestNode("Mul", ["v", "xt"], ["p"]),
                                                TestNode("Add", ["p", "w"], ["q"]),
                                                TestNode("Tanh", ["q"], ["r"]),
                                            ], ["i", "go", "v"], ["go", "r"])
                                    ]), TestNode("Mul", ["n", "xt"], ["t"]),
                            ], ["s", "xt"], ["n", "t"]), ("num_scan_inputs", .int(1)),
                    ])
            ],
            inputs: [
                .init(name: "x", shape: [2, 2], range: -1...1), .init(name: "a", shape: [2], range: -1...1),
                .init(name: "w", shape: [2], range: -1...1),
            ], initializers: [scalar("trips", 2)]),
    ]

    static func branchOf(_ node: TestNode, _ output: String) -> TestAttribute {
        .graph(TestGraph(nodes: [node], outputs: [TestValue(output, nil)]))
    }
}
