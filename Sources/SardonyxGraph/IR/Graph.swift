/// The place of a value in `Graph.values`.
package struct ValueID: Sendable, Hashable {
    package let index: Int32
    package init(_ index: Int) { self.index = Int32(index) }
}

/// A value: made once, by a node, as an input, a capture or a constant, and read any number of times.
package struct Value: Sendable {
    /// The name in the file, kept for messages; made-up values have a name derived from it.
    package var name: String
    package var type: ValueType

    package init(name: String, type: ValueType = .unknown) {
        self.name = name
        self.type = type
    }
}

/// The one intermediate representation: nodes in execution order, in static single assignment.
package struct Graph: Sendable {
    package var name: String
    package var values: [Value] = []
    /// Every node comes after the nodes whose outputs it reads.
    package var nodes: [Node] = []
    package var inputs: [ValueID] = []
    /// In a subgraph, the values that stand for what it reads from the graph around it.
    package var captures: [ValueID] = []
    package var outputs: [ValueID] = []
    package var constants: [ValueID: Tensor] = [:]
    /// Defaults of inputs that are also initialisers (IR version 3 wants all of them to be inputs).
    package var inputDefaults: [ValueID: Tensor] = [:]

    package init(name: String = "") { self.name = name }

    package subscript(id: ValueID) -> Value {
        get { values[Int(id.index)] }
        set { values[Int(id.index)] = newValue }
    }

    package mutating func addValue(_ name: String, type: ValueType = .unknown) -> ValueID {
        values.append(Value(name: name, type: type))
        return ValueID(values.count - 1)
    }

    package mutating func addConstant(_ tensor: Tensor, name: String) -> ValueID {
        let id = addValue(name, type: .tensor(tensor.dataType, SymbolicShape(tensor.shape)))
        constants[id] = tensor
        return id
    }

    /// All node counts, subgraphs included, by operator.
    package func operatorCounts() -> [String: Int] {
        var counts: [String: Int] = [:]
        for node in nodes {
            counts[node.qualifiedType, default: 0] += 1
            for subgraph in node.subgraphs {
                counts.merge(subgraph.graph.operatorCounts(), uniquingKeysWith: +)
            }
        }
        return counts
    }
}
