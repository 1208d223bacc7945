import SardonyxTestSupport

/// Ways through sequences and optionals, and loops that carry them or tensors that grow.
extension GradientCases {
    private static func input(_ name: String, _ shape: Int..., from range: ClosedRange<Double> = -1...1) -> Case.Input {
        .init(name: name, shape: shape, range: range)
    }

    private static let join = TestNode("ConcatFromSequence", ["z"], ["y"], [("axis", .int(-1))])
    private static let stack = TestNode("ConcatFromSequence", ["z"], ["y"], [("axis", .int(1)), ("new_axis", .int(1))])

    private static func insertion(_ position: Int64?) -> Case {
        Case(
            title: "SequenceInsert, \(position.map { "\($0)" } ?? "the end")",
            nodes: [
                TestNode("SequenceConstruct", ["x", "a"], ["s"]), TestNode("Mul", ["x", "a"], ["t"]),
                TestNode("SequenceInsert", ["s", "t"] + (position == nil ? [] : ["place"]), ["z"]), stack,
            ], inputs: [input("x", 2, 3), input("a", 2, 3)], initializers: ints(("place", [position ?? 0])))
    }

    private static func erasure(_ position: Int64?) -> Case {
        Case(
            title: "SequenceErase, \(position.map { "\($0)" } ?? "the end")",
            nodes: [
                TestNode("Mul", ["x", "a"], ["t"]), TestNode("SequenceConstruct", ["x", "t", "a"], ["s"]),
                TestNode("SequenceErase", ["s"] + (position == nil ? [] : ["place"]), ["z"]), join,
            ], inputs: [input("x", 2, 3), input("a", 2, 3)], initializers: ints(("place", [position ?? 0])))
    }

    /// The sines of x's parts, of which one is taken and the others joined.
    private static func cut(
        _ title: String, _ x: [Int], _ attributes: [(String, TestAttribute)], _ split: [TestTensor], join: TestNode
    ) -> Case {
        Case(
            title: "SplitToSequence, \(title)",
            nodes: [
                TestNode("SplitToSequence", ["x"] + split.map(\.name), ["s"], attributes),
                TestNode(
                    "SequenceMap", ["s"], ["t"], [body([TestNode("Sin", ["e"], ["o"])], ["e"], ["o"])]),
                TestNode("SequenceErase", ["t", "one"], ["z"]), join,
            ], inputs: [.init(name: "x", shape: x, range: -1...1)], initializers: split + ints(("one", [1])))
    }

