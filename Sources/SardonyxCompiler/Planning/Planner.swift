import SardonyxGraph
import SardonyxOperators

/// Makes plans: specialises a graph to concrete shapes, prepares kernels, and places values.
package struct Planner {
    package var registry: OperatorRegistry
    package var packedWeights: PackedWeights
    /// Threads that may run chunks at once.
    package var workers: Int
    package var optimizer: Optimizer
    /// The largest value that is planned for, in bytes: operators prepare tables as large as what they make.
    package var valueLimit: Int

    package init(
        registry: OperatorRegistry, packedWeights: PackedWeights, workers: Int, optimizer: Optimizer,
        valueLimit: Int = TensorSpec.byteLimit
    ) {
        self.registry = registry
        self.packedWeights = packedWeights
        self.workers = workers
        self.optimizer = optimizer
        self.valueLimit = valueLimit
    }

    /// - Parameter types: of the graph's inputs, then of its captures.
    package func plan(_ source: Graph, types: [ValueType]) throws -> Plan {
        var graph = source
        guard types.count == graph.inputs.count + graph.captures.count else {
            throw SardonyxError(
                .invalidModel, "graph '\(graph.name)' takes \(graph.inputs.count) values; it is given another number")
        }
        for (id, type) in zip(graph.inputs + graph.captures, types) {
            graph[id].type = type.filled(from: graph[id].type)
        }
        let inference = TypeInference(registry: registry)
        try inference.run(on: &graph)
        // Patches make nodes whose constants fold, and folding makes nodes that patches match.
        for _ in 0..<4 {
            if try !optimizer.run(on: &graph).contains(where: \.isApplied) { break }
            try inference.run(on: &graph)
        }
        var layout = Layout(graph, self)
        return try layout.plan()
    }
}

/// The state of one planning.
private struct Layout {
    let graph: Graph
    let planner: Planner
    var steps: [Plan.Step] = []
    /// The value whose memory a value shares: through views and in-place outputs.
    var roots: [ValueID: ValueID] = [:]
    var locations: [ValueID: Plan.Location] = [:]
    var constants: [Tensor] = []
    var datumCount = 0

    init(_ graph: Graph, _ planner: Planner) {
        self.graph = graph
        self.planner = planner
    }

    func root(of id: ValueID) -> ValueID { roots[id] ?? id }

    mutating func plan() throws -> Plan {
        for (index, id) in (graph.inputs + graph.captures).enumerated() { locations[id] = .input(index) }
        for id in graph.constants.keys.sorted(by: { $0.index < $1.index }) {
            locations[id] = .constant(constants.count)
            constants.append(graph.constants[id]!)
        }
        let works = try graph.nodes.map(prepare)
        let lastUse = lastUses()
        assignRoots(works, lastUse)
        let (placement, lowerBound) = try place(works, lastUse)
        return assemble(works, lastUse, placement, lowerBound)
    }

    private func spec(_ id: ValueID?) -> TensorSpec? {
        guard let id else { return nil }
        guard let spec = graph[id].type.spec, spec.dataType != .string else { return nil }
        return spec
    }

    private func prepare(_ node: Node) throws -> Plan.Step.Work {
        guard let type = planner.registry.find(node) else {
            throw SardonyxError(.unsupported, "no such operator").at(node)
        }
        if type.execution.isDynamic { return .dynamic(type) }
        let inputs = node.inputs.map(spec)
        let outputs = node.outputs.map(spec)
        guard zip(node.inputs, inputs).allSatisfy({ $0 == nil || $1 != nil }),
            zip(node.outputs, outputs).allSatisfy({ $0 == nil || $1 != nil })
        else { return .dynamic(type) }
        for case let (index, output?) in outputs.enumerated() {
            do { try output.checkPossible("output \(index)", limit: planner.valueLimit) } catch { throw error.at(node) }
        }
        let values = node.inputs.map { id in id.flatMap { graph.constants[$0] } }
        let context = PreparationContext(
            node: node, inputs: inputs, outputs: outputs, constants: values, workers: planner.workers,
            packedWeights: planner.packedWeights,
            inputValues: values.map { $0.map(planner.packedWeights.identify) })
        do {
            return .kernel(try type.prepare(context))
        } catch let error as SardonyxError {
            // The operator wants a value that is known only at run time.
            if error.code == .unsupported { return .dynamic(type) }
            throw error.at(node)
        }
    }

    /// The last step that reads each value; results are read after the last.
    private func lastUses() -> [Int] {
        var lastUse = [Int](repeating: -1, count: graph.values.count)
        for (step, node) in graph.nodes.enumerated() { node.forEachUse { lastUse[Int($0.index)] = step } }
        for id in graph.outputs { lastUse[Int(id.index)] = graph.nodes.count }
        return lastUse
    }

