/// What an operator's `lift` may do besides changing its node: add constants, and nodes before and after.
package struct Lifting {
    private var graph: Graph
    package private(set) var before: [Node] = []
    package private(set) var after: [Node] = []

    /// Takes the graph until `giveBack`: two owners would copy its arrays at each change.
    package init(taking graph: inout Graph) {
        self.graph = Graph()
        swap(&self.graph, &graph)
    }
    package mutating func giveBack(to graph: inout Graph) { swap(&self.graph, &graph) }

    package func constant(_ id: ValueID?) -> Tensor? { id.flatMap { graph.constants[$0] } }
    package func type(_ id: ValueID?) -> ValueType { id.map { graph[$0].type } ?? .unknown }
    package func name(_ id: ValueID) -> String { graph[id].name }

    /// Adds a constant: an attribute that became an input.
    package mutating func add(_ tensor: Tensor, _ name: String) -> ValueID {
        graph.addConstant(tensor, name: name)
    }

    /// Adds an int64 vector constant.
    package mutating func add(_ integers: [Int], _ name: String) -> ValueID { add(Tensor(integers: integers), name) }

    /// Adds a node before the lifted one and returns its output.
    package mutating func insertBefore(
        _ operatorType: String, _ inputs: [ValueID?], _ attributes: [String: Attribute] = [:], for node: Node
    ) -> ValueID {
        let output = graph.addValue("\(node.displayName).\(operatorType)#\(before.count)")
        before.append(make(operatorType, inputs, [output], attributes, node))
        return output
    }

    /// Adds a node after the lifted one, that makes `output`.
    package mutating func insertAfter(
        _ operatorType: String, _ inputs: [ValueID?], output: ValueID?, _ attributes: [String: Attribute] = [:],
        for node: Node
    ) {
        insertAfter(operatorType, inputs, outputs: [output], attributes, for: node)
    }

    /// Adds a node after the lifted one, with several outputs.
    package mutating func insertAfter(
        _ operatorType: String, _ inputs: [ValueID?], outputs: [ValueID?], _ attributes: [String: Attribute] = [:],
        for node: Node
    ) {
        after.append(make(operatorType, inputs, outputs, attributes, node))
    }

    /// A value for the lifted node to make instead of its own output.
    package mutating func addValue(_ name: String) -> ValueID { graph.addValue(name) }

    private func make(
        _ operatorType: String, _ inputs: [ValueID?], _ outputs: [ValueID?], _ attributes: [String: Attribute],
        _ node: Node
    ) -> Node {
        Node(
            operatorType, opset: node.opset, name: node.name, inputs: inputs, outputs: outputs,
            attributes: attributes, firstOutputName: node.firstOutputName)
    }

    /// Takes what was added since the last call.
    package mutating func takeInserted() -> (before: [Node], after: [Node]) {
        defer { (before, after) = ([], []) }
        return (before, after)
    }
}
