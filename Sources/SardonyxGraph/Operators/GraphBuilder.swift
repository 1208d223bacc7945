/// Adds nodes to a graph, one after the other, and knows their outputs' types at once.
package final class GraphBuilder {
    package private(set) var graph: Graph
    /// The position in `graph.nodes` of the node that makes a value.
    package private(set) var producers: [ValueID: Int] = [:]
    /// Gives a node's outputs their types. Returns whether they have become constants, so that the node can go.
    private let infer: (inout Node, inout Graph) throws -> Bool
    /// Gradients with respect to values, of values with given gradients, through nodes of the graph; nil is zero.
    package let differentiate:
        (_ nodes: [Node], _ gradients: [(value: ValueID, gradient: ValueID)], _ targets: [ValueID], GraphBuilder) throws
            -> [ValueID?]
    /// What the added nodes' names begin with.
    package var prefix = ""
    /// Nodes that may still be added: what derives from derivatives grows with each step, and files must not fill the memory.
    package private(set) var allowance: Int

    /// - Parameter graph: what is there already, without nodes.
    package init(
        _ graph: Graph, allowance: Int, infer: @escaping (inout Node, inout Graph) throws -> Bool,
        differentiate:
            @escaping (
                _ nodes: [Node], _ gradients: [(value: ValueID, gradient: ValueID)], _ targets: [ValueID], GraphBuilder
            ) throws -> [ValueID?]
    ) {
        self.graph = graph
        self.allowance = allowance
        self.infer = infer
        self.differentiate = differentiate
    }

    /// The opset of the nodes that are made here, which are in the newest form.
    private static let opset = 28

    /// Adds a node and returns its outputs.
    package func add(
        _ operatorType: String, _ inputs: [ValueID?], _ attributes: [String: Attribute] = [:], outputs count: Int = 1
    ) throws -> [ValueID] {
        let name = "\(prefix)/\(operatorType)#\(graph.values.count)"
        let outputs = (0..<count).map { graph.addValue($0 == 0 ? name : "\(name).\($0)") }
        try append(
            Node(
                operatorType, opset: Self.opset, name: name, inputs: inputs, outputs: outputs, attributes: attributes,
                firstOutputName: name))
        return outputs
    }

    /// Adds a node whose outputs are values of the graph already.
    package func append(_ node: Node) throws {
        try spend(1)
        var node = node
        guard try !infer(&node, &graph) else { return }
        for case let id? in node.outputs { producers[id] = graph.nodes.count }
        graph.nodes.append(node)
    }

    /// Counts nodes that were added elsewhere.
    package func spend(_ count: Int) throws {
        guard allowance >= count else {
            throw SardonyxError(.invalidModel, "derivatives of derivatives would take too many nodes")
        }
        allowance -= count
    }

    package func addConstant(_ tensor: Tensor) -> ValueID {
        graph.addConstant(tensor, name: "\(prefix)/constant#\(graph.values.count)")
    }

    package func addValue(_ name: String) -> ValueID { graph.addValue(name) }
}
