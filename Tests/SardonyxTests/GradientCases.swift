import SardonyxTestSupport

/// A row for every derivative rule.
enum GradientCases {
    typealias Case = GradientTests.Case

    static let all: [Case] =
        elementwise + products + reductions + shaping + convolutions + pooling + normalization + resampling
        + losses + attentions + branches + [network] + regions + signals + scattering + recurrent + iterations + carried
        + inTheRun

    /// y = type(x …), x and further inputs of these shapes.
    static func row(
        _ type: String, _ shapes: [[Int]] = [[2, 3]], _ range: ClosedRange<Double> = -2...2,
        _ attributes: [(String, TestAttribute)] = [], constants: [TestTensor] = [], isTwice: Bool = true,
        title: String = ""
    ) -> Case {
        let names = shapes.indices.map { ["x", "a", "b", "c", "d"][$0] }
        return Case(
            title: title.isEmpty ? type : "\(type), \(title)",
            nodes: [TestNode(type, names + constants.map(\.name), ["y"], name: "node", attributes)],
            inputs: zip(names, shapes).map { Case.Input(name: $0, shape: $1, range: range) }, initializers: constants,
            isTwice: isTwice)
    }

    static func scalar(_ name: String, _ value: UInt8) -> TestTensor {
        TestTensor(name, dims: [], type: 7, raw: [value] + [UInt8](repeating: 0, count: 7))
    }
    static func axes(_ axes: Int64...) -> TestTensor { TestTensor("axes", integers: axes) }
    static func double(_ name: String, _ value: Double) -> TestTensor { TestTensor(name, dims: [], doubles: [value]) }

    static let elementwise: [Case] =
        [
            "Abs", "Asinh", "Atan", "Cos", "Cosh", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSwish", "Identity",
            "LeakyRelu", "Mish", "Neg", "Relu", "Selu", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign",
            "Tan", "Tanh", "Celu", "Ceil", "Round",
        ].map { row($0, [[2, 3]], $0 == "Tan" ? -1...1 : -4...4) }
        + ["Acos", "Asin", "Atanh"].map { row($0, [[5]], -0.8...0.8) }
        + ["Log", "Sqrt", "Reciprocal"].map { row($0, [[5]], 0.5...3) }
        + [
            row("Acosh", [[5]], 1.5...4), row("Celu", [[6]], -2...2, [("alpha", .float(0.5))], title: "alpha"),
            row("Elu", [[6]], -2...2, [("alpha", .float(1.5))], title: "alpha"),
            row("Selu", [[6]], -2...2, [("alpha", .float(1.5)), ("gamma", .float(0.75))], title: "attributes"),
            row("LeakyRelu", [[6]], -2...2, [("alpha", .float(-0.25))], title: "a slope that turns"),
            row("ThresholdedRelu", [[6]], -2...2, [("alpha", .float(0.3))]),
            row("HardSigmoid", [[8]], -3...3, [("alpha", .float(0.4)), ("beta", .float(0.6))]),
            row("Gelu", [[6]], -3...3, [("approximate", .text("tanh"))], title: "by tanh"),
            row("Swish", [[6]], -3...3, [("alpha", .float(1.5))]),
            row("SwiGLU", [[2, 3], [2, 3]], -3...3, [("alpha", .float(1.25))]),
            row("Shrink", [[8]], -2...2, [("bias", .float(0.25)), ("lambd", .float(0.75))]),
            row("Dropout", [[4]]), row("Cast", [[4]], -2...2, [("to", .int(11))]),
            row("CastLike", [[4]], -2...2, constants: [double("like", 0)]),
            row("PRelu", [[2, 3, 2], [3, 1]]), row("Clip", [[8]], -2...2, title: "without bounds"),
            row("Clip", [[8]], -2...2, constants: [double("low", -0.5), double("high", 1)]),
            Case(
                title: "Clip, by its bounds", nodes: [TestNode("Clip", ["x", "low", "high"], ["y"])],
                inputs: [
                    .init(name: "x", shape: [9], range: -2...2), .init(name: "low", shape: [], range: -0.6...(-0.5)),
                    .init(name: "high", shape: [], range: 0.5...0.6),
                ]),
            Case(
                title: "Clip, the upper bound below the lower one",
                nodes: [TestNode("Clip", ["x", "low", "high"], ["y"])],
                inputs: [
                    .init(name: "x", shape: [9], range: -2...2), .init(name: "low", shape: [], range: 1...1.1),
                    .init(name: "high", shape: [], range: 0.5...0.6),
                ]),
        ]
        + ["Add", "Sub", "Mul"].flatMap { type in
            [
                row(type, [[2, 3], [2, 3]]), row(type, [[2, 1, 3], [4, 1]], title: "broadcast"),
                row(type, [[2], []], title: "a scalar"), row(type, [[], [2, 2]], title: "to a scalar"),
            ]
        }
        + [
            row("Div", [[2, 3], [3]], 0.5...2), row("Div", [[3], [2, 1]], -2...(-0.5), title: "negative"),
            row("Pow", [[2, 3], [3]], 0.5...2), row("Pow", [[4]], 0.5...2, constants: [double("e", 2.5)]),
            row("Pow", [[6]], -2...2, constants: [TestTensor("e", integers: [3])], title: "a whole power"),
            row("Pow", [[6]], -2...2, constants: [double("e", 0)], title: "nought"),
            row("Max", [[2, 3], [3], [2, 1]]), row("Min", [[2, 3], [3], []]), row("Max", [[3]], title: "of one"),
            row("Sum", [[2, 3], [3], [2, 1]]), row("Mean", [[2, 3], [3], [2, 1]]),
            row("Mod", [[4], [4]], 1...1.9, [("fmod", .int(1))]),
            Case(
                title: "Where",
                nodes: [TestNode("Greater", ["x", "half"], ["c"]), TestNode("Where", ["c", "x", "a"], ["y"])],
                inputs: [
                    .init(name: "x", shape: [3, 4], range: 0...1), .init(name: "a", shape: [3, 1], range: 0...1),
                ], initializers: [double("half", 0.5)]),
            Case(
                title: "a value that is read many times",
                nodes: [
                    TestNode("Mul", ["x", "x"], ["s"]), TestNode("Mul", ["s", "x"], ["t"]),
                    TestNode("Sub", ["t", "s"], ["y"]),
                ], inputs: [.init(name: "x", shape: [3], range: -2...2)]),
        ]

