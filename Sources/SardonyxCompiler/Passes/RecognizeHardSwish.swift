import SardonyxGraph

/// x · clip(x + 3, 0, 6) / 6, its factors in any order, or x · hardsigmoid(x) with HardSwish's slope, becomes a HardSwish.
enum RecognizeHardSwish: Pass {
    static let name = "recognise HardSwish"
    static let keepsRounding = false

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard let y = node.outputs[0], let (factors, number) = site.product else { return .none }
        for (x, gate) in [factors, (factors.1, factors.0)] {
            guard site.graph[y].type.shape != nil, site.graph[x].type == site.graph[y].type,
                let slope = slope(gate, of: x, site),
                abs(slope * number * 6 - 1) < 1e-6
            else { continue }
            return site.becomes("HardSwish", of: x)
        }
        return .none
    }

    /// s where a value is s · clip(x + 3, 0, 6).
    private static func slope(_ id: ValueID, of x: ValueID, _ site: Site) -> Float? {
        guard let gate = site.producer(of: id)?.node, gate.domain.isEmpty else { return nil }
        switch gate.operatorType {
        case "Clip":
            guard gate.inputs.count == 3, site.scalar(gate.inputs[1]) == 0, site.scalar(gate.inputs[2]) == 6,
                let sum = gate.inputs[0], let (value, number) = site.operands(sum, "Add"), value == x, number == 3
            else { return nil }
            return 1
        case "HardSigmoid":
            guard gate.inputs[0] == x, abs(gate.float("alpha", default: 0.2) * 6 - 1) < 1e-6,
                gate.float("beta", default: 0.5) == 0.5
            else { return nil }
            return 1.0 / 6
        default: return nil
        }
    }
}
