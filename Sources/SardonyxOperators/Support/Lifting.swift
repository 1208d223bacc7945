import SardonyxGraph

extension Lifting {
    /// Turns an attribute of integers into the int64 vector input at `position`.
    mutating func moveToInput(_ attribute: String, of node: inout Node, at position: Int) {
        guard let values = node.ints(attribute) else { return }
        node.attributes[attribute] = nil
        node.setInput(position, add(values, "\(node.displayName).\(attribute)"))
    }
}

extension Node {
    /// Sets an input, with omitted ones before it where the node has fewer.
    mutating func setInput(_ position: Int, _ value: ValueID?) {
        while inputs.count <= position { inputs.append(nil) }
        inputs[position] = value
    }
}
