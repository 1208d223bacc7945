import Sardonyx
import SardonyxExecution
import SardonyxTestSupport
import Testing

/// Attention as exporters write it becomes one step, with the results of its parts.
@Suite struct AttentionFusionTests {
    struct Network: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let isFused: Bool
        let nodes: [TestNode]

        init(_ description: String, isFused: Bool = true, _ nodes: [TestNode]) {
            testDescription = description
            self.isFused = isFused
            self.nodes = nodes
        }
    }

    private static func node(
        _ type: String, _ inputs: [String], _ output: String, _ attributes: [(String, TestAttribute)] = []
    ) -> TestNode {
        TestNode(type, inputs, [output], attributes)
    }

    // q, k, v: [6, 2, 5, 4]; the scores: [6, 2, 5, 5].
    private static let keys = node("Transpose", ["k"], "kt", [("perm", .ints([0, 1, 3, 2]))])
    private static let product = node("MatMul", ["q", "kt"], "s")
    private static func rest(_ scores: String) -> [TestNode] {
        [node("Softmax", [scores], "p"), node("MatMul", ["p", "v"], "y")]
    }

    static let networks = [
        Network("bare", [keys, product] + rest("s")),
        Network(
            "keys that are columns already",
            [node("Reshape", ["k", "columns"], "kt"), product] + rest("s")),
        Network(
            "scaled queries", [node("Mul", ["q", "half"], "u"), keys, node("MatMul", ["u", "kt"], "s")] + rest("s")),
        Network(
            "both scaled, one divided",
            [
                node("Mul", ["half", "q"], "u"), node("Div", ["k", "two"], "w"),
                node("Transpose", ["w"], "kt", [("perm", .ints([0, 1, 3, 2]))]), node("MatMul", ["u", "kt"], "s"),
            ] + rest("s")),
        Network(
            "a number divided by queries",
            [node("Div", ["half", "e"], "u"), keys, node("MatMul", ["u", "kt"], "s")]
                + rest("s")),
        Network("a bias for each head", [keys, product, node("Add", ["s", "bias"], "b")] + rest("b")),
        Network("a bias in front", [keys, product, node("Add", ["bias", "s"], "b")] + rest("b")),
        Network("a bias that is an input", [keys, product, node("Add", ["s", "mask2"], "b")] + rest("b")),
        Network("a mask for each key", [keys, product, node("Add", ["s", "row"], "b")] + rest("b")),
        Network(
            "a bias, and a mask for each window",
            [
                keys, product, node("Add", ["s", "bias"], "b"), node("Reshape", ["b", "windows"], "c"),
                node("Add", ["c", "mask"], "d"), node("Reshape", ["d", "scores"], "e2"),
            ] + rest("e2")),
        Network("divided scores", [keys, product, node("Div", ["s", "two"], "b")] + rest("b")),
        Network(
            "scaled scores and a bias",
            [keys, product, node("Mul", ["half", "s"], "b"), node("Add", ["b", "bias"], "c")] + rest("c")),
        Network(
            "a bias that is scaled too", isFused: false,
            [keys, product, node("Add", ["s", "bias"], "b"), node("Mul", ["b", "half"], "c")] + rest("c")),
        Network(
            "three addends", isFused: false,
            [
                keys, product, node("Add", ["s", "bias"], "b"), node("Add", ["b", "row"], "c"),
                node("Add", ["c", "bias"], "d"),
            ] + rest("d")),
        Network(
            "weights over the queries", isFused: false,
            [
                keys, product, node("Softmax", ["s"], "p", [("axis", .int(2))]), node("MatMul", ["p", "v"], "y"),
            ]),
        Network(
            "weights that are read elsewhere too", isFused: false,
            [keys, product] + rest("s").dropLast() + [
                node("MatMul", ["p", "v"], "m"), node("ReduceMax", ["p"], "r"), node("Add", ["m", "r"], "y"),
            ]),
        Network(
            "scores that are read elsewhere too", isFused: false,
            [keys, product] + rest("s").dropLast() + [
                node("MatMul", ["p", "v"], "m"), node("ReduceMax", ["s"], "r"), node("Add", ["m", "r"], "y"),
            ]),
        Network(
            "a mask that makes more scores", isFused: false,
            [
                keys, product, node("Add", ["s", "many"], "b"), node("Softmax", ["b"], "p"),
                node("MatMul", ["p", "v"], "y"),
            ]),
        Network(
            "one set of keys for all heads", isFused: false,
            [node("MatMul", ["q", "one"], "s")] + rest("s")),
    ]

    @Test(arguments: networks)
    func givesWhatItsPartsGive(_ network: Network) throws {
        let shape: [TestValue.Dim] = [6, 2, 5, 4]
        let graph = TestGraph(
            nodes: [Self.node("Exp", ["q"], "e")] + network.nodes,
            inputs: ["q", "k", "v"].map { TestValue($0, shape) } + [TestValue("mask2", [6, 1, 5, 5])],
            outputs: [TestValue("y", nil)],
            initializers: [
                TestTensor("half", dims: [], floats: [0.5]), TestTensor("two", dims: [1], floats: [2]),
                TestTensor("bias", dims: [1, 2, 5, 5], floats: randomNumbers(50)),
                TestTensor("mask", dims: [1, 3, 1, 5, 5], floats: randomNumbers(75).map { $0 > 0.2 ? -100 : 0 }),
                TestTensor("row", dims: [5], floats: randomNumbers(5)),
                TestTensor("many", dims: [3, 1, 1, 1, 1], floats: [0, 1, 2]),
                TestTensor("one", dims: [4, 5], floats: randomNumbers(20)),
                TestTensor("columns", integers: [6, 2, 4, 5]), TestTensor("windows", integers: [2, 3, 2, 5, 5]),
                TestTensor("scores", integers: [6, 2, 5, 5]),
            ])
        let model = try modelBytes(graph).withUnsafeBytes { try Model(bytes: $0) }
        var inputs = Dictionary(
            uniqueKeysWithValues: ["q", "k", "v"].enumerated().map { index, name in
                (name, Tensor(shape: [6, 2, 5, 4], scalars: randomNumbers(240, skipping: 240 * index)))
            })
        inputs["mask2"] = Tensor(shape: [6, 1, 5, 5], scalars: randomNumbers(150))
        var results: [[Float]] = []
        for optimizes in [false, true] {
            var options = Session.Options()
            options.optimizes = optimizes
            let session = try Session(model, options: options)
            results.append(try #require(try session.run(inputs)["y"]).scalars())
            let steps = try session.boundPlan(for: inputs.mapValues(Datum.tensor)).plan.steps.map(\.node.operatorType)
            #expect(steps.contains("FusedAttention") == (optimizes && network.isFused))
        }
        #expect(results[0].count == results[1].count)
        #expect(zip(results[0], results[1]).allSatisfy { abs($0 - $1) <= 2e-6 })
        #expect(Set(results[0]).count > 100)
    }

    /// Layers whose products look like attention's and have a bias, an activation or a residual of their own.
    static let layers = [
        Network("a bias before", [node("MatMul", ["x", "w"], "s"), node("Add", ["s", "six"], "b")] + rest("b")),
        Network("an activation before", [node("MatMul", ["x", "w"], "s"), node("Relu", ["s"], "b")] + rest("b")),
        Network(
            "a bias behind",
            [
                node("MatMul", ["x", "w"], "s"), node("Softmax", ["s"], "p"), node("MatMul", ["p", "v"], "m"),
                node("Add", ["m", "four"], "y"),
            ]),
        Network(
            "a bias and an activation behind",
            [
                node("MatMul", ["x", "w"], "s"), node("Softmax", ["s"], "p"), node("MatMul", ["p", "v"], "m"),
                node("Add", ["m", "four"], "b"), node("Relu", ["b"], "y"),
            ]),
        Network(
            "a residual behind",
            [
                node("MatMul", ["x", "w"], "s"), node("Softmax", ["s"], "p"), node("MatMul", ["p", "v"], "m"),
                node("Add", ["m", "x"], "y"),
            ]),
        Network(
            "keys that are an input, a bias behind",
            [
                node("MatMul", ["x", "k"], "s"), node("Softmax", ["s"], "p"), node("MatMul", ["p", "v"], "m"),
                node("Add", ["m", "four"], "y"),
            ]),
    ]

    @Test(arguments: layers)
    func keepsWhatHasJoinedTheProducts(_ network: Network) throws {
        let graph = TestGraph(
            nodes: network.nodes, inputs: [TestValue("x", ["N", 4]), TestValue("k", [4, 6])],
            outputs: [TestValue("y", nil)],
            initializers: [
                TestTensor("w", dims: [4, 6], floats: randomNumbers(24)),
                TestTensor("v", dims: [6, 4], floats: randomNumbers(24, skipping: 24)),
                TestTensor("six", dims: [6], floats: randomNumbers(6, skipping: 50)),
                TestTensor("four", dims: [4], floats: randomNumbers(4, skipping: 60)),
            ])
        let model = try modelBytes(graph).withUnsafeBytes { try Model(bytes: $0) }
        let inputs = [
            "x": Tensor(shape: [7, 4], scalars: randomNumbers(28, skipping: 70)),
            "k": Tensor(shape: [4, 6], scalars: randomNumbers(24, skipping: 100)),
        ]
        let results = try [false, true].map { optimizes -> [Float] in
            var options = Session.Options()
            options.optimizes = optimizes
            return try #require(try Session(model, options: options).run(inputs)["y"]).scalars()
        }
        #expect(results[0].count == 28)
        #expect(zip(results[0], results[1]).allSatisfy { abs($0 - $1) <= 2e-6 })
    }
}
