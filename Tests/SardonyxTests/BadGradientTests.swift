import Sardonyx
import SardonyxTestSupport
import Testing

/// What `Gradient` means at the edges, and models in which it breaks a rule: an error each, and never a trap.
@Suite struct BadGradientTests {
    static let domain = "ai.onnx.preview.training"
    static let x = TestValue("x", [2], type: 11)

    struct Case: Sendable, CustomTestStringConvertible {
        let title: String
        let code: SardonyxError.Code
        /// A part of the message.
        let says: String
        let nodes: [TestNode]
        var inputs = [x]
        var functions: [TestFunction] = []
        var testDescription: String { title }
    }

    static func gradient(
        _ inputs: [String], _ outputs: [String] = ["d"], xs: [String] = ["x"], zs: [String]? = nil, y: String = "y"
    ) -> TestNode {
        TestNode(
            "Gradient", inputs, outputs, name: "g", domain: domain,
            [("xs", .texts(xs)), ("y", .text(y))] + (zs.map { [("zs", .texts($0))] } ?? []))
    }
    static let square = TestNode("Mul", ["x", "x"], ["y"], name: "square")

    static func model(
        _ nodes: [TestNode], _ inputs: [TestValue], _ functions: [TestFunction] = [], _ initializers: [TestTensor] = []
    ) throws -> Model {
        let bytes = modelBytes(
            TestGraph(nodes: nodes, inputs: inputs, outputs: [TestValue("d", nil)], initializers: initializers),
            opsets: [("", 20), (domain, 1), ("f", 1)], functions: functions)
        return try bytes.withUnsafeBytes { try Model(bytes: $0) }
    }

    private static func without(_ attribute: String) -> TestNode {
        var node = gradient(["x"])
        node.attributes.removeAll { $0.0 == attribute }
        return node
    }

    private static func with(_ name: String, _ value: TestAttribute) -> TestNode {
        var node = without(name)
        node.attributes.append((name, value))
        return node
    }

    private static let zero = ("value", TestAttribute.tensor(GradientCases.scalar("", 0)))