    /// Lets views and in-place outputs share memory.
    private mutating func assignRoots(_ works: [Plan.Step.Work], _ lastUse: [Int]) {
        // The last use of a root through all values that share its memory so far.
        var rootUse = lastUse
        var isArena = [Bool](repeating: false, count: graph.values.count)
        let results = Set(graph.outputs)
        for (step, node) in graph.nodes.enumerated() {
            guard case .kernel(let kernel) = works[step] else { continue }
            var claimed: [ValueID] = []
            for (index, output) in node.outputs.enumerated() {
                guard let output else { continue }
                let outputUse = max(lastUse[Int(output.index)], step)
                if let source = kernel.views[index], let input = node.inputs[source] {
                    let root = root(of: input)
                    roots[output] = root
                    rootUse[Int(root.index)] = max(rootUse[Int(root.index)], outputUse)
                    continue
                }
                isArena[Int(output.index)] = true
                if results.contains(output) { continue }
                for candidate in kernel.inPlace[index] ?? [] {
                    guard candidate < node.inputs.count, let input = node.inputs[candidate] else { continue }
                    let root = root(of: input)
                    guard isArena[Int(root.index)], rootUse[Int(root.index)] == step, !results.contains(root),
                        spec(input)?.byteCount == spec(output)?.byteCount,
                        spec(root)?.byteCount == spec(output)?.byteCount,
                        // Another input in the same memory would be read after it was overwritten.
                        node.inputs.allSatisfy({ $0 == nil || $0 == input || self.root(of: $0!) != root }),
                        !claimed.contains(root)
                    else { continue }
                    roots[output] = root
                    claimed.append(root)
                    rootUse[Int(root.index)] = outputUse
                    isArena[Int(output.index)] = false
                    break
                }
            }
        }
    }

    /// Offsets of the arena's buffers.
    private mutating func place(
        _ works: [Plan.Step.Work], _ lastUse: [Int]
    ) throws -> (placement: ArenaPlanner.Placement, lowerBound: Int) {
        var lifetimes: [Lifetime] = []
        var owners: [ValueID] = []
        var position: [ValueID: Int] = [:]
        let resultNumbers = Dictionary(
            graph.outputs.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for (step, node) in graph.nodes.enumerated() {
            guard case .kernel = works[step] else {
                for case let output? in node.outputs {
                    locations[output] = .datum(datumCount)
                    datumCount += 1
                }
                continue
            }
            for case let output? in node.outputs {
                let root = root(of: output)
                let use = max(lastUse[Int(output.index)], step)
                if let index = position[root] {
                    lifetimes[index].last = max(lifetimes[index].last, use)
                } else if root == output {
                    if let number = resultNumbers[output] {
                        locations[output] = .output(number)
                    } else {
                        position[output] = lifetimes.count
                        owners.append(output)
                        lifetimes.append(Lifetime(size: spec(output)?.byteCount ?? 0, first: step, last: use))
                    }
                }
            }
        }
        // Wherever they go, the buffers end within the sum of their sizes.
        var total = 0
        for lifetime in lifetimes {
            let (sum, overflow) = total.addingReportingOverflow(ArenaPlanner.rounded(lifetime.size))
            if overflow { throw SardonyxError(.memory, "the values between the nodes are larger than any memory") }
            total = sum
        }
        let placement = ArenaPlanner.place(lifetimes)
        for (owner, offset) in zip(owners, placement.offsets) { locations[owner] = .arena(offset) }
        return (placement, ArenaPlanner.lowerBound(lifetimes))
    }

    private func location(_ id: ValueID) -> Plan.Location { locations[root(of: id)] ?? .arena(0) }

    private mutating func assemble(
        _ works: [Plan.Step.Work], _ lastUse: [Int], _ placement: ArenaPlanner.Placement, _ lowerBound: Int
    ) -> Plan {
        var workspace = 0
        var isStatic = true
        var datumUse = [Int](repeating: -1, count: datumCount)
        for (step, node) in graph.nodes.enumerated() {
            var uses: [ValueID] = []
            node.forEachUse { uses.append($0) }
            for id in uses + node.outputs.compactMap({ $0 }) {
                if case .datum(let slot) = location(id) { datumUse[slot] = max(datumUse[slot], step) }
            }
        }
        for id in graph.outputs {
            if case .datum(let slot) = location(id) { datumUse[slot] = Int.max }
        }
        var expiring = [[Int]](repeating: [], count: graph.nodes.count)
        for (slot, step) in datumUse.enumerated() where step >= 0 && step < graph.nodes.count {
            expiring[step].append(slot)
        }
        for (step, node) in graph.nodes.enumerated() {
            var inputs = node.inputs.map { $0.map(location) }
            switch works[step] {
            case .kernel(let kernel):
                workspace = max(workspace, kernel.workspaceByteCount)
                for index in kernel.absorbedInputs where index < inputs.count { inputs[index] = nil }
                if kernel.isView(of: node.outputs.map { $0 != nil }) { continue }
            case .dynamic: isStatic = false
            }
            steps.append(
                Plan.Step(
                    node: node, work: works[step], inputs: inputs, outputs: node.outputs.map { $0.map(location) },
                    inputSpecs: node.inputs.map(spec), outputSpecs: node.outputs.map(spec),
                    outputTypes: node.outputs.map { $0.map { graph[$0].type } ?? .unknown },
                    captures: node.subgraphAttributes.mapValues { subgraph in
                        subgraph.captured.map { Plan.Capture(location: location($0), spec: spec($0)) }
                    },
                    expiring: expiring[step]))
        }
        return Plan(
            steps: steps, constants: constants, results: graph.outputs.map(location),
            resultTypes: graph.outputs.map { graph[$0].type }, arenaByteCount: placement.size,
            workspaceByteCount: ArenaPlanner.rounded(workspace), datumCount: datumCount,
            isStatic: isStatic && graph.outputs.allSatisfy { graph[$0].type.spec != nil },
            arenaLowerBound: lowerBound, graph: graph)
    }
}
