import SardonyxGraph

extension ReverseSweep {
    /// The derivative of an If is an If: each branch computes the branch's own values again, and gives the gradients of what the
    /// branches read from the graph around.
    func deriveBranches(
        _ node: Node, _ outputs: [ValueID?], _ active: Set<ValueID>, _ builder: GraphBuilder
    ) throws -> [(value: ValueID, gradient: ValueID)] {
        var known = Set<ValueID>()
        let wanted = node.subgraphs.flatMap(\.captured).filter { active.contains($0) && known.insert($0).inserted }
        guard !wanted.isEmpty else { return [] }
        for branch in node.subgraphs { try refuseRandomNumbers(in: branch.graph) }
        var attributes: [String: Attribute] = [:]
        for name in ["then_branch", "else_branch"] {
            guard let branch = node.subgraph(name) else {
                throw SardonyxError(.invalidModel, "the required attribute '\(name)' is missing")
            }
            attributes[name] = .graph(try derivedBranch(branch, outputs, wanted, builder))
        }
        let gradients = try builder.add("If", node.inputs, attributes, outputs: wanted.count)
        return zip(wanted, gradients).map { ($0, $1) }
    }

    private func derivedBranch(
        _ branch: Subgraph, _ outputs: [ValueID?], _ wanted: [ValueID], _ builder: GraphBuilder
    ) throws -> Subgraph {
        var graph = branch.graph
        var captured = branch.captured
        let nodes = graph.nodes
        graph.nodes = []
        for (outside, inside) in zip(captured, graph.captures) { graph[inside].type = builder.graph[outside].type }
        var insides = Dictionary(zip(captured, graph.captures), uniquingKeysWith: { first, _ in first })
        func capture(_ outside: ValueID) -> ValueID {
            if let inside = insides[outside] { return inside }
            let inside = graph.addValue(builder.graph[outside].name, type: builder.graph[outside].type)
            captured.append(outside)
            graph.captures.append(inside)
            insides[outside] = inside
            return inside
        }
        let targets = wanted.map(capture)
        let seeds = zip(graph.outputs, outputs).compactMap { value, gradient in
            gradient.map { (value: value, gradient: capture($0)) }
        }
        let inner = self.builder(graph, allowance: builder.allowance)
        inner.prefix = builder.prefix
        for node in nodes { try inner.append(node) }
        let results = try gradients(through: inner.graph.nodes, of: seeds, to: targets, inner)
        graph.outputs = try zip(targets, results).map { target, result in
            try inner.add("Identity", [result ?? inner.zeros(like: target)])[0]
        }
        try builder.settle(inner.allowance)
        var derived = inner.graph
        derived.outputs = graph.outputs
        return Subgraph(graph: derived, captured: captured)
    }
}