    private static let sequences: [Case] =
        [insertion(nil), insertion(0), insertion(-1), insertion(2), erasure(nil), erasure(0), erasure(-2)] + [
            Case(
                title: "SequenceAt",
                nodes: [
                    TestNode("SequenceConstruct", ["x", "a", "x"], ["s"]),
                    TestNode("SequenceAt", ["s", "first"], ["p"]), TestNode("SequenceAt", ["s", "last"], ["q"]),
                    TestNode("Mul", ["p", "q"], ["y"]),
                ], inputs: [input("x", 2), input("a", 2)], initializers: ints(("first", [-2]), ("last", [2]))),
            Case(
                title: "SequenceConstruct, an omitted input",
                nodes: [
                    TestNode("Mul", ["x", "x"], ["t"]), TestNode("SequenceConstruct", ["x", "", "t"], ["s"]),
                    TestNode("SequenceAt", ["s", "last"], ["y"]),
                ], inputs: [input("x", 2)], initializers: ints(("last", [1]))),
            Case(
                title: "ConcatFromSequence, unequal parts",
                nodes: [TestNode("SequenceConstruct", ["x", "a", "x"], ["z"]), join],
                inputs: [input("x", 2, 2), input("a", 2, 3)]),
            cut("a length", [2, 5], [("axis", .int(1))], [scalar("length", 2)], join: join),
            cut("lengths", [2, 5], [("axis", .int(-1))], ints(("lengths", [1, 2, 0, 2])), join: join),
            cut("elements", [3, 2], [("axis", .int(0))], [], join: join),
            cut("elements without their axis", [2, 3], [("axis", .int(-1)), ("keepdims", .int(0))], [], join: stack),
            Case(
                title: "SplitToSequence, no part",
                nodes: [
                    TestNode("SplitToSequence", ["x"], ["s"], [("keepdims", .int(0))]),
                    TestNode("SequenceInsert", ["s", "a"], ["z"]), join,
                ], inputs: [input("x", 0, 2), input("a", 2)]),
            Case(
                title: "SequenceMap",
                nodes: [
                    TestNode("SplitToSequence", ["x"], ["s"], [("keepdims", .int(0))]),
                    TestNode("SequenceConstruct", ["a", "b"], ["t"]),
                    TestNode(
                        "SequenceMap", ["s", "t", "c"], ["u", "v"],
                        [
                            body(
                                [
                                    TestNode("Mul", ["e", "f"], ["p"]), TestNode("Mul", ["p", "g"], ["o"]),
                                    TestNode("Mul", ["f", "d"], ["q"]), TestNode("Sin", ["q"], ["r"]),
                                ], ["e", "f", "g"], ["o", "r"])
                        ]),
                    TestNode("ConcatFromSequence", ["u"], ["h"], [("axis", .int(0))]),
                    TestNode("ConcatFromSequence", ["v"], ["k"], [("axis", .int(0))]),
                    TestNode("Mul", ["h", "k"], ["y"]),
                ], inputs: [input("x", 2, 2), input("a", 2), input("b", 2), input("c", 2), input("d", 1)]),
            Case(
                title: "SequenceMap, reads a sequence, the second result",
                nodes: [
                    TestNode("SequenceConstruct", ["x", "a"], ["s"]),
                    TestNode(
                        "SequenceMap", ["s"], ["", "z"],
                        [
                            body(
                                [
                                    TestNode("SequenceAt", ["s", "first"], ["p"]), TestNode("Mul", ["e", "p"], ["o"]),
                                    TestNode("Exp", ["p"], ["q"]),
                                ], ["e"], ["q", "o"])
                        ]), join,
                ], inputs: [input("x", 2), input("a", 2)], initializers: ints(("first", [0]))),
            Case(
                title: "Optional",
                nodes: [
                    TestNode("Mul", ["x", "a"], ["p"]), TestNode("Optional", ["p"], ["o"]),
                    TestNode("OptionalGetElement", ["o"], ["q"]), TestNode("OptionalGetElement", ["o"], ["r"]),
                    TestNode("OptionalGetElement", ["x"], ["s"]), TestNode("Mul", ["q", "r"], ["t"]),
                    TestNode("Mul", ["t", "s"], ["y"]),
                ], inputs: [input("x", 2), input("a", 2)]),
            Case(
                title: "Optional, of a sequence that a branch does not read",
                nodes: [
                    TestNode("SequenceConstruct", ["x", "a"], ["s"]), TestNode("Optional", ["s"], ["o"]),
                    TestNode(
                        "If", ["false"], ["z"],
                        [
                            ("then_branch", branchOf(TestNode("OptionalGetElement", ["o"], ["t"]), "t")),
                            ("else_branch", branchOf(TestNode("SequenceConstruct", ["a"], ["t"]), "t")),
                        ]), join,
                ], inputs: [input("x", 2), input("a", 2)],
                initializers: [TestTensor("false", dims: [], type: 9, raw: [0])]),
        ]

    private static func loop(
        _ title: String, _ before: [TestNode], _ carried: [String], _ nodes: [TestNode], _ inside: [String],
        _ outputs: [String], to names: [String], _ after: [TestNode], _ inputs: [Case.Input], trips: UInt8 = 3
    ) -> Case {
        Case(
            title: "Loop, \(title)",
            nodes: before + [
                TestNode(
                    "Loop", ["trips", ""] + carried, names,
                    [body(nodes, ["i", "go"] + inside, ["go"] + outputs)])
            ] + after, inputs: inputs,
            initializers: [scalar("trips", trips), scalar("last", 0)] + ints(("end", [-1]), ("begin", [0])))
    }