    static let products: [Case] =
        [
            row("MatMul", [[2, 3], [3, 4]]), row("MatMul", [[3], [3]], title: "vectors"),
            row("MatMul", [[2, 3], [3]], title: "a vector"),
            row("MatMul", [[3], [2, 3, 2]], title: "a row and a batch"),
            row("MatMul", [[2, 1, 2, 3], [4, 3, 2]], title: "batches that broadcast"),
            row("Gemm", [[2, 3], [3, 4]]), row("Gemm", [[2, 3], [3, 4], [4]], title: "a row added"),
        ]
        + [(0, 1), (1, 0), (1, 1)].map { transA, transB in
            row(
                "Gemm", [transA == 1 ? [3, 2] : [2, 3], transB == 1 ? [4, 3] : [3, 4], [2, 1]], -2...2,
                [
                    ("transA", .int(Int64(transA))), ("transB", .int(Int64(transB))), ("alpha", .float(0.5)),
                    ("beta", .float(-1.5)),
                ], title: "transposed \(transA) \(transB)")
        }
        + [
            ("ij,jk->ik", [[2, 3], [3, 4]]), ("bij,bkj->b", [[2, 3, 2], [2, 4, 2]]), ("ij->j", [[2, 3]]),
            ("...i,j...->...j", [[2, 3, 2], [4, 2, 1]]), ("ab,cd", [[2, 2], [1, 3]]), ("i,i,i->", [[3], [1], [3]]),
            ("ii->i", [[3, 3]]), ("ii->", [[3, 3]]), ("iji,ij->j", [[2, 3, 2], [2, 3]]),
            ("aaa,a->a", [[2, 2, 2], [2]]),
        ].map { row("Einsum", $1, -2...2, [("equation", .text($0))], title: $0) }

