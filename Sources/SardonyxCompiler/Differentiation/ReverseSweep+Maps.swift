import SardonyxGraph
import SardonyxOperators

extension ReverseSweep {
    /// The derivative of a SequenceMap is a SequenceMap: the body computes its own values again, and gives the gradients of what
    /// it reads. What every element reads gets the sum of theirs.
    func deriveMap(
        _ node: Node, _ outputs: [ValueID?], _ active: Set<ValueID>, _ builder: GraphBuilder
    ) throws -> [(value: ValueID, gradient: ValueID)] {
        let inputs = node.inputs.compactMap { $0 }
        guard let body = node.subgraph("body"), inputs.count == node.inputs.count,
            body.graph.inputs.count == inputs.count, body.graph.outputs.count >= outputs.count
        else { throw SardonyxError(.invalidModel, "the body does not fit the inputs") }
        try refuseRandomNumbers(in: body.graph)
        func element(_ id: ValueID) -> ValueType? {
            guard case .sequence(let element) = builder.graph[id].type else { return nil }
            return element
        }
        var graph = body.graph
        let nodes = graph.nodes
        graph.nodes = []
        for (inside, outside) in zip(graph.inputs, inputs) {
            graph[inside].type = element(outside) ?? builder.graph[outside].type
        }
        var seeds: [(value: ValueID, gradient: ValueID)] = []
        for (output, gradient) in zip(graph.outputs, outputs) {
            guard let gradient else { continue }
            let name = "\(graph[output].name)#\(graph.values.count)"
            seeds.append((output, graph.addValue(name, type: element(gradient) ?? .unknown)))
        }
        graph.inputs += seeds.map(\.gradient)
        let sources = (Array(zip(graph.inputs, inputs)) + zip(graph.captures, body.captured))
            .filter { active.contains($0.1) }
        let step = try builder.subgraph(graph, captured: body.captured) { [seeds] inner in
            for node in nodes { try inner.append(node) }
            let found = try gradients(through: inner.graph.nodes, of: seeds, to: sources.map(\.0), inner)
            return try zip(sources, found).map { try $1 ?? inner.zeros(like: $0.0) }
        }
        let given: [ValueID] = outputs.compactMap { $0 }
        let made = try builder.add("SequenceMap", inputs + given, ["body": .graph(step)], outputs: sources.count)
        return try zip(sources, made).map { source, gradients in
            let isElement = graph.inputs.contains(source.0) && element(source.1) != nil
            return (source.1, isElement ? gradients : try builder.total(gradients, like: source.1))
        }
    }
}