    /// s = s, sin(the last one of s) · a; y[i] the one before.
    private static func appending(_ trips: UInt8, output: Int) -> Case {
        loop(
            "a sequence grows, \(trips), \(output)", [TestNode("SequenceConstruct", ["x"], ["s"])], ["s"],
            [
                TestNode("SequenceAt", ["v", "end"], ["e"]), TestNode("Sin", ["e"], ["f"]),
                TestNode("Mul", ["f", "a"], ["g"]), TestNode("SequenceInsert", ["v", "g"], ["n"]),
                TestNode("SequenceAt", ["n", "begin"], ["h"]), TestNode("Mul", ["h", "g"], ["o"]),
            ], ["v"], ["n", "o"], to: output == 0 ? ["z"] : ["", "y"], output == 0 ? [join] : [],
            [input("x", 2), input("a", 2)], trips: trips)
    }

    /// v = v, v · a; y[i] = Σ v · w.
    private static func growing(_ trips: UInt8, output: Int) -> Case {
        loop(
            "a tensor grows, \(trips), \(output)", [], ["x"],
            [
                TestNode("Mul", ["v", "a"], ["p"]), TestNode("Concat", ["v", "p"], ["n"], [("axis", .int(0))]),
                TestNode("Mul", ["n", "n"], ["q"]), TestNode("ReduceSum", ["q"], ["o"]),
            ], ["v"], ["n", "o"], to: output == 0 ? ["y"] : ["", "y"], [], [input("x", 2), input("a")], trips: trips)
    }

    /// Each step reads a sequence around it; what it takes and gives lies along other axes, backwards or not.
    private static func scan(_ direction: Int64) -> Case {
        Case(
            title: "Scan, reads a sequence, \(direction)",
            nodes: [
                TestNode("SequenceConstruct", ["a", "b"], ["s"]),
                TestNode(
                    "Scan", ["c", "x"], ["last", "y"],
                    [
                        body(
                            [
                                TestNode("SequenceAt", ["s", "one"], ["e"]), TestNode("Mul", ["e", "xt"], ["p"]),
                                TestNode("Add", ["p", "v"], ["q"]), TestNode("Tanh", ["q"], ["n"]),
                                TestNode("Mul", ["n", "p"], ["o"]),
                            ], ["v", "xt"], ["n", "o"]), ("num_scan_inputs", .int(1)),
                        ("scan_input_axes", .ints([1])), ("scan_output_axes", .ints([-1])),
                        ("scan_input_directions", .ints([direction])), ("scan_output_directions", .ints([1])),
                    ]),
            ], inputs: [input("x", 2, 3), input("a", 2), input("b", 2), input("c", 2)],
            initializers: ints(("one", [1])))
    }

    /// s = tanh(s · w + x[t]), y[t] = s · x[t] for two elements of a batch, as before opset 9.
    private static func batched(_ title: String, _ lengths: [Int64], output: Int, direction: Int64 = 0) -> Case {
        var test = Case(
            title: "Scan of opset 8, \(title)",
            nodes: [
                TestNode(
                    "Scan", [lengths.isEmpty ? "" : "lengths", "a", "x"], output == 0 ? ["y", "o"] : ["last", "y"],
                    [
                        body(
                            [
                                TestNode("Mul", ["s", "w"], ["sw"]), TestNode("Add", ["sw", "xt"], ["sum"]),
                                TestNode("Tanh", ["sum"], ["n"]), TestNode("Mul", ["n", "xt"], ["o"]),
                            ], ["s", "xt"], ["n", "o"]), ("num_scan_inputs", .int(1)),
                        ("directions", .ints([direction])),
                    ])
            ], inputs: [input("x", 2, 3, 2), input("a", 2, 2), input("w", 2)],
            initializers: lengths.isEmpty ? [] : ints(("lengths", lengths)))
        test.opset = 8
        return test
    }

