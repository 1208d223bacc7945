import SardonyxGraph

// Products and sums with constant numbers, as exporters write functions that have no operator.
extension Site {
    /// A constant that changes no shape.
    func scalar(_ id: ValueID?) -> Float? {
        guard let tensor = constant(id), tensor.dataType == .float, tensor.count == 1, tensor.shape.count <= 1
        else { return nil }
        return tensor.scalars(Float.self)[0]
    }

    /// The value and the number that a node of this type combines.
    func operands(_ id: ValueID, _ type: String) -> (value: ValueID, number: Float)? {
        guard let node = producer(of: id)?.node, node.operatorType == type, node.domain.isEmpty else { return nil }
        for index in 0..<(type == "Div" ? 1 : 2) {
            if let value = node.inputs[index], let number = scalar(node.inputs[1 - index]) { return (value, number) }
        }
        return nil
    }

    /// This node as a product of two values and a number: nested Mul nodes in any order, and Div nodes by numbers.
    var product: (factors: (ValueID, ValueID), number: Float)? {
        guard let y = node.outputs[0], graph[y].type.dataType == .float else { return nil }
        var factors: [ValueID] = []
        var number: Float = 1
        guard collect(node, &factors, &number), factors.count == 2 else { return nil }
        return ((factors[0], factors[1]), number)
    }

    /// - Returns: false for nodes that are no product.
    private func collect(_ product: Node, _ factors: inout [ValueID], _ number: inout Float) -> Bool {
        guard product.domain.isEmpty, product.inputs.count == 2 else { return false }
        var values = product.inputs.compactMap { $0 }
        switch product.operatorType {
        case "Mul": break
        case "Div":
            guard let divisor = scalar(product.inputs[1]) else { return false }
            number /= divisor
            values.removeLast()
        default: return false
        }
        for id in values {
            if let value = scalar(id) {
                number *= value
            } else if factors.count >= 2 || index.consumers(of: id).count != 1 || index.isOutput[Int(id.index)]
                || !(producer(of: id).map { collect($0.node, &factors, &number) } ?? false)
            {
                factors.append(id)
            }
        }
        return true
    }
}
