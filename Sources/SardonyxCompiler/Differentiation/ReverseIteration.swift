import SardonyxGraph
import SardonyxOperators

/// A Scan or a Loop as its derivative sees it. Values of the body and of the graph around it go in pairs.
struct Iteration {
    struct State {
        let inside: ValueID
        let next: ValueID
        let initial: ValueID
        /// Of the last value.
        let gradient: ValueID?
        /// The values before each iteration; nil until they have been kept.
        var stack: ValueID?
    }
    /// What each iteration takes from a tensor along an axis.
    struct Slice {
        let inside: ValueID
        let type: ValueType
        /// nil until it has been made.
        var whole: ValueID?
        var axis: Int64 = 0
        var direction: Int64 = 0
    }
    /// What each iteration adds to a tensor whose gradient is known.
    struct Result {
        let inside: ValueID
        let gradient: ValueID
        var axis: Int64 = 0
        var direction: Int64 = 0
    }

    var body: Subgraph
    var states: [State]
    var slices: [Slice]
    var results: [Result]
}

/// From an iteration to the one that goes back.
struct ReverseIteration {
    private let sweep: ReverseSweep
    private let active: Set<ValueID>
    /// The states' types in every iteration.
    let types: [ValueType]
    /// The body's inputs and captures by which something is differentiated, or that pass it on to the next iteration.
    private(set) var sources: Set<ValueID>
    /// What depends on them.
    private var reached: Set<ValueID> = []

    init(
        _ iteration: Iteration, _ active: Set<ValueID>, _ sweep: ReverseSweep, _ builder: GraphBuilder
    ) throws {
        (self.sweep, self.active) = (sweep, active)
        let (inner, types) = try Self.settled(iteration, sweep, builder)
        self.types = types
        let pairs: [(ValueID, ValueID)] =
            iteration.states.map { ($0.inside, $0.initial) }
            + iteration.slices.compactMap { slice in slice.whole.map { (slice.inside, $0) } }
            + zip(iteration.body.graph.captures, iteration.body.captured)
        sources = Set(pairs.filter { active.contains($1) && inner.mayHaveGradient($0) }.map(\.0))
        while true {
            reached = sweep.dependents(of: sources, inner.graph.nodes, inner)
            let more = iteration.states.map { ($0.inside, $0.next) }.filter {
                reached.contains($1) && inner.mayHaveGradient($0) && !sources.contains($0)
            }
            if more.isEmpty { break }
            sources.formUnion(more.map(\.0))
        }
        if sources.isEmpty { return }
        for id in iteration.states.map(\.inside) + sources where inner.graph[id].type.dataType == nil {
            let value = inner.graph[id]
            throw SardonyxError(
                .unsupported,
                "there is no derivative rule for loops over '\(value.name)', which is \(value.type.text) and no tensor")
        }
        try sweep.refuseRandomNumbers(in: iteration.body.graph)
    }

    /// The body's nodes, with the types that hold in every iteration.
    private static func settled(
        _ iteration: Iteration, _ sweep: ReverseSweep, _ builder: GraphBuilder
    ) throws -> (GraphBuilder, [ValueType]) {
        var types = iteration.states.map { builder.graph[$0.initial].type }
        // Each round leaves at least one extent open.
        for _ in 0..<8 {
            let inner = try body(of: iteration, types, sweep, builder)
            let next = zip(types, iteration.states).map { type, state in
                let result = inner.graph[state.next].type
                return result == .unknown ? type.withoutShape : type.union(result)
            }
            if next == types { return (inner, types) }
            types = next
        }
        types = types.map(\.withoutShape)
        return (try body(of: iteration, types, sweep, builder), types)
    }

    private static func body(
        of iteration: Iteration, _ types: [ValueType], _ sweep: ReverseSweep, _ builder: GraphBuilder
    ) throws -> GraphBuilder {
        var graph = iteration.body.graph
        let nodes = graph.nodes
        graph.nodes = []
        for (outside, capture) in zip(iteration.body.captured, graph.captures) {
            graph[capture].type = builder.graph[outside].type
        }
        for (state, type) in zip(iteration.states, types) { graph[state.inside].type = type }
        for slice in iteration.slices { graph[slice.inside].type = slice.type }
        let inner = sweep.builder(graph, allowance: builder.allowance)
        inner.prefix = builder.prefix
        for node in nodes { try inner.append(node) }
        try builder.settle(inner.allowance)
        return inner
    }

