import SardonyxGraph

extension Term {
    /// The parts of an equal cut along an axis.
    func split(_ count: Int, axis: Int = -1) throws -> [Term] {
        let attributes: [String: Attribute] = ["axis": .int(Int64(axis)), "num_outputs": .int(Int64(count))]
        return try builder.add("Split", [id], attributes, outputs: count).map { Term(id: $0, builder: builder) }
    }

    /// What lies at a place of an axis.
    func at(_ place: Int, axis: Int = 0) throws -> Term {
        try apply("Gather", scalar(place), with: ["axis": .int(Int64(axis))])
    }
}

/// A Scan over the first axis of tensors, as a derivative writes it.
struct ScanTerms {
    /// The states before the first step.
    let states: [Term]
    /// Tensors that each step gets a place of.
    let slices: [Term]
    /// What every step reads as it is.
    let shared: [Term]
    /// Whether the steps go from the last place to the first; results stay at their places.
    var isBackward = false

    /// - Parameter step: the next states and the step's results, from terms of the graph inside.
    /// - Returns: the states after the last step, and the results of all steps along a new first axis.
    func run(
        _ builder: GraphBuilder,
        _ step: (_ states: [Term], _ slices: [Term], _ shared: [Term]) throws -> (states: [Term], results: [Term])
    ) throws -> (states: [Term], results: [Term]) {
        var graph = Graph(name: "\(builder.prefix)/step")
        let stateIDs = states.indices.map { graph.addValue("state\($0)", type: states[$0].type) }
        let sliceIDs = try slices.indices.map { index in
            let (type, shape) = (try slices[index].dataType(), slices[index].shape)
            return graph.addValue("slice\(index)", type: .tensor(type, shape.map { SymbolicShape($0.dropFirst()) }))
        }
        let sharedIDs = shared.indices.map { graph.addValue("shared\($0)") }
        graph.inputs = stateIDs + sliceIDs
        graph.captures = sharedIDs
        var count = 0
        let body = try builder.subgraph(graph, captured: shared.map(\.id)) { inner in
            func terms(_ ids: [ValueID]) -> [Term] { ids.map { Term(id: $0, builder: inner) } }
            let made = try step(terms(stateIDs), terms(sliceIDs), terms(sharedIDs))
            count = made.results.count
            return (made.states + made.results).map(\.id)
        }
        let directions = { (count: Int) in Attribute.ints([Int64](repeating: isBackward ? 1 : 0, count: count)) }
        let outputs = try builder.add(
            "Scan", (states + slices).map(\.id),
            [
                "body": .graph(body), "num_scan_inputs": .int(Int64(slices.count)),
                "scan_input_directions": directions(slices.count), "scan_output_directions": directions(count),
            ], outputs: states.count + count
        ).map { Term(id: $0, builder: builder) }
        return (Array(outputs[..<states.count]), Array(outputs[states.count...]))
    }
}
