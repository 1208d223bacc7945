import Sardonyx
import SardonyxCompiler
import SardonyxExecution
import SardonyxGraph
import SardonyxTestSupport
import Testing

/// Chains of layers, in the orders that tempt a rewrite: with the passes they give what they give without.
@Suite struct OptimizationTests {
    struct Chain: Sendable, CustomTestStringConvertible {
        /// One layer a word, each on the result of the one before; `add1` adds the result of layer 1, `sum1` adds it and the
        /// last one once more, `join1` joins it on along the channels, `cut` subtracts its later half of the channels from the
        /// first, `again` makes an output of the graph in between.
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
        "conv join1 conv", "conv conv join1 again cut", "conv conv join1 cut conv", "conv join1 join1 conv relu",
        "conv relu conv join1 pool conv", "conv conv cut again join1 cut", "conv squeeze conv",
        "conv conv squeeze add1",
        "conv squeeze again relu conv", "conv pool conv", "conv mean conv add1", "conv up conv", "conv lrn conv",
        "product", "product row", "product row gelu product", "product row gelutanh", "product add1",
        "product product row add1 relu", "product gelu again product add1", "row product row product bias add1 sigmoid",
        "gelu", "conv gelu", "halfgelu", "product row halfgelu add1", "product clip product hardsigmoid",
        "product row row",
        "conv softmax conv", "conv cut join1 conv", "conv conv join1 bn relu cut conv",
        "conv conv join1 pool squeeze conv",
        "conv scale bias clip", "conv bias scale relu", "deconv scale bias", "conv conv add1 scale", "conv relu scale",
        "conv double bn", "conv scale again double", "conv sum1 relu", "conv relu conv sum1",
        "conv clip", "conv bn clip bn", "conv hardsigmoid", "conv sigmoid conv bn", "conv relu again conv add1 bn relu",
        "conv gelutanh", "conv gelunone", "conv tanh conv hardswish", "product row tanh",
    ].map(Chain.init)

