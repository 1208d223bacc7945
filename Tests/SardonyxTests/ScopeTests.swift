import Sardonyx
import SardonyxTestSupport
import Testing

/// What names mean in graphs inside nodes and in functions, and what outputs may be.
@Suite struct ScopeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let title: String
        let graph: TestGraph
        var functions: [TestFunction] = []
        var inputs: [String: Tensor] = [:]
        let expected: [String: Tensor]
        var testDescription: String { title }
    }

    static let x = TestValue("x", ["N"])
    static let condition = TestValue("c", [], type: 9)

    static func vector(_ values: Float...) -> Tensor { Tensor(shape: [values.count], scalars: values) }
    static func output(_ name: String) -> TestValue { TestValue(name, nil) }
    static func branch(_ node: TestNode, inputs: [TestValue] = []) -> TestAttribute {
        .graph(TestGraph(nodes: [node], inputs: inputs, outputs: [output(node.outputs[0])]))
    }
    /// y = if c { then } else { -x }.
    static func choice(_ then: TestAttribute, _ output: String = "y") -> TestNode {
        TestNode(
            "If", ["c"], [output],
            [("then_branch", then), ("else_branch", branch(TestNode("Neg", ["x"], ["minus"])))])
    }
    /// The final value of v in: repeat 3 times { v = body(v) }.
    static func loop(_ initial: String, _ output: String, _ nodes: [TestNode], dims: [TestValue.Dim]?) -> TestNode {
        TestNode(
            "Loop", ["trips", "", initial], [output],
            [
                (
                    "body",
                    .graph(
                        TestGraph(
                            nodes: [TestNode("Identity", ["go"], ["on"])] + nodes,
                            inputs: [
                                TestValue("i", [], type: 7), TestValue("go", [], type: 9), TestValue("v", dims),
                            ], outputs: [TestValue("on", [], type: 9), Self.output("next")]))
                )
            ])
    }
    static let trips = TestTensor(
        "trips", dims: [], type: 7, raw: [3, 0, 0, 0, 0, 0, 0, 0])

    static let cases: [Case] = [
        Case(
            title: "a value as two outputs, and a view of one",
            graph: TestGraph(
                nodes: [
                    TestNode("Relu", ["x"], ["y"]), TestNode("Identity", ["y"], ["again"]),
                    TestNode("Unsqueeze", ["y", "zero"], ["row"]), TestNode("Neg", ["y"], ["minus"]),
                ], inputs: [x], outputs: [output("y"), output("again"), output("row"), output("minus")],
                initializers: [TestTensor("zero", integers: [0])]),
            expected: [
                "y": vector(0, 2), "again": vector(0, 2), "row": vector(0, 2).reshaped(to: [1, 2]),
                "minus": vector(-0.0, -2),
            ]),
        Case(
            title: "outputs that are an input, a view of it and a constant",
            graph: TestGraph(
                nodes: [
                    TestNode("Unsqueeze", ["x", "zero"], ["row"]), TestNode("Unsqueeze", ["row", "zero"], ["box"]),
                ],
                inputs: [x], outputs: [output("x"), output("row"), output("box"), output("w")],
                initializers: [TestTensor("zero", integers: [0]), TestTensor("w", dims: [1], floats: [7])]),
            expected: [
                "x": vector(-1, 2), "row": vector(-1, 2).reshaped(to: [1, 2]),
                "box": vector(-1, 2).reshaped(to: [1, 1, 2]), "w": vector(7),
            ]),
        Case(
            title: "a part that nobody reads still counts for Split",
            graph: TestGraph(
                nodes: [TestNode("Split", ["x"], ["y", "rest"], [("num_outputs", .int(2))])], inputs: [x],
                outputs: [output("y")]),
            expected: ["y": vector(-1)]),
        Case(
            title: "a capture that is overwritten afterwards",
            graph: TestGraph(
                nodes: [
                    TestNode("Neg", ["x"], ["a"]), choice(branch(TestNode("Identity", ["a"], ["b"]))),
                    TestNode("Relu", ["a"], ["z"]),
                ], inputs: [x, condition], outputs: [output("y"), output("z")]),
            inputs: ["c": Tensor(true)], expected: ["y": vector(1, -2), "z": vector(1, 0)]),
        Case(
            title: "a name inside hides the same name outside, whichever comes first",
            graph: TestGraph(
                nodes: [
                    choice(
                        .graph(
                            TestGraph(
                                nodes: [TestNode("Abs", ["x"], ["t"]), TestNode("Neg", ["t"], ["b"])],
                                outputs: [output("b")]))),
                    TestNode("Relu", ["y"], ["t"]),
                ], inputs: [x, condition], outputs: [output("y"), output("t")]),
            inputs: ["c": Tensor(true)], expected: ["y": vector(-1, -2), "t": vector(0, 0)]),
        Case(
            title: "a default that a run replaces, seen from a branch",
            graph: TestGraph(
                nodes: [choice(branch(TestNode("Add", ["x", "w"], ["b"])))],
                inputs: [x, condition, TestValue("w", ["M"])], outputs: [output("y")],
                initializers: [TestTensor("w", dims: [1], floats: [1])]),
            inputs: ["c": Tensor(true), "w": vector(10, 20)], expected: ["y": vector(9, 22)]),
        Case(
            title: "a default that a run leaves, seen from a branch",
            graph: TestGraph(
                nodes: [choice(branch(TestNode("Add", ["x", "w"], ["b"])))],
                inputs: [x, condition, TestValue("w", ["M"])], outputs: [output("y")],
                initializers: [TestTensor("w", dims: [1], floats: [1])]),
            inputs: ["c": Tensor(true)], expected: ["y": vector(0, 3)]),
        Case(
            title: "a loop whose value grows, whatever the body declares",
            graph: TestGraph(
                nodes: [
                    loop("x", "y", [TestNode("Concat", ["v", "w"], ["next"], [("axis", .int(0))])], dims: [2])
                ], inputs: [x], outputs: [output("y")],
                initializers: [trips, TestTensor("w", dims: [1], floats: [5])]),
            expected: ["y": vector(-1, 2, 5, 5, 5)]),
        Case(
            title: "a loop that returns what it captures",
            graph: TestGraph(
                nodes: [
                    TestNode("Relu", ["x"], ["r"]), loop("x", "y", [TestNode("Identity", ["r"], ["next"])], dims: nil),
                    TestNode("Neg", ["r"], ["z"]),
                ], inputs: [x], outputs: [output("y"), output("z")], initializers: [trips]),
            expected: ["y": vector(0, 2), "z": vector(-0.0, -2)]),
        Case(
            title: "no elements",
            graph: TestGraph(
                nodes: [
                    TestNode("Slice", ["x", "zero", "zero"], ["none"]), TestNode("Relu", ["none"], ["r"]),
                    TestNode("Concat", ["r", "x"], ["y"], [("axis", .int(0))]), TestNode("Neg", ["r"], ["z"]),
                ], inputs: [x], outputs: [output("y"), output("z")], initializers: [TestTensor("zero", integers: [0])]),
            expected: ["y": vector(-1, 2), "z": vector()]),
        Case(
            title: "a first output that is left out",
            graph: TestGraph(
                nodes: [TestNode("TopK", ["w", "one"], ["", "y"])], inputs: [x], outputs: [output("y")],
                initializers: [TestTensor("w", dims: [2], floats: [3, 9]), TestTensor("one", integers: [1])]),
            expected: ["y": Tensor(shape: [1], scalars: [1] as [Int64])]),
        Case(
            title: "a function's names are its own",
            graph: TestGraph(
                nodes: [
                    TestNode("Abs", ["x"], ["t"]), TestNode("F", ["x"], ["u"], domain: "f"),
                    TestNode("Add", ["t", "u"], ["y"]),
                ], inputs: [x], outputs: [output("y")]),
            functions: [
                TestFunction(
                    "F", domain: "f", inputs: ["a"], outputs: ["b"],
                    nodes: [TestNode("Neg", ["a"], ["t"]), TestNode("Relu", ["t"], ["b"])])
            ], expected: ["y": vector(2, 2)]),
    ]

    static func session(_ test: Case, optimizes: Bool) throws -> Session {
        let bytes = modelBytes(test.graph, opsets: [("", 20), ("f", 1)], functions: test.functions)
        var options = Session.Options()
        options.optimizes = optimizes
        return try Session(bytes.withUnsafeBytes { try Model(bytes: $0) }, options: options)
    }

    @Test(arguments: cases, [true, false])
    func runs(_ test: Case, optimizes: Bool) throws {
        let session = try Self.session(test, optimizes: optimizes)
        let inputs = test.inputs.merging(["x": Self.vector(-1, 2)]) { first, _ in first }
        for _ in 0..<2 {
            let outputs = try session.run(inputs)
            for (name, expected) in test.expected { Self.expect(outputs[name], expected, name) }
        }
        // Where all shapes are known before the run, the same into memory of the caller's.
        var targets = try test.expected.mapValues { try Tensor(dataType: $0.dataType, shape: $0.shape) }
        do {
            try session.run(inputs, into: &targets)
        } catch let error as SardonyxError where error.description.contains("only after the run") {
            return
        }
        for (name, expected) in test.expected { Self.expect(targets[name], expected, name) }
    }

    private static func expect(_ output: Tensor?, _ expected: Tensor, _ name: String) {
        #expect(output?.shape == expected.shape, "\(name)")
        #expect(output?.withUnsafeBytes { Array($0) } == expected.withUnsafeBytes { Array($0) }, "\(name)")
    }
}
