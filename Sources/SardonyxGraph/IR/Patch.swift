/// A change to a graph around one node. Passes return patches; only `Graph.apply` changes the graph.
package struct Patch: Sendable {
    /// What the change does, for `inspect --explain`: "fold batch normalisation into Conv".
    package var label: String
    /// Nodes that go, by position.
    package var removed: Set<Int>
    /// Nodes that come, at the place of the patched node, in order.
    package var added: [Node]
    /// Values that take others' place everywhere: old to new.
    package var replaced: [ValueID: ValueID]
    /// Values that the added nodes or the replacements need, numbered from the graph's `values.count` on.
    package var newValues: [Value]
    package var newConstants: [ValueID: Tensor]
    fileprivate let firstNewValue: Int

    package init(_ label: String, on graph: Graph, removing removed: Set<Int>) {
        self.label = label
        self.removed = removed
        added = []
        replaced = [:]
        newValues = []
        newConstants = [:]
        firstNewValue = graph.values.count
    }

    package mutating func value(_ name: String, type: ValueType = .unknown) -> ValueID {
        newValues.append(Value(name: name, type: type))
        return ValueID(firstNewValue + newValues.count - 1)
    }

    package mutating func constant(_ tensor: Tensor, name: String) -> ValueID {
        let id = value(name, type: .tensor(tensor.dataType, SymbolicShape(tensor.shape)))
        newConstants[id] = tensor
        return id
    }
}

/// A pass's answer about one node.
package enum Rewrite: Sendable {
    /// The pass has nothing to say about the node.
    case none
    /// The pass would have changed the node; the text says what stood in the way.
    case refused(String)
    case patch(Patch)
}

extension Graph {
    /// Applies patches that touch different nodes, each at the position of its node.
    package mutating func apply(_ patches: [(position: Int, patch: Patch)]) {
        var replaced: [ValueID: ValueID] = [:]
        var removed = Set<Int>()
        var added: [Int: [Node]] = [:]
        for (position, patch) in patches {
            // Each patch numbered its values as if it were the only one.
            let first = patch.firstNewValue
            let offset = values.count - first
            func shift(_ id: ValueID) -> ValueID { Int(id.index) >= first ? ValueID(Int(id.index) + offset) : id }
            values += patch.newValues
            for (id, tensor) in patch.newConstants { constants[shift(id)] = tensor }
            for (old, new) in patch.replaced { replaced[old] = shift(new) }
            removed.formUnion(patch.removed)
            added[position] = patch.added.map { node in
                var node = node
                node.mapUses(shift)
                node.outputs = node.outputs.map { $0.map(shift) }
                return node
            }
        }
        func resolve(_ id: ValueID) -> ValueID {
            var id = id
            while let next = replaced[id] { id = next }
            return id
        }
        var result: [Node] = []
        result.reserveCapacity(nodes.count)
        for (position, node) in nodes.enumerated() {
            for var node in added[position] ?? [] {
                node.mapUses(resolve)
                result.append(node)
            }
            if removed.contains(position) { continue }
            var node = node
            if !replaced.isEmpty { node.mapUses(resolve) }
            result.append(node)
        }
        nodes = result
        if !replaced.isEmpty { outputs = outputs.map(resolve) }
    }
}
