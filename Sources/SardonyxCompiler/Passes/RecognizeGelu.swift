import SardonyxGraph

/// x · 1/2 · (1 + erf(x / √2)), its factors in any order, becomes a Gelu.
enum RecognizeGelu: Pass {
    static let name = "recognise Gelu"
    static let keepsRounding = false

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard let y = node.outputs[0], let (factors, number) = site.product, number == 0.5 else { return .none }
        for (x, sum) in [factors, (factors.1, factors.0)] {
            guard site.graph[y].type.shape != nil, site.graph[x].type == site.graph[y].type,
                let (term, one) = site.operands(sum, "Add"), one == 1,
                let erf = site.producer(of: term)?.node, erf.operatorType == "Erf", erf.domain.isEmpty,
                let argument = erf.inputs[0], isOverRootOfTwo(argument, x, site)
            else { continue }
            return site.becomes("Gelu", of: x)
        }
        return .none
    }

    private static func isOverRootOfTwo(_ id: ValueID, _ x: ValueID, _ site: Site) -> Bool {
        let root = Float(2).squareRoot()
        if let (value, number) = site.operands(id, "Div") { return value == x && abs(number / root - 1) < 1e-6 }
        if let (value, number) = site.operands(id, "Mul") { return value == x && abs(number * root - 1) < 1e-6 }
        return false
    }
}