    static let cases: [Case] = [
        Case(title: "no xs", code: .invalidModel, says: "'xs' is missing", nodes: [square, without("xs")]),
        Case(title: "no y", code: .invalidModel, says: "'y' is missing", nodes: [square, without("y")]),
        Case(
            title: "xs of another kind", code: .invalidModel, says: "must be STRINGS",
            nodes: [square, with("xs", .int(1))]),
        Case(
            title: "y is a list", code: .invalidModel, says: "must be STRING",
            nodes: [square, with("y", .texts(["y"]))]),
        Case(
            title: "a name that is nothing", code: .invalidModel, says: "'nowhere', which is not defined",
            nodes: [square, gradient(["x"], xs: ["nowhere"])]),
        Case(
            title: "y is nothing", code: .invalidModel, says: "names '', which is not defined",
            nodes: [square, gradient(["x"], y: "")]),
        Case(
            title: "no value for a name", code: .invalidModel, says: "each needs its value",
            nodes: [square, gradient(["x"], zs: ["x"])]),
        Case(title: "an omitted value", code: .invalidModel, says: "", nodes: [square, gradient([""])]),
        Case(
            title: "more outputs than names", code: .invalidModel, says: "there are 2 outputs",
            nodes: [square, gradient(["x"], ["d", "e"])]),
        Case(
            title: "a name twice", code: .invalidModel, says: "'x' twice",
            nodes: [square, gradient(["x", "x"], zs: ["x"])]),
        Case(
            title: "names that depend on each other", code: .invalidModel, says: "must be independent",
            nodes: [square, TestNode("Exp", ["y"], ["z"]), gradient(["x", "y"], xs: ["x", "y"], y: "z")]),
        Case(
            title: "y of integers", code: .invalidModel, says: "must be of floating point",
            nodes: [TestNode("Cast", ["x"], ["y"], [("to", .int(7))]), gradient(["x"])]),
        Case(
            title: "a value of another type", code: .invalidModel, says: "must be double",
            nodes: [square, TestNode("Cast", ["x"], ["f"], [("to", .int(1))]), gradient(["f"])]),
        Case(
            title: "y is computed from its own gradient", code: .invalidModel, says: "circle",
            nodes: [TestNode("Mul", ["x", "d"], ["y"]), gradient(["x"])]),
        Case(
            title: "the gradient is its own value", code: .invalidModel, says: "circle",
            nodes: [square, gradient(["d"])]),
        Case(
            title: "y is the gradient", code: .invalidModel, says: "circle", nodes: [square, gradient(["x"], y: "d")]),
        Case(
            title: "an operator without a rule", code: .unsupported,
            says: "Adagrad 'step': the operator has no derivative rule",
            nodes: [
                TestNode("Constant", [], ["i"], [zero]),
                TestNode("Adagrad", ["r", "i", "x", "x", "x"], ["y", "h"], name: "step", domain: domain),
                gradient(["x"]),
            ], inputs: [x, TestValue("r", [], type: 11)]),
        Case(
            title: "a way through a value of which nobody knows the type", code: .unsupported,
            says: "no known element type",
            nodes: [
                TestNode("Constant", [], ["i"], [zero]), TestNode("Cast", ["i"], ["c"], [("to", .int(9))]),
                TestNode(
                    "If", ["c"], ["s"],
                    [
                        ("then_branch", branch(TestNode("Identity", ["x"], ["p"]), "p")),
                        ("else_branch", branch(TestNode("SequenceConstruct", ["x"], ["q"]), "q")),
                    ]),
                TestNode("SequenceAt", ["s", "i"], ["e"]), TestNode("Cast", ["e"], ["y"], [("to", .int(11))]),
                gradient(["x"]),
            ]),
        Case(
            title: "sequences in sequences", code: .unsupported, says: "are nested 9 deep in it, and 8 is the limit",
            nodes: (0..<9).map {
                TestNode("SequenceConstruct", [$0 == 0 ? "x" : "s\($0)"], ["s\($0 + 1)"])
            } + [square, gradient(["s9"], xs: ["s9"])]),
        Case(
            title: "a scan that carries a sequence", code: .unsupported, says: "a state of a Scan must be a tensor",
            nodes: [
                TestNode("SequenceConstruct", ["x"], ["s"]), TestNode("Constant", [], ["i"], [zero]),
                TestNode(
                    "Scan", ["s", "x"], ["t"], name: "scan",
                    [
                        (
                            "body",
                            .graph(
                                TestGraph(
                                    nodes: [TestNode("SequenceInsert", ["v", "w"], ["n"])],
                                    inputs: [TestValue("v", nil), TestValue("w", nil)], outputs: [TestValue("n", nil)]))
                        ), ("num_scan_inputs", .int(1)),
                    ]), TestNode("SequenceAt", ["t", "i"], ["y"]), gradient(["x"]),
            ]),
        Case(
            title: "a way through a loop with random numbers", code: .unsupported,
            says: "random numbers, as of 'noise'",
            nodes: [
                TestNode(
                    "Loop", ["", "", "x"], ["y"], name: "loop",
                    [
                        (
                            "body",
                            .graph(
                                TestGraph(
                                    nodes: [
                                        TestNode("Not", ["go"], ["on"]),
                                        TestNode("RandomNormalLike", ["v"], ["noise"], name: "noise"),
                                        TestNode("Add", ["v", "noise"], ["next"]),
                                    ],
                                    inputs: [
                                        TestValue("i", [], type: 7), TestValue("go", [], type: 9), TestValue("v", nil),
                                    ], outputs: [TestValue("on", [], type: 9), TestValue("next", nil)]))
                        )
                    ]), gradient(["x"]),
            ]),
        Case(
            title: "a way outside the branch of the node", code: .unsupported,
            says: "stands in a graph around the node",
            nodes: [
                square,
                TestNode("Constant", [], ["c"], [("value", .tensor(TestTensor("", dims: [], type: 9, raw: [1])))]),
                TestNode(
                    "If", ["c"], ["d"],
                    [
                        ("then_branch", branch(gradient(["x"], ["i"]), "i")),
                        ("else_branch", branch(TestNode("Exp", ["x"], ["e"]), "e")),
                    ]),
            ]),
        Case(
            title: "twelve derivatives of derivatives", code: .invalidModel,
            says: "derivatives would take too many nodes: 20650 may be added to a model of 13",
            nodes: nested("Tanh", 12)),
        Case(
            title: "gradients in a list that a function's caller leaves out", code: .invalidModel, says: "'a'",
            nodes: [TestNode("F", ["x"], ["d"], domain: "f")],
            functions: [
                TestFunction(
                    "F", domain: "f", inputs: ["x", "a"], outputs: ["d"],
                    nodes: [TestNode("Mul", ["x", "x"], ["y"]), gradient(["x"], xs: ["a"])])
            ]),
    ]

    /// x to y, and what follows from x by it a given number of times.
    private static func nested(_ operatorType: String, _ order: Int) -> [TestNode] {
        [TestNode(operatorType, ["x"], ["y0"])]
            + (1...order).map { gradient(["x"], [$0 == order ? "d" : "y\($0)"], y: "y\($0 - 1)") }
    }

    private static func branch(_ node: TestNode, _ output: String) -> TestAttribute {
        .graph(TestGraph(nodes: [node], outputs: [TestValue(output, nil)]))
    }