    /// Adds the Scan that goes back, and returns the gradients of what the iteration reads.
    func derive(
        _ iteration: Iteration, _ builder: GraphBuilder
    ) throws -> [(value: ValueID, gradient: ValueID)] {
        let states = iteration.states.filter { sources.contains($0.inside) }
        let slices = iteration.slices.filter { sources.contains($0.inside) }
        let captures = zip(iteration.body.graph.captures, iteration.body.captured).filter { sources.contains($0.0) }
        let results = iteration.results.filter { reached.contains($0.inside) }

        let inner = try Self.body(of: iteration, types, sweep, builder)
        let nodes = inner.graph.nodes
        func gradient(of id: ValueID) -> ValueID {
            inner.addValue("\(inner.graph[id].name)#\(inner.graph.values.count)", type: inner.graph[id].type)
        }
        let byState = states.map { gradient(of: $0.inside) }
        let sums = captures.map { gradient(of: $0.0) }
        let byResult = results.map { gradient(of: $0.inside) }
        let seeds =
            zip(states, byState).map { (value: $0.next, gradient: $1) }
            + zip(results, byResult).map { (value: $0.inside, gradient: $1) }
        let targets = states.map(\.inside) + captures.map(\.0) + slices.map(\.inside)
        let found = try sweep.gradients(through: nodes, of: seeds, to: targets, inner)
        let outputs = try zip(targets, found).enumerated().map { index, pair -> ValueID in
            let place = index - states.count
            if sums.indices.contains(place) {
                return try pair.1.map { try inner.add("Add", [sums[place], $0])[0] }
                    ?? inner.add("Identity", [sums[place]])[0]
            }
            return try inner.add("Identity", [pair.1 ?? zeros(like: pair.0, inner)])[0]
        }
        try builder.settle(inner.allowance)
        var graph = inner.graph
        graph.inputs =
            byState + sums + iteration.states.map(\.inside) + iteration.slices.map(\.inside) + byResult
        graph.outputs = outputs
        graph.removeDeadNodes()

        let stacks = iteration.states.compactMap(\.stack)
        let wholes = iteration.slices.compactMap(\.whole)
        let axes: [Int64] = stacks.map { _ in 0 } + iteration.slices.map(\.axis) + results.map(\.axis)
        // What went forwards comes back.
        let directions: [Int64] =
            stacks.map { _ in 1 } + iteration.slices.map { 1 - $0.direction } + results.map { 1 - $0.direction }
        let attributes: [String: Attribute] = [
            "body": .graph(Subgraph(graph: graph, captured: iteration.body.captured)),
            "num_scan_inputs": .int(Int64(stacks.count + wholes.count + results.count)),
            "scan_input_axes": .ints(axes), "scan_input_directions": .ints(directions),
            "scan_output_axes": .ints(slices.map(\.axis)),
            "scan_output_directions": .ints(slices.map { 1 - $0.direction }),
        ]
        let starts =
            try states.map { try $0.gradient ?? zeros(like: $0.initial, builder) }
            + captures.map { try zeros(like: $0.1, builder) }
        let made = try builder.add(
            "Scan", starts + stacks + wholes + results.map(\.gradient), attributes, outputs: targets.count)
        let values = states.map(\.initial) + captures.map(\.1) + slices.compactMap(\.whole)
        return try zip(values, made).enumerated().compactMap { index, pair -> (value: ValueID, gradient: ValueID)? in
            guard active.contains(pair.0) else { return nil }
            guard index >= targets.count - slices.count else { return (pair.0, pair.1) }
            // Without a step nothing tells the extents.
            let shape = try builder.add("Shape", [pair.0])[0]
            return (pair.0, try builder.add("Reshape", [pair.1, shape], ["allowzero": .int(1)])[0])
        }
    }

    private func zeros(like id: ValueID, _ builder: GraphBuilder) throws -> ValueID {
        try builder.filled(0, like: id, as: builder.graph[id].type.dataType ?? .float)
    }
}

extension ReverseSweep {
    /// What a derivative computes again must be what it was.
    func refuseRandomNumbers(in graph: Graph) throws {
        for node in graph.nodes {
            var isRandom = false
            if case .random? = registry.find(node)?.execution { isRandom = true }
            if node.qualifiedType == "Dropout", node.inputs.count > 2, let training = node.inputs[2] {
                isRandom = graph.constants[training]?.integers != [0]
            }
            if isRandom, node.attributes["seed"] == nil {
                throw SardonyxError(
                    .unsupported,
                    "there is no derivative rule for graphs with random numbers, as of '\(node.displayName)'")
            }
            for subgraph in node.subgraphs { try refuseRandomNumbers(in: subgraph.graph) }
        }
    }
}
