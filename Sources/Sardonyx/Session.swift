import SardonyxCompiler
import SardonyxExecution
import SardonyxGraph
import SardonyxOperators
import Synchronization

/// A model made ready to run. Runs may overlap: each has its own memory, and the weights are shared.
public final class Session: Sendable {
    /// How a session runs.
    public struct Options: Sendable {
        /// How many threads run a kernel's parts.
        public enum Threads: Sendable, Hashable {
            /// The process's pool: a thread for every CPU of the affinity mask and the cgroup quota.
            case available
            /// A pool of the session's own with this many threads, the caller's among them.
            case count(Int)

            /// How many threads that is.
            package var number: Int {
                switch self {
                case .available: WorkerPool.availableThreads
                case .count(let count): count
                }
            }
        }
        /// How many threads run a kernel's parts.
        public var threads: Threads = .available
        /// Whether passes rewrite the graph and values lie in memory as kernels like them; off, every node runs as the model
        /// has it, on plain tensors.
        public var optimizes = true
        /// The most memory that the session may hold; a run that needs more is refused before it begins, or, where shapes
        /// depend on data, at the step that asks for more.
        public var memoryBudget: MemoryBudget = .unlimited

        /// All CPUs, all passes, as much memory as the machine gives.
        public init() {}
    }

    /// The model that the session runs.
    public let model: Model
    /// The options that the session was made with.
    public let options: Options
    private let rewritten: SharedPreparation.Rewritten
    private let environment: Program.Environment
    private let program: Program
    /// Programs in which defaults of the model are inputs, by those inputs' names.
    private let variants = Mutex<[[String]: Program]>([:])
    private let thread = RunThread()

    /// - Throws: `SardonyxError` (`invalidOption`) for a number of threads that is out of range or a negative budget.
    public init(_ model: Model, options: Options = Options()) throws {
        self.model = model
        self.options = options
        let pool: WorkerPool
        switch options.threads {
        case .available: pool = .shared
        case .count(let count): pool = try .make(threads: count)
        }
        if let bytes = options.memoryBudget.byteCount, bytes < 0 {
            throw SardonyxError(.invalidOption, "a memory budget of \(bytes) bytes: it must be 0 or more")
        }
        let optimizer = Optimizer(passes: options.optimizes ? Optimizer.standard : [])
        var environment = Program.Environment(
            registry: .engine, packedWeights: model.preparation.packedWeights, pool: pool, optimizer: optimizer,
            memoryBudget: options.memoryBudget.byteCount)
        environment.usesLayouts = options.optimizes
        self.environment = environment
        rewritten = try model.preparation.graph(of: model, optimizer)
        program = Program(rewritten.graph, environment)
    }

    /// What the passes did and would not do.
    package var remarks: [Optimizer.Remark] { rewritten.remarks }

