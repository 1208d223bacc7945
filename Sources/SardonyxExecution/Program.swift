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
        /// Plans kept for a program.
        package var planLimit = 16

        package init(registry: OperatorRegistry, pool: WorkerPool, optimizer: Optimizer) {
            self.registry = registry
            self.pool = pool
            self.optimizer = optimizer
            packedWeights = PackedWeights(isDeferred: true)
        }
    }

    package let graph: Graph
    package let environment: Environment
    private let cache = Mutex<[(types: [ValueType], plan: BoundPlan)]>([])

    package init(_ graph: Graph, _ environment: Environment) {
        self.graph = graph
        self.environment = environment
    }

    /// The plan for inputs, then captures, of these types.
    package func plan(for types: [ValueType]) throws -> BoundPlan {
        if let plan = cache.withLock({ cache -> BoundPlan? in
            guard let index = cache.firstIndex(where: { $0.types == types }) else { return nil }
            // The last used plan is at the end; the first one goes when there are too many.
            if index < cache.count - 1 { cache.append(cache.remove(at: index)) }
            return cache.last?.plan
        }) {
            return plan
        }
        var planner = Planner(
            registry: environment.registry, packedWeights: environment.packedWeights,
            workers: environment.pool.threads, optimizer: environment.optimizer,
            valueLimit: MachineMemory.byteCount)
        planner.usesLayouts = environment.usesLayouts
        let plan = try BoundPlan(planner.plan(graph, types: types), environment)
        return cache.withLock { cache in
            // Another run may have been quicker.
            if let first = cache.first(where: { $0.types == types }) { return first.plan }
            cache.append((types, plan))
            if cache.count > environment.planLimit { cache.removeFirst() }
            return plan
        }
    }

    /// Runs the graph.
    /// - Parameter inputs: the graph's inputs, then its captures.
    package func run(
        _ inputs: [Datum], cancellation: Cancellation? = nil, observer: StepObserver? = nil
    ) throws -> [Datum] {
        try plan(for: inputs.map(\.valueType)).run(inputs, cancellation: cancellation, observer: observer)
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