    @Test(arguments: cases)
    func givesAnError(_ test: Case) throws {
        let functions = test.functions.map { function in
            var function = function
            function.moreOpsets = [(Self.domain, 1)]
            return function
        }
        let error = #expect(throws: SardonyxError.self) { try Self.model(test.nodes, test.inputs, functions) }
        #expect(error?.code == test.code, "\(error.map(\.description) ?? "")")
        #expect(error?.description.contains(test.says) ?? false, "\(error.map(\.description) ?? "")")
    }

    struct Meaning: Sendable, CustomTestStringConvertible {
        let title: String
        let nodes: [TestNode]
        var inputs = [x]
        var functions: [TestFunction] = []
        var initializers: [TestTensor] = []
        /// d at x = [1, 2] and a = [3, 5].
        let expected: Tensor
        var tolerance = 0.0
        var testDescription: String { title }
    }

    private static let a = TestValue("a", [2], type: 11)
    private static func vector(_ values: Double...) -> Tensor { Tensor(shape: [values.count], scalars: values) }

    static let meanings: [Meaning] = [
        Meaning(title: "y is x", nodes: [gradient(["x"], y: "x")], expected: vector(1, 1)),
        Meaning(
            title: "y does not depend on x", nodes: [TestNode("Exp", ["a"], ["y"]), gradient(["x", "a"], zs: ["a"])],
            inputs: [x, a], expected: vector(0, 0)),
        Meaning(title: "at other values", nodes: [square, gradient(["a"])], inputs: [x, a], expected: vector(6, 10)),
        Meaning(
            title: "one value for two names",
            nodes: [TestNode("Mul", ["x", "a"], ["y"]), gradient(["x", "x"], xs: ["x", "a"])], inputs: [x, a],
            expected: vector(1, 2)),
        Meaning(
            title: "a value that stands on the way as well",
            nodes: [TestNode("Mul", ["x", "a"], ["y"]), gradient(["a"])], inputs: [x, a], expected: vector(3, 5)),
        Meaning(
            title: "an intermediate value",
            nodes: [square, TestNode("Mul", ["y", "y"], ["z"]), gradient(["y"], xs: ["y"], y: "z")],
            expected: vector(2, 8)),
        Meaning(
            title: "the node comes before y", nodes: [gradient(["x"]), square], expected: vector(2, 4)),
        Meaning(
            title: "an x of integers",
            nodes: [
                TestNode("Cast", ["a"], ["i"], [("to", .int(7))]), TestNode("Cast", ["i"], ["f"], [("to", .int(11))]),
                TestNode("Mul", ["f", "x"], ["y"]), gradient(["i", "x"], xs: ["i"], zs: ["x"]),
            ], inputs: [x, a], expected: vector(0, 0)),
        Meaning(
            title: "through integers nothing comes back",
            nodes: [
                TestNode("Cast", ["x"], ["i"], [("to", .int(7))]), TestNode("Cast", ["i"], ["f"], [("to", .int(11))]),
                TestNode("Mul", ["f", "x"], ["y"]), gradient(["x"]),
            ], expected: vector(1, 2)),
        Meaning(
            title: "in float16, a mean of more elements than it can count",
            nodes: [
                TestNode("Cast", ["x"], ["h"], [("to", .int(10))]), TestNode("Expand", ["h", "many"], ["e"]),
                TestNode("ReduceMean", ["e"], ["m"]), gradient(["h"], ["g"], xs: ["h"], y: "m"),
                TestNode("Cast", ["g"], ["d"], [("to", .int(11))]),
            ],
            initializers: [TestTensor("many", integers: [1 << 11, 1 << 6, 2])], expected: vector(0.5, 0.5),
            tolerance: 0.01),
        Meaning(
            title: "the second derivative",
            nodes: [
                square, TestNode("Mul", ["y", "x"], ["z"]), gradient(["x"], ["e"], y: "z"), gradient(["x"], y: "e"),
            ], expected: vector(6, 12)),
        Meaning(
            title: "in a function",
            nodes: [TestNode("F", ["x"], ["d"], domain: "f")],
            functions: [
                TestFunction(
                    "F", domain: "f", inputs: ["v"], outputs: ["o"],
                    nodes: [TestNode("Mul", ["v", "v"], ["w"]), gradient(["v"], ["o"], xs: ["v"], y: "w")])
            ], expected: vector(2, 4)),
        Meaning(
            title: "in a branch",
            nodes: [
                TestNode("Constant", [], ["c"], [("value", .tensor(TestTensor("", dims: [], type: 9, raw: [1])))]),
                TestNode(
                    "If", ["c"], ["d"],
                    [
                        (
                            "then_branch",
                            .graph(
                                TestGraph(
                                    nodes: [TestNode("Exp", ["x"], ["p"]), square, gradient(["x"], ["i"])],
                                    outputs: [TestValue("i", nil)]))
                        ),
                        ("else_branch", branch(TestNode("Exp", ["x"], ["e"]), "e")),
                    ]),
            ], expected: vector(2, 4)),
        Meaning(
            title: "a weight of the model that a branch reads",
            nodes: [
                TestNode("Constant", [], ["c"], [("value", .tensor(TestTensor("", dims: [], type: 9, raw: [1])))]),
                TestNode(
                    "If", ["c"], ["y"],
                    [
                        ("then_branch", branch(TestNode("Mul", ["w", "x"], ["p"]), "p")),
                        ("else_branch", branch(TestNode("Exp", ["x"], ["e"]), "e")),
                    ]), gradient(["w"], xs: ["w"]),
            ], initializers: [TestTensor("w", dims: [2], doubles: [3, 5])], expected: vector(1, 2)),
        Meaning(
            title: "a weight of the model that a scan reads",
            nodes: [
                TestNode(
                    "Scan", ["x"], ["y"],
                    [
                        (
                            "body",
                            .graph(
                                TestGraph(
                                    nodes: [TestNode("Mul", ["v", "w"], ["p"])], inputs: [TestValue("v", nil)],
                                    outputs: [TestValue("p", nil)]))
                        ), ("num_scan_inputs", .int(1)),
                    ]), gradient(["w"], xs: ["w"]),
            ], initializers: [TestTensor("w", dims: [], doubles: [3])], expected: vector(3)),
        Meaning(
            title: "a weight of the model in a recurrent layer",
            nodes: [
                TestNode("Reshape", ["x", "shape"], ["steps"]),
                TestNode(
                    "RNN", ["steps", "w", "r"], ["y"], [("hidden_size", .int(1)), ("activations", .texts(["Affine"]))]),
                gradient(["r"], xs: ["r"]),
            ],
            initializers: [
                TestTensor("shape", integers: [2, 1, 1]), TestTensor("w", dims: [1, 1, 1], doubles: [3]),
                TestTensor("r", dims: [1, 1, 1], doubles: [5]),
            ], expected: vector(3)),
        Meaning(
            title: "a branch beside the way",
            nodes: [
                TestNode("Constant", [], ["c"], [("value", .tensor(TestTensor("", dims: [], type: 9, raw: [1])))]),
                TestNode(
                    "If", ["c"], ["k"],
                    [
                        ("then_branch", branch(TestNode("Neg", ["a"], ["n"]), "n")),
                        ("else_branch", branch(TestNode("Exp", ["a"], ["e"]), "e")),
                    ]),
                TestNode("Mul", ["k", "x"], ["y"]), gradient(["x", "a"], zs: ["a"]),
            ], inputs: [x, a], expected: vector(-3, -5)),
    ]