    /// Runs the model.
    /// - Parameter inputs: a tensor for each of `model.inputs`, by name.
    /// - Returns: a tensor for each output; outputs that are sequences, optionals or maps come from `runValues`.
    /// - Throws: `SardonyxError`: `invalidInput` names the input and says what was expected; `invalidValue` for values that
    ///   break an operator's rule.
    public func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
        try runValues(inputs.mapValues(Datum.tensor)).compactMapValues(\.tensor)
    }

    /// Runs the model on a thread of the session's own, so that no thread of Swift's pool is blocked. Cancelling the task
    /// ends the run at the next step with `SardonyxError` (`cancelled`).
    public func run(_ inputs: [String: Tensor]) async throws -> [String: Tensor] {
        let cancellation = Cancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                thread.submit { [self] in
                    continuation.resume(
                        with: Result {
                            try runValues(inputs.mapValues(Datum.tensor), cancellation: cancellation)
                                .compactMapValues(\.tensor)
                        })
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
    }

    /// Runs the model on values of any type.
    public func runValues(_ inputs: [String: Datum]) throws -> [String: Datum] {
        try runValues(inputs, cancellation: nil)
    }

    package func runValues(
        _ inputs: [String: Datum], cancellation: Cancellation?, observer: StepObserver? = nil
    ) throws -> [String: Datum] {
        let (program, values) = try arguments(inputs)
        let plan = try plan(program, values.map(\.valueType))
        let results = try plan.run(values, cancellation: cancellation, observer: observer)
        for result in results { result.leaveAccount() }
        return Dictionary(zip(model.outputs.names, results), uniquingKeysWith: { first, _ in first })
    }

    /// Runs the model into tensors that the caller has made, of the outputs' types and shapes.
    /// - Throws: as `run(_:)`, and `invalidInput` when an output's tensor has another type or shape than the result.
    public func run(_ inputs: [String: Tensor], into outputs: inout [String: Tensor]) throws {
        let (program, values) = try arguments(inputs.mapValues(Datum.tensor))
        let plan = try plan(program, values.map(\.valueType))
        var targets: [UnsafeMutableRawPointer?] = []
        for (port, type) in zip(model.outputs, plan.plan.resultTypes) {
            guard let spec = type.spec else {
                throw SardonyxError(.invalidInput, "the shape of output '\(port.name)' is known only after the run")
            }
            guard spec.dataType != .string else {
                throw SardonyxError(
                    .invalidInput, "output '\(port.name)' holds strings, which have no memory to be written into")
            }
            guard outputs[port.name]?.spec == spec else {
                throw SardonyxError(
                    .invalidInput,
                    "output '\(port.name)' is \(spec.text); the tensor given is \(outputs[port.name]?.spec.text ?? "missing")"
                )
            }
            targets.append(try outputs[port.name]?.withUnsafeMutableBytes { $0.baseAddress })
        }
        // SAFETY: `outputs` is inout, so that nobody else changes the tensors, and their storage is unique now.
        try withExtendedLifetime(outputs) {
            try targets.withUnsafeBufferPointer { try plan.run(values, into: $0, cancellation: nil) }
        }
    }

    /// What running with inputs of these shapes takes, also where that is more than the budget.
    public func plan(for shapes: [String: [Int]]) throws -> PlanSummary {
        var types: [ValueType] = []
        for port in model.inputs {
            guard let shape = shapes[port.name] else { throw missing(port) }
            guard let dataType = port.dataType else {
                throw SardonyxError(
                    .invalidInput, "input '\(port.name)' is \(port.typeDescription), which has no shape")
            }
            guard TensorSpec(dataType: dataType, shape: shape).isPossible else {
                throw SardonyxError(.invalidInput, "input '\(port.name)' cannot have the shape \(shape)")
            }
            types.append(.tensor(dataType, SymbolicShape(shape)))
        }
        do {
            let bound = try program.plan(for: types)
            return PlanSummary(bound.plan, bound.need)
        } catch is OverBudget {
            let (plan, need) = try program.preview(for: types)
            return PlanSummary(plan, need)
        }
    }

    /// The plan that a run with these inputs uses.
    package func boundPlan(for inputs: [String: Datum]) throws -> BoundPlan {
        let (program, values) = try arguments(inputs)
        return try plan(program, values.map(\.valueType))
    }

    /// Bytes that the session holds now: packed weights and other constants of its plans, and the memory of its runs, which
    /// is kept for the next ones.
    public var memoryInUse: Int { environment.account.held }
    /// The most bytes that the session has held at once.
    public var peakMemoryInUse: Int { environment.account.peak }

    // MARK: Inputs

    private func missing(_ port: Port) -> SardonyxError {
        SardonyxError(.invalidInput, "input '\(port.name)' is missing; it takes \(port.typeDescription)")
    }

    /// The program and its inputs in order.
    private func arguments(_ inputs: [String: Datum]) throws -> (Program, [Datum]) {
        var overrides: [String] = []
        for name in inputs.keys where model.inputs[name] == nil {
            guard model.optionalInputs[name] != nil else {
                let names = model.inputs.names.joined(separator: "', '")
                throw SardonyxError(.invalidInput, "there is no input '\(name)'; the model takes '\(names)'")
            }
            overrides.append(name)
        }
        overrides.sort()
        var symbols: [String: (extent: Int, input: String)] = [:]
        var values: [Datum] = []
        for port in Array(model.inputs) + overrides.compactMap({ model.optionalInputs[$0] }) {
            guard let value = inputs[port.name] else { throw missing(port) }
            try port.check(value, symbols: &symbols)
            if case .tensor(let tensor) = value {
                values.append(.tensor(try tensor.aligned()))
            } else {
                values.append(value)
            }
        }
        return (overrides.isEmpty ? program : try variant(overrides), values)
    }

    /// The program in which these defaults are inputs.
    private func variant(_ names: [String]) throws -> Program {
        if let program = variants.withLock({ $0[names] }) { return program }
        var graph = model.loaded.graph
        for name in names {
            guard let id = graph.inputDefaults.keys.first(where: { graph[$0].name == name }) else { continue }
            graph.constants[id] = nil
            graph.inputs.append(id)
        }
        try TypeInference(registry: .engine).run(on: &graph)
        _ = try environment.optimizer.run(on: &graph)
        let program = Program(graph, environment)
        variants.withLock { $0[names] = program }
        return program
    }
}
