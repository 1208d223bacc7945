import SardonyxGraph

/// Reverse-mode differentiation: from results to what they were made of, each node's rule turns the gradients of its outputs
/// into those of its inputs.
struct ReverseSweep {
    let registry: OperatorRegistry
    /// As `TypeInference.foldingLimit`.
    let foldingLimit: Int

    /// Adds nodes to a graph that has none yet. Floating point is not folded.
    func builder(_ graph: Graph, allowance: DerivativeAllowance) -> GraphBuilder {
        var inference = TypeInference(registry: registry)
        inference.foldsIntegersOnly = true
        inference.foldingLimit = foldingLimit
        var state = TypeInference.State(foldingBudget: foldingLimit * 64)
        return GraphBuilder(
            graph, allowance: allowance,
            infer: { [inference] node, graph in
                do {
                    return try inference.visit(&node, &graph, &state)
                } catch var error as SardonyxError {
                    if error.code == .invalidValue { error.code = .invalidModel }
                    throw error.at(node)
                }
            }, differentiate: { try gradients(through: $0, of: $1, to: $2, $3) })
    }

    /// Gradients with respect to `targets` of the values whose gradients are given, through `nodes`; nil is zero.
    ///
    /// - Parameter nodes: in execution order. Targets count as independent, also where a node makes them.
    /// - Throws: `unsupported`, with the node, for an operator on the way that has no rule.
    func gradients(
        through nodes: [Node], of seeds: [(value: ValueID, gradient: ValueID)], to targets: [ValueID],
        _ builder: GraphBuilder
    ) throws -> [ValueID?] {
        let independent = Set(targets)
        // What depends on a target, and is of floating point: anything else has no derivative.
        var active = independent.filter { builder.isDifferentiable($0) }
        for node in nodes {
            var isReached = false
            node.forEachUse { if active.contains($0) { isReached = true } }
            guard isReached else { continue }
            for case let id? in node.outputs where builder.isDifferentiable(id) { active.insert(id) }
        }
        var parts: [ValueID: [ValueID]] = [:]
        for seed in seeds where active.contains(seed.value) { parts[seed.value, default: []].append(seed.gradient) }

        for node in nodes.reversed() {
            let outputs = try node.outputs.map { id -> ValueID? in
                guard let id, !independent.contains(id) else { return nil }
                return try Self.sum(parts.removeValue(forKey: id), builder)
            }
            guard outputs.contains(where: { $0 != nil }) else { continue }
            do {
                for (id, gradient) in try derive(node, outputs, active, builder) {
                    parts[id, default: []].append(gradient)
                }
            } catch let error as SardonyxError {
                throw error.at(node)
            }
        }
        return try targets.map { try Self.sum(parts[$0], builder) }
    }

    /// Gradients of values that the node reads.
    private func derive(
        _ node: Node, _ outputs: [ValueID?], _ active: Set<ValueID>, _ builder: GraphBuilder
    ) throws -> [(value: ValueID, gradient: ValueID)] {
        if node.operatorType == "If", node.domain.isEmpty { return try deriveBranches(node, outputs, active, builder) }
        guard let rule = registry.find(node)?.derivative else {
            throw SardonyxError(.unsupported, "the operator has no derivative rule")
        }
        let isWanted = node.inputs.map { id in id.map(active.contains) ?? false }
        let derivation = Derivation(node: node, builder: builder, outputGradients: outputs, isWanted: isWanted)
        try rule.rule(derivation)
        return zip(node.inputs, zip(isWanted, derivation.gradients)).compactMap { id, result in
            guard let id, result.0, let gradient = result.1 else { return nil }
            return (id, gradient)
        }
    }

    private static func sum(_ parts: [ValueID]?, _ builder: GraphBuilder) throws -> ValueID? {
        guard let parts, let first = parts.first else { return nil }
        return parts.count == 1 ? first : try builder.add("Sum", parts)[0]
    }
}

extension GraphBuilder {
    func isDifferentiable(_ id: ValueID) -> Bool {
        switch graph[id].type.dataType {
        case .float, .double, .float16, .bfloat16: true
        default: false
        }
    }
}
