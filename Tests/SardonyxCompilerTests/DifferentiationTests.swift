import SardonyxGraph
import SardonyxOperators
import Testing

@testable import SardonyxCompiler

@Suite struct DifferentiationTests {
    private static let vector = ValueType.tensor(.double, [.symbol("N")])

    /// d0 = mish(x), d1 = ∂d0/∂x, d2 = ∂d1/∂x …
    private static func model(order: Int) -> Graph {
        var graph = Graph(name: "mish")
        let x = graph.addValue("x", type: vector)
        graph.inputs = [x]
        var y = graph.addValue("d0")
        graph.nodes = [Node("Mish", opset: 28, name: "mish", inputs: [x], outputs: [y])]
        for order in stride(from: 1, through: order, by: 1) {
            let derivative = graph.addValue("d\(order)")
            graph.nodes.append(
                Node(
                    "Gradient", domain: "ai.onnx.preview.training", opset: 1, name: "g\(order)", inputs: [x, x, y],
                    outputs: [derivative], attributes: ["xs": .strings(["x"]), "y": .string(graph[y].name)]))
            y = derivative
        }
        graph.outputs = [y]
        return graph
    }

    @Test func ordinaryOperatorsAreLeft() throws {
        var graph = Self.model(order: 2)
        try Differentiation(registry: .standard, foldingLimit: 1 << 16).run(on: &graph)
        try graph.verify()
        #expect(graph.nodes.allSatisfy { $0.domain.isEmpty })
        #expect(graph[graph.outputs[0]].type == Self.vector)
    }

    @Test func aGraphWithoutGradientsStays() throws {
        var graph = Self.model(order: 0)
        try Differentiation(registry: .standard, foldingLimit: 1 << 16).run(on: &graph)
        #expect(graph.nodes.count == 1 && graph.values.count == 2)
    }

    /// Each derivative of a derivative is several times as long: a short file must not fill the memory.
    @Test func derivativesOfDerivativesEnd() throws {
        var graph = Self.model(order: 60)
        var differentiation = Differentiation(registry: .standard, foldingLimit: 1 << 16)
        differentiation.maximumNodes = 2000
        let error = #expect(throws: SardonyxError.self) { try differentiation.run(on: &graph) }
        #expect(error?.code == .invalidModel)
        #expect(error?.message.contains("too many nodes") ?? false)
    }

    /// Many nodes that look at a long way each: a file must not keep the compiler busy.
    @Test func longWaysEnd() throws {
        var graph = Self.model(order: 8)
        var differentiation = Differentiation(registry: .standard, foldingLimit: 1 << 16)
        differentiation.maximumVisits = 50
        let error = #expect(throws: SardonyxError.self) { try differentiation.run(on: &graph) }
        #expect(error?.code == .invalidModel && error?.operatorType == "Gradient")
        #expect(error?.message.contains("too long") ?? false)
    }

    /// Constants keep the values of a weight that is differentiated by: folding would hide the way to it.
    @Test func weightsAreNotFolded() throws {
        var graph = Graph(name: "weights")
        let w = graph.addConstant(Tensor(shape: [2], scalars: [3, 4] as [Double]), name: "w")
        let y = graph.addValue("y")
        let gradient = graph.addValue("d")
        graph.nodes = [
            Node("Mul", opset: 28, name: "square", inputs: [w, w], outputs: [y]),
            Node(
                "Gradient", domain: "ai.onnx.preview.training", opset: 1, name: "g", inputs: [w, w, y],
                outputs: [gradient], attributes: ["xs": .strings(["w"]), "y": .string("y")]),
        ]
        graph.outputs = [gradient]
        try Differentiation(registry: .standard, foldingLimit: 1 << 16).run(on: &graph)
        try TypeInference(registry: .standard).run(on: &graph)
        #expect(graph.constants[gradient]?.doubles == [6, 8])
    }
}
