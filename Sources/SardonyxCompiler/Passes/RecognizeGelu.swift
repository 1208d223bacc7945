import SardonyxGraph

/// x · 1/2 · (1 + erf(x / √2)), its factors in any order, becomes a Gelu.
enum RecognizeGelu: Pass {
    static let name = "recognise Gelu"

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard node.operatorType == "Mul", node.domain.isEmpty, let y = node.outputs[0],
            site.graph[y].type.dataType == .float
        else { return .none }
        var factors: [ValueID] = []
        var number: Float = 1
        collect(node, &factors, &number, site)
        guard factors.count == 2, number == 0.5 else { return .none }
        for (x, sum) in [(factors[0], factors[1]), (factors[1], factors[0])] {
            guard site.graph[x].type == site.graph[y].type, let (term, one) = operands(sum, "Add", site), one == 1,
                let erf = site.producer(of: term)?.node, erf.operatorType == "Erf", erf.domain.isEmpty,
                let argument = erf.inputs[0], isOverRootOfTwo(argument, x, site)
            else { continue }
            var patch = site.patch("Gelu of '\(site.graph[x].name)'")
            patch.added = [
                Node(
                    "Gelu", opset: node.opset, name: node.name, inputs: [x], outputs: [y],
                    firstOutputName: node.firstOutputName)
            ]
            return .patch(patch)
        }
        return .none
    }

    /// The factors of a product of up to three, numbers apart.
    private static func collect(_ product: Node, _ factors: inout [ValueID], _ number: inout Float, _ site: Site) {
        for case let id? in product.inputs {
            if let value = scalar(id, site) {
                number *= value
            } else if factors.count < 2, let (_, inner) = site.producer(of: id), inner.operatorType == "Mul",
                inner.domain.isEmpty, site.index.consumers(of: id).count == 1, !site.index.isOutput[Int(id.index)]
            {
                collect(inner, &factors, &number, site)
            } else {
                factors.append(id)
            }
        }
    }

    /// The value and the number that a node of this type combines.
    private static func operands(_ id: ValueID, _ type: String, _ site: Site) -> (ValueID, Float)? {
        guard let node = site.producer(of: id)?.node, node.operatorType == type, node.domain.isEmpty else { return nil }
        for index in 0..<(type == "Div" ? 1 : 2) {
            if let value = node.inputs[index], let number = scalar(node.inputs[1 - index], site) {
                return (value, number)
            }
        }
        return nil
    }

    private static func isOverRootOfTwo(_ id: ValueID, _ x: ValueID, _ site: Site) -> Bool {
        let root = Float(2).squareRoot()
        if let (value, number) = operands(id, "Div", site) { return value == x && abs(number / root - 1) < 1e-6 }
        if let (value, number) = operands(id, "Mul", site) { return value == x && abs(number * root - 1) < 1e-6 }
        return false
    }

    /// A constant that changes no shape.
    private static func scalar(_ id: ValueID?, _ site: Site) -> Float? {
        guard let tensor = site.constant(id), tensor.dataType == .float, tensor.count == 1, tensor.shape.count <= 1
        else { return nil }
        return tensor.scalars(Float.self)[0]
    }
}
