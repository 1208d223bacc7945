import SardonyxGraph

/// Two nodes that compute the same from the same become one.
enum MergeCommonSubexpressions: Pass {
    static let name = "merge common subexpressions"
    static let keepsRounding = true

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        // Of the readers of the first input, an earlier one may be the same node.
        guard let first = node.inputs.first(where: { $0 != nil }) ?? nil, !node.hasSubgraphs,
            !unrepeatable.contains(node.operatorType)
        else { return .none }
        // Nodes that read what this sweep merges are the same in the end too, so that whole chains merge at once.
        for other in site.index.consumers(of: site.resolve(first)).prefix(64) {
            let other = Int(other)
            guard other < site.position else { break }
            // Most candidates differ: they are looked at where they are, since a copy of a node costs more than the look.
            guard site.graph.nodes[other].computes(node, site.resolve) else { continue }
            let candidate = site.graph.nodes[other]
            var patch = site.patch("merge with '\(candidate.displayName)'")
            for (mine, theirs) in zip(node.outputs, candidate.outputs) {
                if let mine, let theirs { patch.replaced[mine] = theirs }
            }
            return .patch(patch)
        }
        return .none
    }

    /// Operators whose every node draws its own numbers.
    private static let unrepeatable: Set<String> = [
        "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial", "Dropout",
    ]
}

extension Node {
    /// Whether the node gives what the other one gives, to those at least who read the other's outputs.
    fileprivate func computes(_ other: Node, _ resolve: (ValueID) -> ValueID) -> Bool {
        inputs.count == other.inputs.count && outputs.count >= other.outputs.count
            && zip(inputs, other.inputs).allSatisfy { $0.map(resolve) == $1.map(resolve) }
            && operatorType == other.operatorType && domain == other.domain && opset == other.opset
            && zip(outputs, other.outputs).allSatisfy { $0 != nil || $1 == nil } && hasSameAttributes(as: other)
    }

    private func hasSameAttributes(as other: Node) -> Bool {
        attributes.count == other.attributes.count
            && attributes.allSatisfy { name, value in other.attributes[name].map { value.isSame(as: $0) } ?? false }
    }
}

extension Attribute {
    /// Equality where it is cheap to tell; tensors and graphs count as different.
    fileprivate func isSame(as other: Attribute) -> Bool {
        switch (self, other) {
        case (.float(let a), .float(let b)): a.bitPattern == b.bitPattern
        case (.int(let a), .int(let b)): a == b
        case (.string(let a), .string(let b)): a == b
        case (.floats(let a), .floats(let b)): a.map(\.bitPattern) == b.map(\.bitPattern)
        case (.ints(let a), .ints(let b)): a == b
        case (.strings(let a), .strings(let b)): a == b
        case (.type(let a), .type(let b)): a == b
        default: false
        }
    }
}