    @Test(arguments: meanings, [true, false])
    func meaning(_ test: Meaning, optimizes: Bool) throws {
        let functions = test.functions.map { function in
            var function = function
            function.moreOpsets = [(Self.domain, 1)]
            return function
        }
        var options = Session.Options()
        options.optimizes = optimizes
        let session = try Session(Self.model(test.nodes, test.inputs, functions, test.initializers), options: options)
        let values = ["x": Self.vector(1, 2), "a": Self.vector(3, 5)]
        let outputs = try session.run(values.filter { value in test.inputs.contains { $0.name == value.key } })
        let result = try #require(outputs["d"]).scalars(Double.self)
        let expected = test.expected.scalars(Double.self)
        #expect(
            result.count == expected.count && zip(result, expected).allSatisfy { abs($0 - $1) <= test.tolerance },
            "\(result)")
    }

    /// A weight that may be given: nothing is computed from its default before the run.
    @Test func aDefaultOfTheModel() throws {
        let bytes = modelBytes(
            TestGraph(
                nodes: [
                    Self.square, TestNode("Mul", ["y", "a"], ["z"]), Self.gradient(["x", "a"], zs: ["a"], y: "z"),
                ],
                inputs: [Self.x, Self.a], outputs: [TestValue("d", nil)],
                initializers: [
                    TestTensor("x", dims: [2], doubles: [1, 2]), TestTensor("a", dims: [2], doubles: [1, 1]),
                ]),
            opsets: [("", 20), (Self.domain, 1)])
        let session = try Session(bytes.withUnsafeBytes { try Model(bytes: $0) })
        #expect(try session.run([:])["d"]?.scalars(Double.self) == [2, 4])
        #expect(try session.run(["x": Self.vector(3, 5)])["d"]?.scalars(Double.self) == [6, 10])
        #expect(try session.run(["a": Self.vector(3, 5)])["d"]?.scalars(Double.self) == [6, 20])
    }
}
