/// What the derivatives of a model may take: what derives from derivatives grows with each step, and a file must neither fill
/// the memory nor keep the compiler busy for minutes.
package struct DerivativeAllowance: Sendable {
    let total: Int
    /// Nodes of the model that the derivatives are added to.
    let modelCount: Int
    /// Nodes that may still be added.
    package var left: Int
    /// Nodes that may still be looked at, to find what determines what.
    package var visits: Int

    package init(_ total: Int, visits: Int, modelOf modelCount: Int) {
        self.total = total
        self.modelCount = modelCount
        left = total
        self.visits = visits
    }
}

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
    package private(set) var allowance: DerivativeAllowance

    /// - Parameter graph: what is there already, without nodes.
    package init(
        _ graph: Graph, allowance: DerivativeAllowance, infer: @escaping (inout Node, inout Graph) throws -> Bool,
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
        // The graphs inside are looked at anew, each time that a graph around them is.
        if node.hasSubgraphs { try visit(8 * node.innerCount) }
        var node = node
        guard try !infer(&node, &graph) else { return }
        for case let id? in node.outputs { producers[id] = graph.nodes.count }
        graph.nodes.append(node)
    }

    private func spend(_ count: Int) throws {
        guard allowance.left >= count else {
            throw SardonyxError(
                .invalidModel,
                "derivatives would take too many nodes: \(allowance.total) may be added to a model of "
                    + "\(allowance.modelCount); derivatives of derivatives grow with each step")
        }
        allowance.left -= count
    }

    /// Counts nodes that somebody looks at.
    package func visit(_ count: Int) throws {
        guard allowance.visits >= count else {
            throw SardonyxError(
                .invalidModel,
                "derivatives would take too long: the ways between what they name have millions of nodes in all")
        }
        allowance.visits -= count
    }

    /// Takes over what a builder of a graph inside has left of this one's allowance.
    package func settle(_ inside: DerivativeAllowance) throws {
        try spend(allowance.left - inside.left)
        allowance.visits = inside.visits
    }

    package func addConstant(_ tensor: Tensor) -> ValueID {
        graph.addConstant(tensor, name: "\(prefix)/constant#\(graph.values.count)")
    }

    package func addValue(_ name: String) -> ValueID { graph.addValue(name) }
}