    static let carried: [Case] =
        sequences + [
            appending(3, output: 0), appending(3, output: 1), appending(0, output: 0), growing(2, output: 0),
            growing(2, output: 1), growing(0, output: 0), scan(0), scan(1),
            loop(
                "reads a sequence", [TestNode("SplitToSequence", ["x"], ["s"], [("keepdims", .int(0))])], ["a"],
                [
                    TestNode("SequenceAt", ["s", "i"], ["e"]), TestNode("Mul", ["v", "e"], ["p"]),
                    TestNode("Sin", ["p"], ["n"]), TestNode("Mul", ["n", "e"], ["o"]),
                ], ["v"], ["n", "o"], to: ["", "y"], [], [input("x", 3, 2), input("a", 2)]),
            loop(
                "an optional", [TestNode("Optional", ["x"], ["s"])], ["s"],
                [
                    TestNode("OptionalGetElement", ["v"], ["e"]), TestNode("Sin", ["e"], ["f"]),
                    TestNode("Mul", ["f", "a"], ["g"]), TestNode("Optional", ["g"], ["n"]),
                ], ["v"], ["n"], to: ["o"], [TestNode("OptionalGetElement", ["o"], ["y"])],
                [input("x", 2), input("a", 2)]),
            batched("no lengths", [], output: 1), batched("no lengths, the last state", [], output: 0),
            batched("lengths", [3, 1], output: 1), batched("lengths, backwards", [0, 2], output: 0, direction: 1),
        ]

    /// Axes, flags and masks that only the run tells: integers from an input of which the derivative is zero.
    private static func named(
        _ type: String, _ title: String, _ x: [Int], axes: [Int] = [1], _ range: ClosedRange<Double>,
        _ attributes: [(String, TestAttribute)] = [], between: [String] = [], constants: [TestTensor] = []
    ) -> Case {
        Case(
            title: "\(type), \(title)",
            nodes: [
                TestNode("Cast", ["a"], ["axes"], [("to", .int(7))]),
                TestNode(type, ["x"] + between + ["axes"], ["y"], attributes),
            ],
            inputs: [.init(name: "x", shape: x, range: -2...2), .init(name: "a", shape: axes, range: range)],
            initializers: constants)
    }

    private static func zeros(_ attributes: [(String, TestAttribute)], _ title: String) -> Case {
        Case(
            title: "CumProd, with zeros\(title)",
            nodes: [
                TestNode("Concat", ["x", "zero", "x", "zero", "a"], ["all"], [("axis", .int(0))]),
                TestNode("CumProd", ["all", "axis"], ["p"], attributes), TestNode("Mul", ["p", "all"], ["q"]),
                TestNode("Add", ["q", "all"], ["r"]), TestNode("CumProd", ["r", "axis"], ["y"], attributes),
            ], inputs: [input("x", 1, from: 1...2), input("a", 1, from: 1...2)],
            initializers: [TestTensor("zero", dims: [1], doubles: [0]), scalar("axis", 0)])
    }

    /// The mask is the seed's, and no output of the node.
    private static func dropout(_ nodes: (TestNode) -> TestNode, _ title: String) -> Case {
        Case(
            title: "Dropout, training\(title)",
            nodes: [nodes(TestNode("Dropout", ["x", "a", "true"], ["y"], [("seed", .int(3))]))],
            inputs: [input("x", 3, 4), input("a", from: 0.4...0.6)],
            initializers: [TestTensor("true", dims: [], type: 9, raw: [1])])
    }

    static let inTheRun: [Case] = [
        named("ReduceProd", "axes of the run", [2, 3, 2], axes: [1], -1.4...(-1.2)),
        named("ReduceProd", "axes of the run, left out", [2, 3, 2], axes: [1], 1.2...1.4, [("keepdims", .int(0))]),
        named("ReduceProd", "axes of the run, of which there is none", [2, 3], axes: [0], 1...2),
        named(
            "ReduceProd", "axes of the run, none", [2, 3], axes: [0], 1...2, [("noop_with_empty_axes", .int(1))]),
        named("CumProd", "an axis of the run", [2, 3], axes: [], 1.2...1.4),
        named("CumProd", "an axis of the run, backwards", [2, 3], axes: [1], -2.4...(-2.2), [("reverse", .int(1))]),
        named("DFT", "an axis of the run", [2, 3, 2], axes: [], -2.4...(-2.2), between: [""]),
        named(
            "DFT", "an axis of the run, a length", [2, 3, 1], axes: [], 1.2...1.4, [("onesided", .int(1))],
            between: ["length"], constants: [scalar("length", 4)]),
        zeros([], ""), zeros([("exclusive", .int(1)), ("reverse", .int(1))], ", backwards"),
        dropout({ $0 }, ""),
        dropout(
            { node in
                TestNode(
                    "If", ["true"], ["y"], [("then_branch", branchOf(node, "y")), ("else_branch", branchOf(node, "y"))])
            }, ", in a branch"),
    ]
}
