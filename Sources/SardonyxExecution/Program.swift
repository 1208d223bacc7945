import CKernels
import SardonyxCompiler
import SardonyxGraph
import SardonyxOperators
import Synchronization

/// A graph that runs: plans by input shapes, made when they are first needed and kept.
package final class Program: Sendable {
    /// What a program shares with the programs of its subgraphs.
    package struct Environment: Sendable {
        package var registry: OperatorRegistry
        package var packedWeights: PackedWeights
        package var pool: WorkerPool
        package var optimizer: Optimizer
        /// Whether values between nodes may have layouts other than plain ones.
        package var usesLayouts = true
        /// What decides between kernels.
        package var policy = KernelPolicy()
        /// The largest result of folding, in bytes: what the largest layers of well-known networks have, an eighth of the
        /// machine's memory, or the budget, but never less than the arithmetic of shapes needs.
        package let foldingLimit: Int
        /// The most iterations of a loop.
        package var loopLimit = Int.max
        /// What the session holds, and its memory budget.
        package var account: MemoryAccount
        /// All programs of the session, which make room for each other's plans.
        let programs = ProgramList()
        /// The most bytes that a program's plans may keep between runs; the newest plan stays whatever it takes.
        package var planByteLimit: Int

        package init(
            registry: OperatorRegistry, packedWeights: PackedWeights, pool: WorkerPool, optimizer: Optimizer,
            memoryBudget: Int? = nil
        ) {
            self.registry = registry
            self.packedWeights = packedWeights
            self.pool = pool
            self.optimizer = optimizer
            account = MemoryAccount(limit: memoryBudget)
            foldingLimit = max(1 << 16, min(512 << 20, MachineMemory.byteCount / 8, memoryBudget ?? Int.max))
            planByteLimit = min(memoryBudget ?? Int.max, MachineMemory.byteCount / 4)
        }
    }

    package let graph: Graph
    package let environment: Environment
    private let cache = Mutex<[(types: [ValueType], plan: BoundPlan)]>([])
    private let hold: MemoryAccount.Hold
    /// Plans kept at most, so that finding one stays quick.
    private static let planLimit = 16

    /// Whether the graph stands inside a node, so that it may be planned often and within a run.
    private let isSubgraph: Bool

    package init(_ graph: Graph, _ environment: Environment, isSubgraph: Bool = false) {
        self.graph = graph
        self.isSubgraph = isSubgraph
        self.environment = environment
        // They stay for the next plans when the last one goes.
        hold = environment.account.holdAnyway(graph.constants.values.map(\.storage).filter(\.isOwned))
        environment.programs.add(self)
    }

    /// Lets the plan go that was used longest ago.
    func evictPlan() -> Bool { cache.withLock { $0.isEmpty ? nil : $0.removeFirst() } != nil }

    /// The plan that is there already for types that `fits` knows; it becomes the last used one. Allocates nothing.
    package func cachedPlan(_ fits: ([ValueType]) -> Bool) -> BoundPlan? {
        cache.withLock { cache -> BoundPlan? in
            guard let index = cache.firstIndex(where: { fits($0.types) }) else { return nil }
            // The last used plan is at the end; the first one goes when there are too many.
            if index < cache.count - 1 { cache.append(cache.remove(at: index)) }
            return cache.last?.plan
        }
    }

    /// The plan for inputs, then captures, of these types; what is to be measured for it is measured.
    /// - Parameter checkCancellation: throws when measuring shall end.
    package func plan(
        for types: [ValueType], checkCancellation: @escaping @Sendable () throws -> Void = {}
    ) throws -> BoundPlan {
        if let plan = cachedPlan({ $0 == types }) { return plan }
        let plan = try MemoryAccount.whileNone {
            let (made, need) = try preview(for: types, measuring: checkCancellation)
            try makeRoom(for: made, need)
            // What planning and folding have freed would stand beside the run's memory. Subgraphs plan within runs.
            if !isSubgraph { sdx_return_free_pages() }
            return try BoundPlan(made, need, graph, environment)
        }
        return cache.withLock { cache in
            // Another run may have been quicker.
            if let first = cache.first(where: { $0.types == types }) { return first.plan }
            cache.append((types, plan))
            while cache.count > Self.planLimit || cache.count > 1 && bytesKept(cache) > environment.planByteLimit {
                cache.removeFirst()
            }
            return plan
        }
    }

    /// A plan that is not kept and cannot run, and what it would take.
    /// - Parameter measuring: throws when measuring shall end; nil measures nothing.
    package func preview(
        for types: [ValueType], measuring: (@Sendable () throws -> Void)? = nil
    ) throws -> (plan: Plan, need: MemoryNeed) {
        var planner = Planner(
            registry: environment.registry, packedWeights: environment.packedWeights,
            workers: environment.pool.threads, optimizer: environment.optimizer,
            valueLimit: MachineMemory.byteCount)
        planner.pool = environment.pool.pointer
        planner.usesLayouts = environment.usesLayouts
        planner.foldingLimit = environment.foldingLimit
        planner.policy = environment.policy
        planner.policy.measuring = measuring
        let plan = try planner.plan(graph, types: types)
        return (plan, MemoryNeed(plan, graph))
    }

    /// Lets plans go, the one that was used longest ago first, until this one is within the budget beside what is held.
    /// - Throws: `OverBudget`.
    private func makeRoom(for plan: Plan, _ need: MemoryNeed) throws {
        let account = environment.account
        guard let limit = account.limit else { return }
        if need.total > limit { throw OverBudget(need: need, held: 0, limit: limit) }
        let unaligned = plan.usedConstants.map { plan.constants[$0] }.filter { !$0.isAligned }
        let copies = unaligned.compactMap(environment.packedWeights.alignedCopy)
        let shared = MemoryNeed.shared(plan, graph) + copies
        let missing = need.copies - copies.reduce(0) { $0 + $1.byteCount }
        while true {
            let added = account.addition(shared) + max(0, missing) + need.arena
            let held = account.held
            if held + added <= limit { return }
            if !evictPlan(), !environment.programs.evictPlan() {
                throw OverBudget(need: need, held: held - (need.total - added), limit: limit)
            }
        }
    }

    private func bytesKept(_ plans: [(types: [ValueType], plan: BoundPlan)]) -> Int {
        var packed = Set<ObjectIdentifier>()
        return plans.reduce(0) { sum, entry in
            entry.plan.plan.packedWeights.reduce(sum + entry.plan.memoryByteCount) {
                packed.insert(ObjectIdentifier($1)).inserted ? $0 + $1.byteCount : $0
            }
        }
    }

    /// Runs the graph.
    /// - Parameter inputs: the graph's inputs, then its captures.
    package func run(
        _ inputs: [Datum], cancellation: Cancellation? = nil, observer: StepObserver? = nil
    ) throws -> [Datum] {
        try plan(for: inputs.map(\.valueType)) { try cancellation?.check() }
            .run(inputs, cancellation: cancellation, observer: observer)
    }
}

/// Called after each step with its number and duration in nanoseconds.
package typealias StepObserver = (_ step: Int, _ start: UInt64, _ end: UInt64) -> Void

extension Datum {
    /// The type as far as the value tells.
    package var valueType: ValueType {
        switch self {
        case .tensor(let tensor): .tensor(tensor.dataType, SymbolicShape(tensor.shape))
        case .sequence(let elements): .sequence(elements.first?.elementType ?? .unknown)
        case .optional(let value): .optional(value?.elementType ?? .unknown)
        case .map: .unknown
        }
    }

    /// The type as an element of something: without shapes, which differ from element to element.
    private var elementType: ValueType {
        if case .tensor(let tensor) = self { .tensor(tensor.dataType, nil) } else { valueType }
    }
}
