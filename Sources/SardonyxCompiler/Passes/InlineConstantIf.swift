import SardonyxGraph

/// An `If` whose condition is known becomes the nodes of the branch taken.
enum InlineConstantIf: Pass {
    static let name = "inline constant If"
    static let keepsRounding = true

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard node.operatorType == "If", node.domain.isEmpty, let condition = site.constant(node.inputs.first ?? nil),
            condition.count == 1
        else { return .none }
        let isTrue = condition.withUnsafeBytes { $0[0] != 0 }
        guard let branch = node.subgraph(isTrue ? "then_branch" : "else_branch") else { return .none }
        var patch = site.patch("take the \(isTrue ? "then" : "else") branch")
        let body = branch.graph
        var renamed: [ValueID: ValueID] = [:]
        for (inner, outer) in zip(body.captures, branch.captured) { renamed[inner] = outer }
        for position in body.values.indices {
            let inner = ValueID(position)
            if renamed[inner] != nil { continue }
            let value = body.values[position]
            if let constant = body.constants[inner] {
                renamed[inner] = patch.constant(constant, name: value.name)
            } else {
                renamed[inner] = patch.value(value.name, type: value.type)
            }
        }
        for var inner in body.nodes {
            inner.mapUses { renamed[$0] ?? $0 }
            inner.outputs = inner.outputs.map { $0.flatMap { renamed[$0] } }
            patch.added.append(inner)
        }
        for (output, inner) in zip(node.outputs, body.outputs) {
            if let output, let value = renamed[inner] { patch.replaced[output] = value }
        }
        return .patch(patch)
    }
}
