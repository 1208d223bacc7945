import SardonyxGraph
import SardonyxOperators

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
            }, differentiate: { try gradients(through: $0, of: $1, to: $2, $3) },
            inside: { self.builder($0, allowance: $1) })
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
        let active = dependents(of: independent, nodes, builder)
        var parts: [ValueID: [ValueID]] = [:]
        for seed in seeds where active.contains(seed.value) { parts[seed.value, default: []].append(seed.gradient) }

        for node in nodes.reversed() {
            let outputs = try node.outputs.map { id -> ValueID? in
                guard let id, !independent.contains(id) else { return nil }
                return try parts.removeValue(forKey: id).map(builder.sum)
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
        return try targets.map { try parts[$0].map(builder.sum) }
    }

    /// What depends on a target, and is of floating point: anything else has no derivative.
    func dependents(of targets: Set<ValueID>, _ nodes: [Node], _ builder: GraphBuilder) -> Set<ValueID> {
        var active = targets.filter { builder.mayHaveGradient($0) }
        for node in nodes {
            var isReached = false
            node.forEachUse { if active.contains($0) { isReached = true } }
            guard isReached else { continue }
            for case let id? in node.outputs where builder.mayHaveGradient(id) { active.insert(id) }
        }
        return active
    }

    /// Gradients of values that the node reads.
    private func derive(
        _ node: Node, _ outputs: [ValueID?], _ active: Set<ValueID>, _ builder: GraphBuilder
    ) throws -> [(value: ValueID, gradient: ValueID)] {
        switch node.qualifiedType {
        case "If": return try deriveBranches(node, outputs, active, builder)
        case "Scan": return try deriveScan(node, outputs, active, builder)
        case "Loop": return try deriveLoop(node, outputs, active, builder)
        case "SequenceMap": return try deriveMap(node, outputs, active, builder)
        default: break
        }
        guard let rule = registry.find(node)?.derivative else {
            throw SardonyxError(.unsupported, "the operator has no derivative rule")
        }
        let isWanted = node.inputs.map { id in id.map(active.contains) ?? false }
        let derivation = Derivation(
            node: node, builder: builder, outputGradients: outputs, isWanted: isWanted,
            wantedCaptures: node.hasSubgraphs ? Array(Set(node.subgraphs.flatMap(\.captured)).intersection(active)) : []
        )
        try rule.rule(derivation)
        let results: [(value: ValueID, gradient: ValueID)] = zip(node.inputs, zip(isWanted, derivation.gradients))
            .compactMap {
                id, result in
                guard let id, result.0, let gradient = result.1 else { return nil }
                return (id, gradient)
            }
        return results + derivation.captureGradients
    }
}