    static let reductions: [Case] =
        [
            "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare",
            "ReduceLogSum", "ReduceLogSumExp",
        ].flatMap { type in
            let range = type == "ReduceLogSum" ? 0.5...2.0 : 0.3...2.0
            return [
                row(type, [[2, 3, 2]], range, title: "all axes"),
                row(type, [[2, 3, 2]], range, [("keepdims", .int(0))], constants: [axes(-2)], title: "one axis"),
                row(type, [[2, 3, 2]], range, constants: [axes(0, 2)], title: "two axes, kept"),
                row(type, [[2, 2]], range, [("keepdims", .int(0))], title: "all axes, left out"),
                row(type, [[2, 2]], range, [("noop_with_empty_axes", .int(1))], title: "no axes"),
            ]
        } + [
            row("ReduceProd", [[2, 3, 2]], -2...2, constants: [axes(-1, 0)]),
            row("ReduceProd", [[2, 3]], -2...2, [("keepdims", .int(0))], title: "all axes"),
            row("ReduceProd", [[2, 3]], -2...2, [("noop_with_empty_axes", .int(1))], title: "no axes"),
            Case(
                title: "ReduceProd, with a zero",
                nodes: [
                    TestNode("Concat", ["x", "zero"], ["all"], [("axis", .int(0))]),
                    TestNode("ReduceProd", ["all"], ["p"]),
                    TestNode("Add", ["p", "x"], ["y"]),
                ], inputs: [.init(name: "x", shape: [1], range: 1...2)],
                initializers: [TestTensor("zero", dims: [1], doubles: [0])]),
            row("CumProd", [[2, 3]], 0.5...2, constants: [scalar("axes", 1)]),
            row(
                "CumProd", [[3, 2]], 0.5...2, [("exclusive", .int(1)), ("reverse", .int(1))],
                constants: [scalar("axes", 0)],
                title: "backwards"),
            row("ReduceL2", [[3]], -2...2, title: "signs"), row("ReduceL1", [[3]], -2...2, title: "signs"),
            row(
                "CumSum", [[2, 3]],
                constants: [scalar("axes", 1)]),
            row(
                "CumSum", [[2, 3]], -2...2, [("exclusive", .int(1)), ("reverse", .int(1))],
                constants: [scalar("axes", 0)],
                title: "backwards"),
            row("Softmax", [[2, 3]]), row("Softmax", [[2, 3, 2]], -2...2, [("axis", .int(1))], title: "in the middle"),
            row("LogSoftmax", [[2, 3]]), row("Hardmax", [[2, 3]]), row("LpNormalization", [[2, 3]]),
            row("LpNormalization", [[2, 3]], -2...2, [("p", .int(1)), ("axis", .int(0))], title: "p = 1"),
            row("MeanVarianceNormalization", [[2, 2, 2, 2]]),
        ]

    static let shaping: [Case] = [
        row("Reshape", [[2, 3]], constants: [TestTensor("shape", integers: [3, -1])]), row("Flatten", [[2, 3, 2]]),
        row("Squeeze", [[1, 3, 1]], constants: [axes(0)]), row("Squeeze", [[1, 3]], title: "all"),
        row("Unsqueeze", [[3]], constants: [axes(0, 2)]), row("Transpose", [[2, 3]]),
        row("Transpose", [[2, 3, 4]], -2...2, [("perm", .ints([1, 2, 0]))], title: "perm"),
        row("Expand", [[3, 1]], constants: [TestTensor("shape", integers: [2, 1, 4])]),
        row("Concat", [[2, 1], [2, 3], [2, 2]], -2...2, [("axis", .int(-1))]),
        row("Concat", [[2]], -2...2, [("axis", .int(0))], title: "of one"),
        split([("num_outputs", .int(3)), ("axis", .int(1))], ["p", "q", "y"], [], "parts, the last one"),
        split([("axis", .int(1))], ["p", "y", "o"], [TestTensor("sizes", integers: [1, 3, 1])], "sizes"),
        split(
            [("axis", .int(1))], ["p", "y", ""], [TestTensor("sizes", integers: [1, 3, 1])], "a part without a name"),
        row(
            "Slice", [[3, 5]],
            constants: ints(("starts", [1, -1]), ("ends", [3, 0]), ("axes", [0, 1]), ("steps", [1, -2]))),
        row("Slice", [[3, 5]], constants: ints(("starts", [1]), ("ends", [1000])), title: "one axis"),
        row("Pad", [[2, 3]], constants: ints(("pads", [1, 0, 2, -1]))),
        Case(
            title: "Pad, by its value", nodes: [TestNode("Pad", ["x", "pads", "v", "axes"], ["y"])],
            inputs: [.init(name: "x", shape: [2, 3], range: -1...1), .init(name: "v", shape: [], range: -1...1)],
            initializers: ints(("pads", [1, 2]), ("axes", [-1]))),
        row(
            "Pad", [[2, 4]], -2...2, [("mode", .text("reflect"))], constants: ints(("pads", [1, 2, 0, 1])),
            title: "reflect"),
        row(
            "Pad", [[2, 3]], -2...2, [("mode", .text("edge"))], constants: ints(("pads", [0, 2, 1, 1])), title: "edge"),
        row(
            "Pad", [[2, 3]], -2...2, [("mode", .text("wrap"))], constants: ints(("pads", [1, 2, 1, 1])), title: "wrap"),
        row("Tile", [[2, 3]], constants: ints(("times", [2, 3]))),
        row("Trilu", [[3, 3]]), row("Trilu", [[3, 4]], -2...2, [("upper", .int(0))], title: "lower"),
        row("DepthToSpace", [[1, 8, 2, 1]], -2...2, [("blocksize", .int(2)), ("mode", .text("CRD"))]),
        row("SpaceToDepth", [[1, 2, 4, 2]], -2...2, [("blocksize", .int(2))]),
        row("CenterCropPad", [[3, 4]], constants: ints(("shape", [5, 2]))),
        row("ReverseSequence", [[3, 2]], constants: ints(("lengths", [2, 3]))),
        row("Gather", [[3, 4]], -2...2, [("axis", .int(1))], constants: ints(("indices", [2, 0, -2, 2]))),
        row(
            "GatherElements", [[2, 3]], -2...2, [("axis", .int(1))],
            constants: [matrix("indices", [2, 0, 1, 1, 1, -1], rows: 2)]),
        row("GatherND", [[3, 2]], constants: [matrix("indices", [2, 0, 1, 1, 2, 0], rows: 3)]),
        scatter("ScatterElements", [[3, 2], [2, 2]], matrix("indices", [0, 1, 2, 0], rows: 2), []),
        scatter(
            "ScatterElements", [[3, 2], [2, 2]], matrix("indices", [0, 1, 0, 1], rows: 2), [("reduction", .text("add"))]
        ),
        scatter("ScatterND", [[3, 2], [2, 2]], matrix("indices", [2, 0], rows: 2), []),
        scatter("ScatterND", [[3, 2], [2, 2]], matrix("indices", [2, 2], rows: 2), [("reduction", .text("add"))]),
        Case(
            title: "Compress",
            nodes: [
                TestNode("Cast", ["flags"], ["c"], [("to", .int(9))]),
                TestNode("Compress", ["x", "c"], ["y"], [("axis", .int(1))]),
            ], inputs: [.init(name: "x", shape: [2, 4], range: -1...1)], initializers: ints(("flags", [1, 0, 1, 1]))),
    ]

