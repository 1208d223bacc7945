import SardonyxGraph

/// The part of a graph by which `xs` and `zs` determine `y`.
struct DifferentiatedGraph {
    /// In execution order.
    let nodes: [Node]
    let named: [ValueID]
    let y: ValueID

    /// - Throws: `invalidModel` where a value is named twice or can be computed from another named one, `unsupported` where
    ///   the way leaves the graph.
    init(_ builder: GraphBuilder, named: [ValueID], y: ValueID) throws {
        func name(_ id: ValueID) -> String { "'\(builder.graph[id].name)'" }
        let stops = Set(named)
        guard stops.count == named.count else {
            let twice = named.first { id in named.filter { $0 == id }.count > 1 }
            throw SardonyxError(.invalidModel, "xs and zs name \(twice.map(name) ?? "a value") twice")
        }
        let makers = Set(named.compactMap { builder.producers[$0] })
        for position in try Self.ancestors(of: makers, builder, stops: []) {
            var found: ValueID?
            builder.graph.nodes[position].forEachUse { if stops.contains($0) { found = $0 } }
            if let found {
                throw SardonyxError(
                    .invalidModel,
                    "xs and zs must be independent, and \(name(found)) determines another value that they name")
            }
        }
        let start = stops.contains(y) ? nil : builder.producers[y]
        nodes = try Self.ancestors(of: Set([start].compactMap { $0 }), builder, stops: stops).sorted()
            .map { builder.graph.nodes[$0] }
        self.named = named
        self.y = y

        let captures = Set(builder.graph.captures)
        guard !captures.isDisjoint(with: stops) else { return }
        // What is captured may depend on what is named, by nodes of the graph around.
        var outside: ValueID? = captures.contains(y) && !stops.contains(y) ? y : nil
        for node in nodes { node.forEachUse { if captures.contains($0) && !stops.contains($0) { outside = $0 } } }
        if let outside {
            throw SardonyxError(
                .unsupported,
                "\(name(outside)) stands in a graph around the node, as some of xs and zs do: the way between them "
                    + "cannot be differentiated from here")
        }
    }

    /// The nodes that make what these nodes read, and these, up to values where the way stops.
    private static func ancestors(
        of nodes: Set<Int>, _ builder: GraphBuilder, stops: Set<ValueID>
    ) throws -> Set<Int> {
        var found = nodes
        var open = Array(nodes)
        while let position = open.popLast() {
            builder.graph.nodes[position].forEachUse { id in
                if !stops.contains(id), let maker = builder.producers[id], found.insert(maker).inserted {
                    open.append(maker)
                }
            }
        }
        try builder.visit(found.count)
        return found
    }

    /// The nodes and y with these values in place of the named ones; what does not depend on them is used as it is.
    /// - Returns: also what stands for the named values. These are values of their own, also where one value is given for two.
    func evaluated(
        at values: [ValueID], _ builder: GraphBuilder
    ) throws -> (nodes: [Node], y: ValueID, named: [ValueID]) {
        var renamed: [ValueID: ValueID] = [:]
        for (name, value) in zip(named, values) where name != value {
            renamed[name] = try builder.add("Identity", [value])[0]
        }
        if renamed.isEmpty { return (nodes, y, named) }
        var result: [Node] = []
        for var node in nodes {
            var isSame = true
            node.forEachUse { if renamed[$0] != nil { isSame = false } }
            if !isSame {
                node.mapUses { renamed[$0] ?? $0 }
                node.outputs = node.outputs.map { id in
                    guard let id else { return nil }
                    let copy = builder.addValue("\(builder.prefix)/\(builder.graph[id].name)")
                    renamed[id] = copy
                    return copy
                }
                try builder.append(node)
            }
            result.append(node)
        }
        return (result, renamed[y] ?? y, named.map { renamed[$0] ?? $0 })
    }
}
