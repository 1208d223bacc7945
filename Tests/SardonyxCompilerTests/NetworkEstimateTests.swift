import SardonyxGraph
import SardonyxOperators
import Testing

@testable import SardonyxCompiler

/// The price of a byte of weights follows from what the network as a whole takes and holds.
@Suite struct NetworkEstimateTests {
    /// A chain of convolutions that share their weights, and a constant that is added at the end.
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let layers: Int
        /// Images that the constant has; 0 for none.
        var images = 0
        let isWinograd: Bool
        var testDescription: String { name }

        var graph: Graph {
            var graph = Graph(name: name)
            var value = graph.addValue("image", type: .tensor(.float, SymbolicShape([1, 64, 24, 24])))
            graph.inputs = [value]
            func constant(_ shape: [Int], in graph: inout Graph) -> ValueID {
                let count = shape.reduce(1, *)
                return graph.addConstant(
                    Tensor(shape: shape, scalars: [Float](repeating: 0.5, count: count)), name: "constant")
            }
            let weights = constant([64, 64, 3, 3], in: &graph)
            func add(_ type: String, _ inputs: [ValueID?], _ attributes: [String: Attribute] = [:]) -> ValueID {
                let output = graph.addValue("y")
                graph.nodes.append(Node(type, opset: 28, inputs: inputs, outputs: [output], attributes: attributes))
                return output
            }
            for _ in 0..<layers { value = add("Conv", [value, weights], ["pads": .ints([1, 1, 1, 1])]) }
            if images > 0 { value = add("Add", [value, constant([images, 64, 24, 24], in: &graph)]) }
            graph.outputs = [value]
            return graph
        }
    }

    static let rows = [
        Row(name: "alone, weights are a part of what little there is", layers: 1, isWinograd: true),
        Row(name: "they are most of what a long run holds", layers: 40, isWinograd: false),
        Row(name: "they are little of what a long run holds", layers: 40, images: 140, isWinograd: true),
    ]

    @Test(arguments: rows)
    func bytesHaveThePriceOfTheirNetwork(_ row: Row) throws {
        let planner = Planner(
            registry: .engine, packedWeights: PackedWeights(), workers: 1, optimizer: Optimizer(passes: []))
        let graph = row.graph
        let plan = try planner.plan(graph, types: graph.inputs.map { graph[$0].type })
        let algorithms = plan.steps.compactMap { step in
            if case .kernel(let kernel) = step.work, step.node.operatorType == "Conv" { kernel.algorithm } else { nil }
        }
        #expect(algorithms.count == row.layers)
        #expect(algorithms.allSatisfy { row.isWinograd ? $0.hasPrefix("winograd") : $0 == "blocks" })
    }
}