    static func ints(_ lists: (String, [Int64])...) -> [TestTensor] { lists.map { TestTensor($0.0, integers: $0.1) } }

    static func matrix(_ name: String, _ values: [Int64], rows: Int64) -> TestTensor {
        var tensor = TestTensor(name, integers: values)
        tensor.dims = [rows, Int64(values.count) / rows]
        return tensor
    }

    private static func split(
        _ attributes: [(String, TestAttribute)], _ outputs: [String], _ sizes: [TestTensor], _ title: String
    ) -> Case {
        Case(
            title: "Split, \(title)", nodes: [TestNode("Split", ["x"] + sizes.map(\.name), outputs, attributes)],
            inputs: [.init(name: "x", shape: [2, 5], range: -1...1)], initializers: sizes)
    }

    private static func scatter(
        _ type: String, _ shapes: [[Int]], _ indices: TestTensor, _ attributes: [(String, TestAttribute)]
    ) -> Case {
        Case(
            title: "\(type)\(attributes.isEmpty ? "" : ", added")",
            nodes: [TestNode(type, ["x", "indices", "a"], ["y"], attributes)],
            inputs: [
                .init(name: "x", shape: shapes[0], range: -1...1), .init(name: "a", shape: shapes[1], range: -1...1),
            ], initializers: [indices])
    }

    /// y = if Σ x > limit { x · a } else { sin(x · x) + 1, by a branch in the branch }.
    private static func branch(_ limit: Double) -> Case {
        func graph(_ nodes: [TestNode], _ output: String) -> TestAttribute {
            .graph(TestGraph(nodes: nodes, outputs: [TestValue(output, nil)]))
        }
        let inner = TestNode(
            "If", ["c"], ["i"],
            [
                ("then_branch", graph([TestNode("Identity", ["x"], ["never"])], "never")),
                ("else_branch", graph([TestNode("Mul", ["x", "x"], ["s"]), TestNode("Sin", ["s"], ["t"])], "t")),
            ])
        return Case(
            title: "If, \(limit)",
            nodes: [
                TestNode("ReduceSum", ["x"], ["sum"], [("keepdims", .int(0))]),
                TestNode("Greater", ["sum", "limit"], ["c"]),
                TestNode(
                    "If", ["c"], ["k"],
                    [
                        ("then_branch", graph([TestNode("Mul", ["x", "a"], ["p"])], "p")),
                        ("else_branch", graph([inner, TestNode("Add", ["i", "one"], ["q"])], "q")),
                    ]),
                TestNode("Mul", ["k", "x"], ["y"]),
            ],
            inputs: [.init(name: "x", shape: [2, 3], range: -1...1), .init(name: "a", shape: [3], range: -1...1)],
            initializers: [double("limit", limit), double("one", 1)])
    }

    static let branches = [branch(-100), branch(100)]
}
