import SardonyxGraph
import SardonyxOperators
import Testing

@testable import SardonyxCompiler

/// Which steps a plan has: the reorders between layouts, and the joins that need none because their inputs are made in place.
@Suite struct LayoutNegotiationTests {
    /// A network in a few words: each node names its operator, inputs and output.
    struct Network: Sendable, CustomTestStringConvertible {
        struct Layer: Sendable {
            let type: String
            let inputs: [String]
            let output: String
            var attributes: [String: Attribute] = [:]
            /// The shape of constant weights after the inputs.
            var weights: [Int]?
        }
        let name: String
        let image: [Int]
        let layers: [Layer]
        let outputs: [String]
        /// The operators of the plan's steps, in order.
        let steps: [String]
        var usesLayouts = true
        var testDescription: String { name }

        var graph: Graph {
            var graph = Graph(name: name)
            var ids = ["image": graph.addValue("image", type: .tensor(.float, SymbolicShape(image)))]
            graph.inputs = [ids["image"]!]
            for layer in layers {
                var inputs: [ValueID?] = layer.inputs.map { ids[$0] }
                if let shape = layer.weights {
                    let count = shape.reduce(1, *)
                    inputs.append(
                        graph.addConstant(
                            Tensor(shape: shape, scalars: [Float](repeating: 0.5, count: count)), name: "weights"))
                }
                let output = graph.addValue(layer.output)
                ids[layer.output] = output
                graph.nodes.append(
                    Node(layer.type, opset: 28, inputs: inputs, outputs: [output], attributes: layer.attributes))
            }
            graph.outputs = outputs.compactMap { ids[$0] }
            return graph
        }
    }

    private static let window: [String: Attribute] = ["kernel_shape": .ints([2, 2])]
    private static func conv(_ input: String, _ output: String, _ weights: [Int]) -> Network.Layer {
        Network.Layer(type: "Conv", inputs: [input], output: output, weights: weights)
    }

    static let networks: [Network] = [
        Network(
            name: "a chain from a picture to a mask needs no reorder", image: [1, 3, 12, 12],
            layers: [
                conv("image", "a", [16, 3, 3, 3]), .init(type: "Sigmoid", inputs: ["a"], output: "b"),
                .init(type: "MaxPool", inputs: ["b"], output: "c", attributes: window), conv("c", "d", [2, 16, 1, 1]),
            ], outputs: ["d"], steps: ["Conv", "Sigmoid", "MaxPool", "Conv"]),
        Network(
            name: "what is read plain twice is reordered once", image: [1, 8, 12, 12],
            layers: [
                conv("image", "a", [16, 8, 3, 3]),
                .init(type: "Softmax", inputs: ["a"], output: "b", attributes: ["axis": .int(-1)]),
                .init(type: "Hardmax", inputs: ["a"], output: "c", attributes: ["axis": .int(-1)]),
            ], outputs: ["b", "c"], steps: ["Reorder", "Conv", "Reorder", "Softmax", "Hardmax"]),
        Network(
            name: "an output of the graph is plain", image: [1, 3, 12, 12],
            layers: [
                conv("image", "a", [16, 3, 3, 3]), .init(type: "Relu", inputs: ["a"], output: "b"),
                conv("b", "c", [8, 16, 1, 1]),
            ], outputs: ["b", "c"], steps: ["Conv", "Relu", "Conv", "Reorder", "Reorder"]),
        Network(
            name: "without layouts nothing is reordered", image: [1, 8, 12, 12],
            layers: [conv("image", "a", [16, 8, 3, 3]), .init(type: "Relu", inputs: ["a"], output: "b")],
            outputs: ["b"], steps: ["Conv", "Relu"], usesLayouts: false),
        Network(
            name: "one pixel is the same in both layouts", image: [1, 8, 12, 12],
            layers: [
                conv("image", "a", [16, 8, 3, 3]), .init(type: "GlobalAveragePool", inputs: ["a"], output: "b"),
                conv("b", "c", [16, 16, 1, 1]), .init(type: "Mul", inputs: ["a", "c"], output: "d"),
                conv("d", "e", [3, 16, 1, 1]),
            ], outputs: ["e"], steps: ["Reorder", "Conv", "GlobalAveragePool", "Conv", "Mul", "Conv"]),
        Network(
            name: "what a concatenation joins is made in its place", image: [1, 3, 12, 12],
            layers: [
                conv("image", "a", [16, 3, 3, 3]), conv("image", "b", [8, 3, 3, 3]),
                .init(type: "Concat", inputs: ["a", "b"], output: "c", attributes: ["axis": .int(1)]),
                .init(type: "Relu", inputs: ["b"], output: "d"),
                .init(type: "Concat", inputs: ["c", "d"], output: "e", attributes: ["axis": .int(1)]),
                conv("e", "f", [3, 32, 1, 1]),
            ], outputs: ["f"], steps: ["Conv", "Conv", "Relu", "Conv"]),
        Network(
            name: "with two images a concatenation copies", image: [2, 3, 12, 12],
            layers: [
                conv("image", "a", [16, 3, 3, 3]), conv("image", "b", [8, 3, 3, 3]),
                .init(type: "Concat", inputs: ["a", "b"], output: "c", attributes: ["axis": .int(1)]),
                conv("c", "d", [3, 24, 1, 1]),
            ], outputs: ["d"], steps: ["Conv", "Conv", "Concat", "Conv"]),
        Network(
            name: "a value joined twice is copied", image: [1, 3, 12, 12],
            layers: [
                conv("image", "a", [8, 3, 3, 3]),
                .init(type: "Concat", inputs: ["a", "a"], output: "b", attributes: ["axis": .int(1)]),
                conv("b", "c", [3, 16, 1, 1]),
            ], outputs: ["c"], steps: ["Conv", "Concat", "Conv"]),
    ]

    @Test(arguments: networks)
    func steps(_ network: Network) throws {
        var planner = Planner(
            registry: .engine, packedWeights: PackedWeights(), workers: 1, optimizer: Optimizer(passes: []))
        planner.usesLayouts = network.usesLayouts
        let plan = try planner.plan(
            network.graph, types: [.tensor(.float, SymbolicShape(network.image))])
        #expect(plan.steps.map(\.node.operatorType) == network.steps)
    }

    /// Parts of a joined value keep their distance, and lie within the arena.
    @Test func placesOfJoinedValues() throws {
        let network = try #require(Self.networks.first { $0.name.hasPrefix("what a concatenation") })
        let plan = try Planner(
            registry: .engine, packedWeights: PackedWeights(), workers: 1, optimizer: Optimizer(passes: [])
        ).plan(network.graph, types: [.tensor(.float, SymbolicShape(network.image))])
        let starts = plan.steps.prefix(3).map { step -> Int? in
            if case .arena(let offset)? = step.outputs[0] { offset } else { nil }
        }
        let first = try #require(starts[0])
        // 16 and 8 channels of 10 × 10 floats come before.
        #expect(starts == [first, first + 6400, first + 9600])
        // Nothing else but the steps' scratch memory, one at a time.
        #expect(plan.workspaceByteCount > 0)
        #expect(plan.arenaByteCount == 12800 + (plan.workspaceByteCount + 63) / 64 * 64)
    }
}
