import SardonyxGraph
import SardonyxOperators

/// Makes plans: specialises a graph to concrete shapes, prepares kernels, and places values.
package struct Planner {
    package var registry: OperatorRegistry
    package var packedWeights: PackedWeights
    /// Threads that may run chunks at once.
    package var workers: Int
    /// The threads that fold (`sdx_pool` of CKernels), or nil for the calling one.
    package var pool: OpaquePointer?
    package var optimizer: Optimizer
    /// The largest value that is planned for, in bytes: operators prepare tables as large as what they make.
    package var valueLimit: Int
    /// The largest result of folding, in bytes.
    package var foldingLimit: Int?
    /// Whether values between nodes may have layouts other than plain ones.
    package var usesLayouts = true
    /// What decides between kernels; it measures where it has choices to pin.
    package var policy = KernelPolicy()

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
        var inference = TypeInference(registry: registry)
        if let foldingLimit { inference.foldingLimit = foldingLimit }
        if let pool { (inference.pool, inference.workers) = (pool, workers) }
        try inference.run(on: &graph)
        var remarks: [Optimizer.Remark] = []
        // Patches make nodes whose constants fold, and folding makes nodes that patches match.
        for _ in 0..<4 {
            let applied = try optimizer.run(on: &graph).filter(\.isApplied)
            if applied.isEmpty { break }
            remarks += applied
            try inference.run(on: &graph)
        }
        if !optimizer.passes.isEmpty {
            let last = policy.isStrict ? Optimizer.strictLast : Optimizer.last
            remarks += try Optimizer(passes: last).run(on: &graph)
        }
        var layout = Layout(graph, self)
        if usesLayouts {
            try layout.weigh()
            if policy.measuring != nil, let choices = policy.choices { try choices.pinning(layout.measure) }
            try layout.negotiate()
        }
        var plan = try layout.plan()
        plan.remarks = remarks
        return plan
    }
}

/// The state of one planning.
private struct Layout {
    var graph: Graph
    /// The layouts of values that are not plain.
    var layouts: [ValueID: TensorLayout] = [:]
    let planner: Planner
    private var policy: KernelPolicy
    var steps: [Plan.Step] = []
    var locations: [ValueID: Plan.Location] = [:]
    var constants: [Tensor] = []
    var datumCount = 0
    /// Where steps' scratch memory begins in the arena.
    var workspaceOffsets: [Int: Int] = [:]

    init(_ graph: Graph, _ planner: Planner) {
        self.graph = graph
        self.planner = planner
        policy = planner.policy
    }

    /// Says by what kernels weigh time against memory.
    mutating func weigh() throws {
        policy.timePerByte = try NetworkEstimate(graph, planner.registry) { context(of: $0) }.timePerByte
    }

    /// Has every node measured that has a choice which is not pinned yet.
    func measure() throws {
        for node in graph.nodes {
            guard let type = planner.registry.find(node), !type.execution.isDynamic, !node.hasSubgraphs,
                let context = context(of: node, measures: true)
            else { continue }
            do { _ = try type.layouts(context) } catch let error as SardonyxError { throw error.at(node) }
        }
    }

    /// Gives values their layouts.
    mutating func negotiate() throws {
        var negotiation = LayoutNegotiation(graph, planner.registry) { [self] node in context(of: node) }
        try negotiation.run()
        graph = negotiation.graph
        layouts = negotiation.layouts
    }

    mutating func plan() throws -> Plan {
        for (index, id) in (graph.inputs + graph.captures).enumerated() { locations[id] = .input(index) }
        for id in graph.constants.keys.sorted(by: { $0.index < $1.index }) {
            locations[id] = .constant(constants.count)
            constants.append(graph.constants[id]!)
        }
        let works = try graph.nodes.map(prepare)
        let lastUse = lastUses()
        let storage = sharedStorage(works, lastUse)
        let placed = try place(works, lastUse, storage)
        var plan = assemble(works, storage, placed.placement)
        plan.arenaLowerBound = placed.lowerBound
        plan.bufferByteCount = placed.total
        return plan
    }

    private func spec(_ id: ValueID?) -> TensorSpec? {
        guard let id else { return nil }
        guard let spec = graph[id].type.spec, spec.dataType != .string else { return nil }
        return spec.with(layouts[id] ?? .plain)
    }

    /// What `prepare` sees of a node; nil where a type is not known or no plain tensor of numbers.
    private func context(of node: Node, measures: Bool = false) -> PreparationContext? {
        let inputs = node.inputs.map(spec)
        let outputs = node.outputs.map(spec)
        guard zip(node.inputs, inputs).allSatisfy({ $0 == nil || $1 != nil }),
            zip(node.outputs, outputs).allSatisfy({ $0 == nil || $1 != nil }),
            (inputs + outputs).allSatisfy({ $0?.isPossible ?? true })
        else { return nil }
        let values = node.inputs.map { id in id.flatMap { graph.constants[$0] } }
        var policy = policy
        if !measures { policy.measuring = nil }
        return PreparationContext(
            node: node, inputs: inputs, outputs: outputs, constants: values, workers: planner.workers,
            packedWeights: planner.packedWeights,
            inputValues: values.map { $0.map(planner.packedWeights.identify) }, policy: policy)
    }

