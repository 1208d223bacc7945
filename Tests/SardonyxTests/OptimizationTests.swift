import Sardonyx
import SardonyxTestSupport
import Testing

/// Chains of layers, in the orders that tempt a rewrite: with the passes they give what they give without.
@Suite struct OptimizationTests {
    struct Chain: Sendable, CustomTestStringConvertible {
        /// One layer a word, each on the result of the one before; `add1` adds the result of layer 1, `again` an output of
        /// the graph in between.
        let layers: String
        var testDescription: String { layers }
    }

    static let chains = [
        "conv", "conv bn", "conv bn relu", "conv conv bn relu", "conv bn conv bn relu conv", "conv relu bn",
        "conv bn bn relu",
        "conv bias", "conv bias relu", "conv relu bias", "conv bias bias", "conv conv add1", "conv conv add1 relu",
        "conv conv relu add1", "conv conv add1 bn", "conv conv add1 bias relu", "conv conv bn add1 relu",
        "conv conv bias add1 leaky", "conv conv add1 add1", "conv again relu", "conv bn again relu",
        "conv conv add1 again relu",
        "pad conv bn leaky", "conv pad conv add1", "norm relu", "norm leaky conv", "norm relu relu", "bn relu conv",
        "conv prelu", "conv prelus relu", "conv norm prelu", "deconv bn relu", "deconv bias leaky",
        "conv deconv bn relu",
        "conv clip", "conv bn clip bn", "conv hardsigmoid", "conv sigmoid conv bn", "conv relu again conv add1 bn relu",
    ].map(Chain.init)

    @Test(arguments: chains)
    func passesChangeNothing(_ chain: Chain) throws {
        let model = try modelBytes(Self.graph(chain)).withUnsafeBytes { try Model(bytes: $0) }
        let x = Tensor(shape: [1, 8, 7, 9], scalars: Self.numbers(504, 1))
        var results: [[String: [Float]]] = []
        for optimizes in [false, true] {
            var options = Session.Options()
            options.optimizes = optimizes
            results.append(try Session(model, options: options).run(["x": x]).mapValues { $0.scalars() })
        }
        #expect(Set(results[0].keys) == Set(results[1].keys))
        for (name, expected) in results[0] {
            let result = try #require(results[1][name])
            let limit = 2e-5 * (expected.map(abs).max() ?? 0)
            #expect(limit > 0)
            #expect(zip(result, expected).allSatisfy { abs($0 - $1) <= limit })
        }
    }

    private static func graph(_ chain: Chain) -> TestGraph {
        var nodes: [TestNode] = []
        var weights: [TestTensor] = [
            TestTensor("pads", integers: [0, 0, 1, 1, 0, 0, 1, 1]),
            TestTensor("low", dims: [], floats: [-0.25]), TestTensor("high", dims: [], floats: [0.5]),
            TestTensor("slope", dims: [1], floats: [0.25]),
        ]
        var outputs: [TestValue] = []
        var last = "x"
        func constant(_ name: String, _ dims: [Int64], above bound: Float = -1) -> String {
            let count = Int(dims.reduce(1, *))
            let values = numbers(count, UInt64(weights.count)).map { bound < 0 ? $0 : abs($0) + bound }
            weights.append(TestTensor(name, dims: dims, floats: values))
            return name
        }
        for (number, layer) in chain.layers.split(separator: " ").enumerated() {
            let (y, w) = ("y\(number + 1)", "w\(number + 1)")
            switch layer {
            case "conv":
                nodes.append(
                    TestNode(
                        "Conv", [last, constant(w, [8, 8, 3, 3])], [y], [("pads", .ints([1, 1, 1, 1]))]))
            case "deconv":
                nodes.append(
                    TestNode(
                        "ConvTranspose", [last, constant(w, [8, 8, 3, 3])], [y], [("pads", .ints([1, 1, 1, 1]))]))
            case "bn":
                nodes.append(
                    TestNode(
                        "BatchNormalization",
                        [
                            last, constant(w, [8]), constant(w + "b", [8]), constant(w + "m", [8]),
                            constant(w + "v", [8], above: 0.5),
                        ], [y]))
            case "norm":
                nodes.append(
                    TestNode("InstanceNormalization", [last, constant(w, [8]), constant(w + "b", [8])], [y]))
            case "bias": nodes.append(TestNode("Add", [last, constant(w, [8, 1, 1])], [y]))
            case "add1": nodes.append(TestNode("Add", [last, "y1"], [y]))
            case "pad":
                // Goes into the convolution, which has no padding of its own then.
                nodes.append(TestNode("Pad", [last, "pads"], [y + "p"]))
                nodes.append(TestNode("Conv", [y + "p", constant(w, [8, 8, 3, 3])], [y]))
            case "relu": nodes.append(TestNode("Relu", [last], [y]))
            case "sigmoid": nodes.append(TestNode("Sigmoid", [last], [y]))
            case "hardsigmoid": nodes.append(TestNode("HardSigmoid", [last], [y]))
            case "leaky": nodes.append(TestNode("LeakyRelu", [last], [y], [("alpha", .float(0.1))]))
            case "prelu": nodes.append(TestNode("PRelu", [last, "slope"], [y]))
            case "prelus": nodes.append(TestNode("PRelu", [last, constant(w, [8, 1, 1])], [y]))
            case "clip": nodes.append(TestNode("Clip", [last, "low", "high"], [y]))
            default:
                outputs.append(TestValue(last, nil))
                continue
            }
            last = y
        }
        outputs.append(TestValue(last, nil))
        return TestGraph(
            nodes: nodes, inputs: [TestValue("x", [1, 8, "H", "W"])], outputs: outputs, initializers: weights)
    }

    /// Numbers in -0.5 ..< 0.5.
    private static func numbers(_ count: Int, _ seed: UInt64) -> [Float] {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Float(Int64(bitPattern: state) >> 40) / Float(1 << 24)
        }
    }
}
