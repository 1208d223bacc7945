import Sardonyx
import SardonyxCompiler
import SardonyxExecution
import SardonyxGraph
import SardonyxOperators
import SardonyxTestSupport
import Testing

/// Convolutions of maps that nearest upsampling enlarges read the smaller map, and give the same bits.
@Suite struct UpsamplingFusionTests {
    struct Network: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// The steps of the plan, by operator.
        let steps: [String]
        /// Whether the bits are those of the convolution of the larger map.
        let keepsBits: Bool
        let shape: [Int]
        let nodes: [TestNode]

        init(
            _ description: String, steps: [String] = ["Conv"], keepsBits: Bool = true, x shape: [Int] = [2, 16, 9, 7],
            _ nodes: [TestNode]
        ) {
            testDescription = description
            self.steps = steps
            self.keepsBits = keepsBits
            self.shape = shape
            self.nodes = nodes
        }
    }

    private static func up(
        _ scales: String = "double", sizes: String? = nil, _ coordinates: String? = nil, _ rounding: String? = nil,
        mode: String? = nil
    ) -> TestNode {
        let attributes = [
            ("coordinate_transformation_mode", coordinates), ("nearest_mode", rounding), ("mode", mode),
        ].compactMap { name, value in value.map { (name, TestAttribute.text($0)) } }
        return TestNode(
            "Resize", ["x", "", sizes == nil ? scales : ""] + (sizes.map { [$0] } ?? []), ["u"], attributes)
    }

    private static func conv(
        _ weights: String = "w", _ attributes: [(String, TestAttribute)] = [("pads", .ints([1, 1, 1, 1]))],
        to y: String = "y"
    ) -> TestNode {
        TestNode("Conv", ["u", weights] + (weights == "w" ? ["b"] : []), [y], attributes)
    }

    private static let apart = ["Resize", "Conv"]

    static let networks = [
        Network("half pixels, rounded", [up(), conv()]),
        Network("half pixels, rounded up", [up("double", "half_pixel", "round_prefer_ceil"), conv()]),
        Network("asymmetric, floor", [up("double", "asymmetric", "floor"), conv()]),
        Network("asymmetric, rounded down at the middle", [up("double", "asymmetric"), conv()]),
        Network("half pixels as PyTorch has them", [up("double", "pytorch_half_pixel"), conv()]),
        Network("half pixels, symmetric", [up("double", "half_pixel_symmetric"), conv()]),
        Network("three times, half pixels", [up("triple"), conv()]),
        Network("twice and three times", [up("uneven", "asymmetric", "floor"), conv()]),
        Network("one axis alone", [up("wide"), conv()]),
        Network("by sizes", [up(sizes: "sizes"), conv()]),
        Network("without padding", [up(), conv("w", [])]),
        Network(
            "with a stride of 2", [up(), conv("w", [("pads", .ints([1, 1, 1, 1])), ("strides", .ints([2, 2]))])]),
        Network("padded to the same size", [up(), conv("w", [("auto_pad", .text("SAME_UPPER"))])]),
        Network("a window of 5 × 5, dilated", [up(), conv("w5", [("dilations", .ints([2, 2]))])]),
        Network("a few channels", [up(), conv("few", to: "y")]),
        Network("in groups", [up(), conv("grouped", [("group", .int(2))])]),
        Network("an activation behind", [up(), conv(to: "c"), TestNode("Relu", ["c"], ["y"])]),
        Network(
            "a residual behind", steps: ["Resize", "Conv"],
            [
                TestNode("Resize", ["x", "", "double"], ["r"], [("mode", .text("linear"))]), up(),
                conv("same", to: "c"),
                TestNode("Add", ["c", "r"], ["y"]),
            ]),
        Network(
            "twice one after the other", steps: ["Conv", "Conv"],
            [
                up(), conv("same", to: "c"), TestNode("Resize", ["c", "", "double"], ["v"]),
                TestNode("Conv", ["v", "w"], ["y"]),
            ]),
        Network(
            "along one axis of space", x: [2, 16, 23],
            [up("line"), conv("line3", [("pads", .ints([1, 1]))])]),
        Network(
            "a volume", x: [1, 16, 4, 5, 6],
            [up("cube"), conv("w3", [("pads", .ints([1, 1, 1, 1, 1, 1]))])]),
        Network("one pixel's window", steps: ["Conv", "Resize"], keepsBits: false, [up(), conv("point", [])]),
        Network(
            "one pixel's window, by sizes", steps: ["Conv", "Resize"], keepsBits: false,
            [up(sizes: "sizes"), conv("point", [])]),
        Network(
            "one pixel's window and a larger one", steps: ["Conv", "Conv"], keepsBits: false,
            [
                up(), conv("point", [], to: "c"), TestNode("Relu", ["c"], ["d"]),
                TestNode("Conv", ["d", "after"], ["y"]),
            ]),

        Network("linear", steps: apart, [up(mode: "linear"), conv()]),
        Network("corners aligned", steps: apart, [up("triple", "align_corners"), conv()]),
        Network("corners aligned, which repeats too", [up("double", "align_corners"), conv()]),
        Network("half pixels, floor", steps: apart, [up("double", "half_pixel", "floor"), conv()]),
        Network("three times, asymmetric and rounded", steps: apart, [up("triple", "asymmetric"), conv()]),
        Network("one and a half times", steps: apart, [up("half"), conv()]),
        Network("channels repeated", steps: apart, [up("channels"), conv("both")]),
        Network("smaller", steps: apart, [up("smaller", "asymmetric", "floor"), conv()]),
        Network("five channels", steps: apart, x: [2, 5, 9, 7], [up(), conv("five")]),
        Network("depthwise", steps: apart, [up(), conv("depthwise", [("group", .int(16))])]),
        Network(
            "read by two convolutions", steps: ["Resize", "Conv", "Conv", "Concat"],
            [
                up(), conv("same", to: "c"), conv(to: "d"),
                TestNode("Concat", ["c", "d"], ["y"], [("axis", .int(1))]),
            ]),
        Network(
            "added to the result as well", steps: apart,
            [up(), conv("same", to: "c"), TestNode("Add", ["c", "u"], ["y"])]),
        Network(
            "one pixel's window and a residual", steps: apart,
            [
                TestNode("Resize", ["x", "", "double"], ["r"], [("mode", .text("linear"))]), up(),
                conv("square", [], to: "c"), TestNode("Add", ["c", "r"], ["y"]),
            ]),
    ]

    private static let initializers: [TestTensor] = {
        func scales(_ name: String, _ values: [Float]) -> TestTensor {
            TestTensor(name, dims: [Int64(values.count)], floats: values)
        }
        func weights(_ name: String, _ dims: [Int64]) -> TestTensor {
            TestTensor(name, dims: dims, floats: randomNumbers(Int(dims.reduce(1, *)), skipping: name.utf8.count))
        }
        return [
            scales("double", [1, 1, 2, 2]), scales("triple", [1, 1, 3, 3]), scales("uneven", [1, 1, 2, 3]),
            scales("wide", [1, 1, 1, 4]), scales("half", [1, 1, 1.5, 1.5]), scales("channels", [1, 2, 2, 2]),
            scales("smaller", [1, 1, 0.5, 0.5]), scales("line", [1, 1, 2]), scales("cube", [1, 1, 2, 2, 2]),
            TestTensor("sizes", integers: [2, 16, 18, 14]), weights("w", [24, 16, 3, 3]),
            weights("same", [16, 16, 3, 3]), weights("w5", [8, 16, 5, 5]), weights("few", [3, 16, 3, 3]),
            weights("grouped", [32, 8, 3, 3]), weights("line3", [8, 16, 3]), weights("w3", [8, 16, 3, 3, 3]),
            weights("point", [24, 16, 1, 1]), weights("after", [8, 24, 3, 3]), weights("both", [8, 32, 3, 3]),
            weights("five", [8, 5, 3, 3]), weights("depthwise", [16, 1, 3, 3]), weights("square", [16, 16, 1, 1]),
            weights("b", [24]),
        ]
    }()

    private static func model(_ network: Network, outputs: [String]) throws -> Model {
        let graph = TestGraph(
            nodes: network.nodes, inputs: [TestValue("x", network.shape.map { .extent(Int64($0)) })],
            outputs: outputs.map { TestValue($0, nil) }, initializers: initializers)
        return try modelBytes(graph).withUnsafeBytes { try Model(bytes: $0) }
    }

    @Test(arguments: networks)
    func givesWhatItsPartsGive(_ network: Network) throws {
        let inputs = [
            "x": Tensor(shape: network.shape, scalars: randomNumbers(network.shape.reduce(1, *), skipping: 3))
        ]
        // Without passes; with them; and with the larger map as an output, so that it is made; and both where precision is
        // strict.
        var results: [[Float]] = []
        var arenas: [Int] = []
        for (optimizes, outputs) in [
            (false, ["y"]), (true, ["y"]), (true, ["y", "u"]), (true, ["y"]), (true, ["y", "u"]),
        ] {
            var options = Session.Options()
            options.optimizes = optimizes
            options.precision = results.count < 3 ? .standard : .strict
            let session = try Session(Self.model(network, outputs: outputs), options: options)
            results.append(try #require(try session.run(inputs)["y"]).scalars())
            let plan = try session.boundPlan(for: inputs.mapValues(Datum.tensor)).plan
            arenas.append(plan.arenaByteCount)
            let steps = plan.steps.map(\.node.operatorType).filter { $0 != "Reorder" }
            if results.count == 2 { #expect(steps == network.steps) }
            if results.count == 3 { #expect(steps.contains("Resize")) }
            if results.count == 4, network.steps.first == "Conv" { #expect(!steps.contains("Resize")) }
        }
        let limit = 1e-5 * (results[0].map(abs).max() ?? 0)
        #expect(limit > 0 && results[0].count == results[1].count)
        #expect(zip(results[0], results[1]).allSatisfy { abs($0 - $1) <= limit })
        #expect(results[3].map(\.bitPattern) == results[4].map(\.bitPattern))
        if network.keepsBits { #expect(results[1].map(\.bitPattern) == results[2].map(\.bitPattern)) }
        if network.steps == ["Conv"] { #expect(arenas[1] < arenas[2]) }
    }

    /// Where a plan has no blocks of channels, the larger map is made in scratch memory.
    @Test(arguments: networks)
    func givesTheSameOnPlainTensors(_ network: Network) throws {
        let x = Tensor(shape: network.shape, scalars: randomNumbers(network.shape.reduce(1, *), skipping: 3))
        let results = try [[], Optimizer.standard].map { passes -> [Float] in
            var environment = Program.Environment(
                registry: .engine, packedWeights: PackedWeights(isDeferred: true), pool: .shared,
                optimizer: Optimizer(passes: passes))
            environment.usesLayouts = false
            let program = try Program(Self.model(network, outputs: ["y"]).loaded.graph, environment)
            return try #require(program.run([.tensor(x)]).first?.tensor).scalars()
        }
        let limit = 1e-5 * (results[0].map(abs).max() ?? 0)
        #expect(limit > 0 && results[0].count == results[1].count)
        #expect(zip(results[0], results[1]).allSatisfy { abs($0 - $1) <= limit })
    }
}