    private func prepare(_ node: Node) throws -> Plan.Step.Work {
        guard let type = planner.registry.find(node) else {
            throw SardonyxError(.unsupported, "no such operator").at(node)
        }
        if type.execution.isDynamic { return .dynamic(type) }
        for case let (index, output?) in node.outputs.map(spec).enumerated() {
            do { try output.checkPossible("output \(index)", limit: planner.valueLimit) } catch { throw error.at(node) }
        }
        guard let context = context(of: node) else { return .dynamic(type) }
        let isPlain = (context.inputs + context.outputs).allSatisfy { $0?.layout ?? .plain == .plain }
        do {
            return .kernel(try type.kernel(context))
        } catch let error as SardonyxError {
            // The operator wants a value that is known only at run time.
            if error.code == .unsupported, isPlain { return .dynamic(type) }
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

    private func sharedStorage(_ works: [Plan.Step.Work], _ lastUse: [Int]) -> SharedStorage {
        let steps = zip(graph.nodes, works).map { node, work in
            var kernel: Kernel?
            if case .kernel(let prepared) = work { kernel = prepared }
            return SharedStorage.Step(inputs: node.inputs, outputs: node.outputs, kernel: kernel)
        }
        return SharedStorage(steps, lastUse: lastUse, results: graph.outputs) { spec($0)?.byteCount ?? 0 }
    }

    /// Offsets of the arena's buffers.
    private mutating func place(
        _ works: [Plan.Step.Work], _ lastUse: [Int], _ storage: SharedStorage
    ) throws -> (placement: ArenaPlanner.Placement, lowerBound: Int, total: Int) {
        var lifetimes: [Lifetime] = []
        /// The values that the buffers are for; nil for scratch memory.
        var owners: [ValueID?] = []
        var workspaces: [(step: Int, buffer: Int)] = []
        var position: [ValueID: Int] = [:]
        let resultNumbers = Dictionary(
            graph.outputs.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for (step, node) in graph.nodes.enumerated() {
            guard case .kernel(let kernel) = works[step] else {
                for case let output? in node.outputs {
                    locations[output] = .datum(datumCount)
                    datumCount += 1
                }
                continue
            }
            if kernel.workspaceByteCount > 0 {
                workspaces.append((step, lifetimes.count))
                owners.append(nil)
                lifetimes.append(Lifetime(size: kernel.workspaceByteCount, first: step, last: step))
            }
            for case let output? in node.outputs {
                let root = storage.resolve(output).root
                let use = max(lastUse[Int(output.index)], step)
                if let index = position[root] {
                    lifetimes[index].last = max(lifetimes[index].last, use)
                } else if let number = resultNumbers[root], locations[root] == nil {
                    locations[root] = .output(number)
                } else if locations[root] == nil {
                    // The first value in the buffer may be a part of what the buffer is for.
                    position[root] = lifetimes.count
                    owners.append(root)
                    lifetimes.append(Lifetime(size: spec(root)?.byteCount ?? 0, first: step, last: use))
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
        for case (let owner?, let offset) in zip(owners, placement.offsets) { locations[owner] = .arena(offset) }
        for (step, buffer) in workspaces { workspaceOffsets[step] = placement.offsets[buffer] }
        return (placement, ArenaPlanner.lowerBound(lifetimes), total)
    }

    private func location(_ id: ValueID, _ storage: SharedStorage) -> Plan.Location {
        let (root, byteOffset) = storage.resolve(id)
        guard let location = locations[root] else { return .arena(0) }
        // Only the arena holds values inside others.
        if case .arena(let start) = location { return .arena(start + byteOffset) }
        return location
    }

    private mutating func assemble(
        _ works: [Plan.Step.Work], _ storage: SharedStorage, _ placement: ArenaPlanner.Placement
    ) -> Plan {
        func location(_ id: ValueID) -> Plan.Location { self.location(id, storage) }
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
            var outputs = node.outputs.map { $0.map(location) }
            switch works[step] {
            case .kernel(let kernel):
                workspace = max(workspace, kernel.workspaceByteCount)
                for index in kernel.absorbedInputs.union(storage.madeInPlace[step]) where index < inputs.count {
                    inputs[index] = nil
                }
                for index in storage.sharedParts[step] { outputs[index] = nil }
                if isDone(kernel, node, storage, step) { continue }
            case .dynamic: isStatic = false
            }
            steps.append(
                Plan.Step(
                    node: node, work: works[step], inputs: inputs, outputs: outputs,
                    inputSpecs: node.inputs.map(spec), outputSpecs: node.outputs.map(spec),
                    outputTypes: node.outputs.map { $0.map { graph[$0].type } ?? .unknown },
                    captures: node.subgraphAttributes.mapValues { subgraph in
                        subgraph.captured.map { Plan.Capture(location: location($0), spec: spec($0)) }
                    },
                    workspace: workspaceOffsets[step], expiring: expiring[step]))
        }
        return Plan(
            steps: steps, constants: constants, results: graph.outputs.map(location),
            resultTypes: graph.outputs.map { graph[$0].type }, arenaByteCount: placement.size,
            workspaceByteCount: workspace, datumCount: datumCount,
            isStatic: isStatic && graph.outputs.allSatisfy { graph[$0].type.spec != nil },
            arenaLowerBound: 0, bufferByteCount: 0, graph: graph)
    }

    /// Whether nothing is left to run: every output is a view, or all that is in it was made there.
    private func isDone(_ kernel: Kernel, _ node: Node, _ storage: SharedStorage, _ step: Int) -> Bool {
        if !kernel.places.isEmpty {
            return node.inputs.indices.allSatisfy { kernel.places[$0] == nil || storage.madeInPlace[step].contains($0) }
        }
        return kernel.isView(
            of: node.outputs.indices.map { node.outputs[$0] != nil && !storage.sharedParts[step].contains($0) })
    }
}
