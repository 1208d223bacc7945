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
    /// A builder of a graph inside a node, with what is left of the allowance.
    private let inside: (Graph, DerivativeAllowance) -> GraphBuilder
    /// What the added nodes' names begin with.
    package var prefix = ""
    package private(set) var allowance: DerivativeAllowance

    /// - Parameter graph: what is there already, without nodes.
    package init(
        _ graph: Graph, allowance: DerivativeAllowance, infer: @escaping (inout Node, inout Graph) throws -> Bool,
        differentiate:
            @escaping (
                _ nodes: [Node], _ gradients: [(value: ValueID, gradient: ValueID)], _ targets: [ValueID], GraphBuilder
            ) throws -> [ValueID?],
        inside: @escaping (Graph, DerivativeAllowance) -> GraphBuilder
    ) {
        self.inside = inside
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

    package func addValue(_ name: String, type: ValueType = .unknown) -> ValueID { graph.addValue(name, type: type) }

    /// Notes what is known of a value besides what its node tells.
    package func setType(_ id: ValueID, _ type: ValueType) { graph[id].type = type }

    /// A graph for a node's attribute. What `body` adds to it counts here too.
    /// - Parameter graph: without nodes; what it captures has no type yet.
    /// - Returns: the graph, whose outputs are what `body` gives.
    package func subgraph(
        _ graph: Graph, captured: [ValueID], _ body: (GraphBuilder) throws -> [ValueID]
    ) throws -> Subgraph {
        var graph = graph
        for (outside, capture) in zip(captured, graph.captures) { graph[capture].type = self.graph[outside].type }
        let builder = inside(graph, allowance)
        builder.prefix = prefix
        // Each output is a value of its own, also where it is an input.
        let outputs = try body(builder).map { try builder.add("Identity", [$0])[0] }
        try settle(builder.allowance)
        var result = builder.graph
        result.outputs = outputs
        return Subgraph(graph: result, captured: captured)
    }

    /// Adds the nodes of a graph inside a node of this one, with these values as its inputs, and returns its outputs.
    package func inline(_ subgraph: Subgraph, _ inputs: [ValueID]) throws -> [ValueID] {
        let body = subgraph.graph
        var places = Dictionary(zip(body.captures, subgraph.captured), uniquingKeysWith: { first, _ in first })
        for (input, value) in zip(body.inputs, inputs) { places[input] = value }
        for (id, tensor) in body.constants where places[id] == nil { places[id] = addConstant(tensor) }
        for var node in body.nodes {
            node.mapUses { places[$0] ?? $0 }
            node.outputs = node.outputs.map { id in
                guard let id else { return nil }
                let copy = addValue("\(prefix)/\(body[id].name)#\(graph.values.count)")
                places[id] = copy
                return copy
            }
            try append(node)
        }
        return body.outputs.map { places[$0] ?? $0 }
    }
}