    /// In one chunk of work, and in several that may run in any order.
    @Test(arguments: chains, [[7, 9], [208, 9]])
    func passesChangeNothing(_ chain: Chain, size: [Int]) throws {
        let model = try modelBytes(Self.graph(chain)).withUnsafeBytes { try Model(bytes: $0) }
        let shape = [1, 8] + size
        let x = Tensor(shape: shape, scalars: Self.numbers(shape.reduce(1, *), 1))
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

    /// Where the precision is strict, the bits are those without passes. Ten channels, twenty and so on: kernels for blocks
    /// of eight add up in another order.
    @Test(arguments: chains.filter { !$0.layers.contains("cut again") }, [[7, 9], [208, 9]])
    func strictPassesKeepTheBits(_ chain: Chain, size: [Int]) throws {
        let model = try modelBytes(Self.graph(chain, channels: 10)).withUnsafeBytes { try Model(bytes: $0) }
        let shape = [1, 10] + size
        let x = Tensor(shape: shape, scalars: Self.numbers(shape.reduce(1, *), 1))
        var results: [[String: [UInt32]]] = []
        for optimizes in [false, true] {
            var options = Session.Options()
            options.optimizes = optimizes
            options.precision = .strict
            results.append(
                try Session(model, options: options).run(["x": x]).mapValues {
                    $0.scalars(Float.self).map(\.bitPattern)
                })
        }
        #expect(results[0] == results[1])
    }

    /// The same in blocks of eight, where convolutions' sums begin with biases and residuals.
    @Test(arguments: chains, [[7, 9], [208, 9]])
    func strictPassesKeepTheBitsInBlocks(_ chain: Chain, size: [Int]) throws {
        let model = try modelBytes(Self.graph(chain)).withUnsafeBytes { try Model(bytes: $0) }
        let shape = [1, 8] + size
        let x = Tensor(shape: shape, scalars: Self.numbers(shape.reduce(1, *), 1))
        let results = try [[], Optimizer.strict].map { passes -> [[UInt32]?] in
            var environment = Program.Environment(
                registry: .engine, packedWeights: PackedWeights(isDeferred: true), pool: .shared,
                optimizer: Optimizer(passes: passes))
            environment.policy = KernelPolicy(isStrict: true)
            return try Program(model.loaded.graph, environment).run([.tensor(x)]).map {
                $0.tensor?.scalars(Float.self).map(\.bitPattern)
            }
        }
        #expect(results[0] == results[1])
    }

    private static func graph(_ chain: Chain, channels: Int64 = 8) -> TestGraph {
        var network = Network(channels: channels)
        for layer in chain.layers.split(separator: " ") { network.append(String(layer)) }
        return network.graph
    }

    /// A chain as it grows.
    private struct Network {
        private var nodes: [TestNode] = []
        private var weights: [TestTensor] = [
            TestTensor("pads", integers: [0, 0, 1, 1, 0, 0, 1, 1]),
            TestTensor("low", dims: [], floats: [-0.25]), TestTensor("high", dims: [], floats: [0.5]),
            TestTensor("slope", dims: [1], floats: [0.25]), TestTensor("half", dims: [], floats: [0.5]),
            TestTensor("one", dims: [], floats: [1]), TestTensor("root", dims: [], floats: [Float(2).squareRoot()]),
            TestTensor("overroot", dims: [1], floats: [Float(0.5).squareRoot()]),
            TestTensor("scales", dims: [4], floats: [1, 1, 2, 2]),
        ]
        private var outputs: [TestValue] = []
        private var last = "x"
        private var channels: Int64
        /// Of the input and of what convolutions give.
        private let width: Int64
        private var count = 0
        private static let same: (String, TestAttribute) = ("pads", .ints([1, 1, 1, 1]))

        init(channels: Int64) { (self.channels, width) = (channels, channels) }

        var graph: TestGraph {
            TestGraph(
                nodes: nodes, inputs: [TestValue("x", [1, .extent(width), "H", "W"])],
                outputs: outputs + [TestValue(last, nil)],
                initializers: weights)
        }

        private mutating func constant(_ name: String, _ dims: [Int64], above bound: Float = -1) -> String {
            let values = numbers(Int(dims.reduce(1, *)), UInt64(weights.count))
            weights.append(TestTensor(name, dims: dims, floats: values.map { bound < 0 ? $0 : abs($0) + bound }))
            return name
        }

        mutating func append(_ layer: String) {
            if layer == "again" { return outputs.append(TestValue(last, nil)) }
            count += 1
            let (y, w) = ("y\(count)", "w\(count)")
            func add(
                _ type: String, _ inputs: [String], to output: String? = nil,
                _ attributes: [(String, TestAttribute)] = []
            ) {
                nodes.append(TestNode(type, inputs, [output ?? y], attributes))
            }
            switch layer {
            case "conv":
                add("Conv", [last, constant(w, [width, channels, 3, 3])], [Self.same])
                channels = width
            case "deconv":
                add("ConvTranspose", [last, constant(w, [channels, width, 3, 3])], [Self.same])
                channels = width
            case "pad":
                // Goes into the convolution, which has no padding of its own then.
                add("Pad", [last, "pads"], to: y + "p")
                add("Conv", [y + "p", constant(w, [width, channels, 3, 3])])
                channels = width
            case "up":
                // Larger, and back to the shape by a stride.
                add("Resize", [last, "", "scales"], to: y + "u")
                add(
                    "Conv", [y + "u", constant(w, [width, channels, 3, 3])], [Self.same, ("strides", .ints([2, 2]))])
                channels = width
            case "squeeze":
                add("GlobalAveragePool", [last], to: y + "g")
                add(
                    "Conv", [y + "g", constant(w, [channels, channels, 1, 1]), constant(w + "b", [channels])],
                    to: y + "c")
                add("Sigmoid", [y + "c"], to: y + "s")
                add("Mul", [last, y + "s"])
            case "join1":
                add("Concat", [last, "y1"], [("axis", .int(1))])
                channels += width
            case "cut":
                nodes.append(
                    TestNode("Split", [last], [y + "a", y + "b"], [("axis", .int(1)), ("num_outputs", .int(2))]))
                add("Sub", [y + "a", y + "b"])
                channels /= 2
            case "bn":
                let (scale, bias) = (constant(w, [channels]), constant(w + "b", [channels]))
                let (mean, variance) = (constant(w + "m", [channels]), constant(w + "v", [channels], above: 0.5))
                add("BatchNormalization", [last, scale, bias, mean, variance])
            case "norm":
                add("InstanceNormalization", [last, constant(w, [channels]), constant(w + "b", [channels])])
            case "pool", "mean":
                add(layer == "pool" ? "MaxPool" : "AveragePool", [last], [("kernel_shape", .ints([3, 3])), Self.same])
            case "lrn": add("LRN", [last], [("size", .int(3))])
            case "softmax": add("Softmax", [last], [("axis", .int(1))])
            case "bias": add("Add", [last, constant(w, [channels, 1, 1])])
            case "scale": add("Mul", [constant(w, [1, channels, 1, 1]), last])
            case "double": add("Mul", [last, "high"])
            case "add1": add("Add", [last, "y1"])
            case "product": add("MatMul", [last, constant(w, [9, 9])])
            case "row": add("Add", [constant(w, [9]), last])
            case "gelu", "halfgelu":
                // As exporters write it, in two orders.
                add(layer == "gelu" ? "Div" : "Mul", [last, layer == "gelu" ? "root" : "overroot"], to: y + "z")
                add("Erf", [y + "z"], to: y + "e")
                add("Add", [y + "e", "one"], to: y + "s")
                add("Mul", [layer == "gelu" ? y + "s" : "half", last], to: y + "m")
                add("Mul", layer == "gelu" ? [y + "m", "half"] : [y + "m", y + "s"])
            case "gelunone": add("Gelu", [last])
            case "gelutanh": add("Gelu", [last], [("approximate", .text("tanh"))])
            case "sum1": add("Sum", [last, "y1", last])
            case "relu": add("Relu", [last])
            case "sigmoid": add("Sigmoid", [last])
            case "tanh": add("Tanh", [last])
            case "hardswish": add("HardSwish", [last])
            case "hardsigmoid": add("HardSigmoid", [last])
            case "leaky": add("LeakyRelu", [last], [("alpha", .float(0.1))])
            case "prelu": add("PRelu", [last, "slope"])
            case "prelus": add("PRelu", [last, constant(w, [channels, 1, 1])])
            case "clip": add("Clip", [last, "low", "high"])
            default: preconditionFailure("no layer is called \(layer)")
            }
            last = y
        }
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
