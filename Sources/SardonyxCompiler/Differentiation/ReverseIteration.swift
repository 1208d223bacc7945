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
        /// The last value, and the values before each iteration; nil until they have been kept.
        var last: ValueID?
        var kept: ValueID?
        /// Whether the values are kept in a sequence: they are no tensors, or of more than one shape.
        var isUneven = false
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

    /// One iteration back, and what it takes.
    struct Step {
        /// From gradients of the states, sums of those of the captures, the states before the iteration, its slices, and
        /// gradients of its results: the next of those gradients and sums, and gradients of the slices.
        let body: Subgraph
        /// The gradients of the last states, and zeros for the sums of `captures`.
        let starts: [ValueID]
        let states: [Iteration.State]
        let captures: [(inside: ValueID, outside: ValueID)]
        let slices: [Iteration.Slice]
        let results: [Iteration.Result]

        var outputCount: Int { starts.count + slices.count }
    }

    /// Adds what goes back, and returns the gradients of what the iteration reads.
    func derive(
        _ iteration: Iteration, _ builder: GraphBuilder
    ) throws -> [(value: ValueID, gradient: ValueID)] {
        let step = try step(iteration, builder)
        // A Scan's states are tensors of one shape.
        let isEven =
            !iteration.states.contains { $0.isUneven }
            && step.captures.allSatisfy { builder.graph[$0.outside].type.dataType != nil }
        let made = isEven ? try scan(step, iteration, builder) : try loop(step, iteration, builder)
        let values = step.states.map(\.initial) + step.captures.map(\.outside) + step.slices.compactMap(\.whole)
        return try zip(values, made).enumerated().compactMap { index, pair -> (value: ValueID, gradient: ValueID)? in
            guard active.contains(pair.0) else { return nil }
            guard index >= step.starts.count else { return (pair.0, pair.1) }
            // Without a step nothing tells the extents.
            let shape = try builder.add("Shape", [pair.0])[0]
            return (pair.0, try builder.add("Reshape", [pair.1, shape], ["allowzero": .int(1)])[0])
        }
    }

    private func step(_ iteration: Iteration, _ builder: GraphBuilder) throws -> Step {
        let states = iteration.states.filter { sources.contains($0.inside) }
        let slices = iteration.slices.filter { sources.contains($0.inside) }
        let captures = zip(iteration.body.graph.captures, iteration.body.captured)
            .filter { sources.contains($0.0) }.map { (inside: $0, outside: $1) }
        let results = iteration.results.filter { reached.contains($0.inside) }

        let inner = try Self.body(of: iteration, types, sweep, builder)
        let nodes = inner.graph.nodes
        func gradient(of id: ValueID) -> ValueID {
            inner.addValue("\(inner.graph[id].name)#\(inner.graph.values.count)", type: inner.graph[id].type)
        }
        let byState = states.map { gradient(of: $0.inside) }
        let sums = captures.map { gradient(of: $0.inside) }
        let byResult = results.map { gradient(of: $0.inside) }
        let seeds =
            zip(states, byState).map { (value: $0.next, gradient: $1) }
            + zip(results, byResult).map { (value: $0.inside, gradient: $1) }
        let targets = states.map(\.inside) + captures.map(\.inside) + slices.map(\.inside)
        let found = try sweep.gradients(through: nodes, of: seeds, to: targets, inner)
        let outputs = try zip(targets, found).enumerated().map { index, pair -> ValueID in
            let place = index - states.count
            let next =
                sums.indices.contains(place)
                ? try inner.sum([sums[place]] + [pair.1].compactMap { $0 }) : try pair.1 ?? inner.zeros(like: pair.0)
            return try inner.add("Identity", [next])[0]
        }
        try builder.settle(inner.allowance)
        var graph = inner.graph
        graph.inputs =
            byState + sums + iteration.states.map(\.inside) + iteration.slices.map(\.inside) + byResult
        graph.outputs = outputs
        graph.removeDeadNodes()
        return Step(
            body: Subgraph(graph: graph, captured: iteration.body.captured),
            starts: try states.map { try $0.gradient ?? builder.zeros(like: $0.last ?? $0.initial) }
                + captures.map { try builder.zeros(like: $0.outside) },
            states: states, captures: captures, slices: slices, results: results)
    }

    /// A Scan from the last iteration to the first: the gradients of the initial states, of the captures and of the slices.
    private func scan(_ step: Step, _ iteration: Iteration, _ builder: GraphBuilder) throws -> [ValueID] {
        let stacks = iteration.states.compactMap(\.kept)
        let wholes = iteration.slices.compactMap(\.whole)
        let axes: [Int64] = stacks.map { _ in 0 } + iteration.slices.map(\.axis) + step.results.map(\.axis)
        // What went forwards comes back.
        let directions: [Int64] =
            stacks.map { _ in 1 } + iteration.slices.map { 1 - $0.direction } + step.results.map { 1 - $0.direction }
        let attributes: [String: Attribute] = [
            "body": .graph(step.body),
            "num_scan_inputs": .int(Int64(stacks.count + wholes.count + step.results.count)),
            "scan_input_axes": .ints(axes), "scan_input_directions": .ints(directions),
            "scan_output_axes": .ints(step.slices.map(\.axis)),
            "scan_output_directions": .ints(step.slices.map { 1 - $0.direction }),
        ]
        return try builder.add(
            "Scan", step.starts + stacks + wholes + step.results.map(\.gradient), attributes,
            outputs: step.outputCount)
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
