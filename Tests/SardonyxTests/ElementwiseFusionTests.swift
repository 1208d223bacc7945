import Sardonyx
import SardonyxExecution
import SardonyxTestSupport
import Testing

/// Chains of elementwise nodes become one step and keep their bits; what exporters write for HardSwish and biases becomes
/// that.
@Suite struct ElementwiseFusionTests {
    struct Network: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// The steps of the plan, by operator.
        let steps: [String]
        /// 0 where the bits must stay.
        let tolerance: Float
        let nodes: [TestNode]

        init(_ description: String, _ steps: [String], tolerance: Float = 0, _ nodes: [TestNode]) {
            testDescription = description
            self.steps = steps
            self.tolerance = tolerance
            self.nodes = nodes
        }
    }

    private static func node(
        _ type: String, _ inputs: [String], _ output: String, _ attributes: [(String, TestAttribute)] = []
    ) -> TestNode {
        TestNode(type, inputs, [output], attributes)
    }

    private static let conv = node("Conv", ["x", "w"], "c", [("pads", .ints([1, 1, 1, 1]))])
    private static let gate = [node("Add", ["x", "three"], "a"), node("Clip", ["a", "zero", "six"], "g")]

    // x, z: [2, 8, 5, 7].
    static let networks = [
        Network("two functions", ["FusedElementwise"], [node("Abs", ["x"], "a"), node("Sqrt", ["a"], "y")]),
        Network(
            "numbers, a row, a channel and a map", ["FusedElementwise"],
            [
                node("Mul", ["x", "three"], "a"), node("Add", ["row", "a"], "b"), node("Sub", ["channel", "b"], "c"),
                node("Div", ["c", "z"], "d"), node("Tanh", ["d"], "y"),
            ]),
        Network(
            "a value that is read twice by the same step", ["FusedElementwise"],
            [node("Exp", ["x"], "a"), node("Neg", ["a"], "b"), node("Mul", ["b", "b"], "y")]),
        Network(
            "two ways from one value and together again", ["FusedElementwise"],
            [
                node("Exp", ["x"], "a"), node("Sigmoid", ["a"], "b"), node("Softplus", ["a"], "c"),
                node("Max", ["b", "c"], "d"), node("Pow", ["d", "three"], "y"),
            ]),
        Network(
            "bounds, a slope and a power", ["FusedElementwise"],
            [
                node("Clip", ["x", "", "six"], "a"), node("PRelu", ["a", "channel"], "b"),
                node("Pow", ["b", "two"], "c"), node("Sum", ["c", "x"], "y"),
            ]),
        Network(
            "a value that is an output too", ["Exp", "FusedElementwise"],
            [node("Exp", ["x"], "extra"), node("Neg", ["extra"], "a"), node("Abs", ["a"], "y")]),
        Network(
            "a smaller value in front", ["Exp", "FusedElementwise"],
            [node("Exp", ["row"], "a"), node("Add", ["x", "a"], "b"), node("Neg", ["b"], "y")]
        ),
        Network(
            "a sum whose place comes later", ["Add", "Softmax", "FusedElementwise"],
            [
                node("Add", ["x", "z"], "a"), node("Softmax", ["z"], "s"), node("Mul", ["a", "s"], "b"),
                node("Neg", ["b"], "y"),
            ]),
        Network(
            "seventeen steps", ["FusedElementwise", "FusedElementwise"],
            (0..<16).map { node("Sigmoid", [$0 == 0 ? "x" : "v\($0)"], "v\($0 + 1)") } + [node("Neg", ["v16"], "y")]),
        Network(
            "a chain that is full, and a short one behind it", ["FusedElementwise", "FusedElementwise"],
            (0..<16).map { node("Sigmoid", [$0 == 0 ? "x" : "v\($0)"], "v\($0 + 1)") }
                + [node("Neg", ["x"], "n"), node("Sigmoid", ["n"], "s"), node("Add", ["v16", "s"], "y")]),
        Network(
            "a large operand that is broadcast and made after the chain began", ["ReduceMean", "FusedElementwise"],
            [
                node("Exp", ["x"], "a"), node("ReduceMean", ["z", "first"], "m"), node("Sub", ["m", "a"], "b"),
                node("Neg", ["b"], "y"),
            ]),
        Network(
            "after a convolution", ["Conv", "FusedElementwise"], tolerance: 1e-6,
            [
                conv, node("Abs", ["c"], "a"), node("Mul", ["a", "channel"], "b"), node("Add", ["b", "z"], "y"),
            ]),
        Network(
            "HardSwish, divided last", ["HardSwish"], tolerance: 1e-6,
            gate + [node("Mul", ["x", "g"], "m"), node("Div", ["m", "six"], "y")]),
        Network(
            "HardSwish, divided first", ["HardSwish"], tolerance: 1e-6,
            gate + [node("Div", ["g", "six"], "h"), node("Mul", ["h", "x"], "y")]),
        Network(
            "HardSwish by a product", ["HardSwish"], tolerance: 1e-6,
            gate + [node("Mul", ["sixth", "g"], "h"), node("Mul", ["x", "h"], "y")]),
        Network(
            "HardSwish with HardSigmoid", ["HardSwish"], tolerance: 1e-6,
            [
                node("HardSigmoid", ["x"], "g", [("alpha", .float(1 / 6)), ("beta", .float(0.5))]),
                node("Mul", ["x", "g"], "y"),
            ]),
        Network(
            "HardSwish of another slope", ["FusedElementwise"],
            gate + [node("Mul", ["x", "g"], "m"), node("Div", ["m", "three"], "y")]),
        Network(
            "HardSwish with another value", ["FusedElementwise"],
            gate + [node("Mul", ["z", "g"], "m"), node("Div", ["m", "six"], "y")]),
        Network(
            "HardSwish after a convolution", ["Conv"], tolerance: 1e-6,
            [
                conv, node("Add", ["c", "three"], "a"), node("Clip", ["a", "zero", "six"], "g"),
                node("Mul", ["c", "g"], "m"), node("Div", ["m", "six"], "y"),
            ]),
        Network("a bias of one number", ["Conv"], tolerance: 1e-6, [conv, node("Add", ["three", "c"], "y")]),
        Network(
            "two biases", ["Conv"], tolerance: 1e-6,
            [conv, node("Add", ["channel", "c"], "a"), node("Add", ["a", "three"], "y")]),
    ]

    @Test(arguments: networks)
    func givesWhatItsPartsGive(_ network: Network) throws {
        let shape: [TestValue.Dim] = [2, 8, 5, 7]
        var outputs = [TestValue("y", nil)]
        if network.nodes.contains(where: { $0.outputs == ["extra"] }) { outputs.append(TestValue("extra", nil)) }
        func number(_ name: String, _ value: Float) -> TestTensor { TestTensor(name, dims: [], floats: [value]) }
        let graph = TestGraph(
            nodes: network.nodes, inputs: ["x", "z"].map { TestValue($0, shape) } + [TestValue("row", [7])],
            outputs: outputs,
            initializers: [
                TestTensor("first", integers: [0]), number("zero", 0), number("two", 2), number("three", 3),
                number("six", 6), number("sixth", 1.0 / 6),
                TestTensor("channel", dims: [8, 1, 1], floats: randomNumbers(8)),
                TestTensor("w", dims: [8, 8, 3, 3], floats: randomNumbers(576)),
            ])
        let model = try modelBytes(graph).withUnsafeBytes { try Model(bytes: $0) }
        let inputs = [
            "x": Tensor(shape: [2, 8, 5, 7], scalars: randomNumbers(560).map { 4 * $0 }),
            "z": Tensor(shape: [2, 8, 5, 7], scalars: randomNumbers(560, skipping: 560)),
            "row": Tensor(shape: [7], scalars: randomNumbers(7, skipping: 90)),
        ]
        var results: [[String: [Float]]] = []
        for optimizes in [false, true] {
            var options = Session.Options()
            options.optimizes = optimizes
            let session = try Session(model, options: options)
            results.append(try session.run(inputs).mapValues { $0.scalars() })
            guard optimizes else { continue }
            let steps = try session.boundPlan(for: inputs.mapValues(Datum.tensor)).plan.steps
            #expect(steps.map(\.node.operatorType).filter { $0 != "Reorder" } == network.steps)
        }
        for (name, expected) in results[0] {
            let result = try #require(results[1][name])
            #expect(!expected.isEmpty && result.count == expected.count)
            if network.tolerance == 0 {
                #expect(result.map(\.bitPattern) == expected.map(\.bitPattern))
            } else {
                let limit = network.tolerance * (expected.map(abs).max() ?? 0)
                #expect(zip(result, expected).allSatisfy { abs($0 - $1) <= limit })
            }
        }
    }
}
