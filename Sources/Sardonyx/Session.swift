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
        /// How exactly results follow the model's arithmetic.
        public enum Precision: String, Sendable, Hashable, CaseIterable {
            /// Within tolerance: sums may be rewritten and convolutions computed by Winograd's algorithm.
            case standard
            /// Every operator rounds as the standard's formulas do, each sum in a fixed order: no Winograd, and no rewrite
            /// that changes a rounding. Off are folding of batch normalisations and scales into weights, adding biases and
            /// residuals inside convolutions and products, 1 × 1 convolutions in front of upsampling, fused attention, and
            /// recognising Gelu and HardSwish in their parts.
            case strict
        }
        /// How exactly results follow the model's arithmetic.
        public var precision: Precision = .standard
        /// A file of measured choices. For each convolution that the file has no choice for, the algorithms that can compute it
        /// are measured when a plan is made (with the session where the model's shapes are fixed, else with the first run of
        /// new shapes) and the best one is written there; sessions that find their choices in the file measure nothing, and
        /// all sessions with the same file give the same bits. Measuring takes some 50 ms a convolution and memory within
        /// `memoryBudget` and half of the machine's; a convolution for which that does not suffice is chosen as without a file.
        ///
        /// Nothing is written where all choices are in the file, so that it may be read-only then. Otherwise a file that cannot
        /// be written is an error (`SardonyxError`, `file`) of whoever makes the plan: its bits could not be had again.
        public var autotune: String?
        /// The most memory that the session may hold; a run that needs more is refused before it begins, or, where shapes
        /// depend on data, at the step that asks for more.
        public var memoryBudget: MemoryBudget = .unlimited

        /// The most iterations of a run's Loop, Scan and SequenceMap nodes, all together, so that loops inside loops count too; a
        /// run that goes on is ended with `SardonyxError` (`invalidValue`). Files from others may hold loops that never end.
        public var loopLimit = Int.max

        /// All CPUs, all passes, as much memory as the machine gives.
        public init() {}
    }

    /// The model that the session runs.
    public let model: Model
    /// The options that the session was made with.
    public let options: Options
    private let rewritten: SharedPreparation.Rewritten
    private let environment: Program.Environment
    private let choices: PinnedChoices?
    private let main: Variant
    /// A program with its inputs' names, in the order in which it takes them.
    private struct Variant {
        let names: [String]
        let program: Program

        func fits(_ inputs: [String: Tensor]) -> Bool {
            names.count == inputs.count && names.allSatisfy { inputs.index(forKey: $0) != nil }
        }
    }
    /// Programs in which defaults of the model are inputs.
    private let variants = Mutex<[Variant]>([])
    private let thread = RunThread()

    /// - Throws: `SardonyxError` (`invalidOption`) for a number of threads that is out of range, a negative budget or a damaged
    ///   file of choices; `file` for one that cannot be read or written.
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
        let isStrict = options.precision == .strict
        let optimizer = Optimizer(
            passes: options.optimizes ? isStrict ? Optimizer.strict : Optimizer.standard : [])
        var environment = Program.Environment(
            registry: model.registry, packedWeights: model.preparation.packedWeights, pool: pool, optimizer: optimizer,
            memoryBudget: options.memoryBudget.byteCount)
        environment.usesLayouts = options.optimizes
        environment.loopLimit = max(0, options.loopLimit)
        choices = try options.autotune.map { try PinnedChoices(path: $0, account: environment.account) }
        environment.policy = KernelPolicy(isStrict: isStrict, choices: choices)
        self.environment = environment
        rewritten = try model.preparation.graph(
            of: model, optimizer, foldingLimit: environment.foldingLimit, pool: pool)
        main = Variant(names: model.inputs.names, program: Program(rewritten.graph, environment))
        if choices != nil { try planFixedShapes() }
    }

    /// Makes the plan of a model whose inputs have fixed shapes, so that runs measure nothing.
    private func planFixedShapes() throws {
        let types = model.inputs.map(\.type)
        guard types.allSatisfy({ $0.spec != nil }) else { return }
        do {
            _ = try main.program.plan(for: types) {
                if Task.isCancelled { throw SardonyxError(.cancelled, "the session's measuring was cancelled") }
            }
        } catch is OverBudget {
            // A run tells, and what would fit.
        }
    }

    /// The threads that a run uses.
    package var pool: WorkerPool { environment.pool }
    /// Threads that a run uses at most.
    package var threadCount: Int { pool.threads }
    /// The instruction set that kernels use here: `avx512`, say.
    package static var instructionSet: String { Processor.instructionSet }

    /// How many convolutions the session has measured.
    package var measuredCount: Int { choices?.measuredCount ?? 0 }

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
        let plan = try plan(program, values.map(\.valueType), cancellation: cancellation)
        let results = try plan.run(values, cancellation: cancellation, observer: observer)
        for result in results { result.leaveAccount() }
        return Dictionary(zip(model.outputs.names, results), uniquingKeysWith: { first, _ in first })
    }

    /// Runs the model into tensors that the caller has made, of the outputs' types and shapes.
    ///
    /// Once warm, a run allocates nothing: that is from the second run with inputs of these shapes on, where no shape
    /// depends on the inputs' values, no output's memory is shared with another tensor, and inputs are no views of mapped
    /// files.
    /// - Throws: as `run(_:)`, and `invalidInput` when an output's tensor has another type or shape than the result.
    public func run(_ inputs: [String: Tensor], into outputs: inout [String: Tensor]) throws {
        if let (plan, names) = warmPlan(for: inputs) {
            try run(plan, [], into: &outputs) { index in inputs[names[index]]?.storage.base }
        } else {
            let (program, values) = try arguments(inputs.mapValues(Datum.tensor))
            let plan = try plan(program, values.map(\.valueType))
            try run(plan, values, into: &outputs) { index in values[index].tensor?.storage.base }
        }
        withExtendedLifetime(inputs) {}
    }

    /// - Parameter address: where an input is.
    private func run(
        _ plan: BoundPlan, _ values: [Datum], into outputs: inout [String: Tensor],
        address: (Int) -> UnsafeMutableRawPointer?
    ) throws {
        try plan.run(values) { addresses, results in
            for index in addresses.indices { addresses[index] = address(index).map { UnsafeRawPointer($0) } }
            for index in results.indices {
                results[index] = try Self.target(model.outputs[index], plan.resultSpecs[index], &outputs)
            }
        }
        // SAFETY: `outputs` is inout, so that nobody else changes the tensors, and their storage is unique now.
        withExtendedLifetime(outputs) {}
    }

    /// The memory of the output that the caller has made for a result, unique.
    private static func target(
        _ port: Port, _ spec: TensorSpec?, _ outputs: inout [String: Tensor]
    ) throws -> UnsafeMutableRawPointer? {
        guard let spec else {
            throw SardonyxError(.invalidInput, "the shape of output '\(port.name)' is known only after the run")
        }
        guard spec.dataType != .string else {
            throw SardonyxError(
                .invalidInput, "output '\(port.name)' holds strings, which have no memory to be written into")
        }
        guard let place = outputs.index(forKey: port.name), outputs.values[place].dataType == spec.dataType,
            outputs.values[place].shape == spec.shape
        else {
            throw SardonyxError(
                .invalidInput,
                "output '\(port.name)' is \(spec.text); the tensor given is \(outputs[port.name]?.spec.text ?? "missing")"
            )
        }
        return try outputs.values[place].withUnsafeMutableBytes { $0.baseAddress }
    }

    /// What running with inputs of these shapes takes, also where that is more than the budget.
    public func plan(for shapes: [String: [Int]]) throws -> PlanSummary {
        var types: [ValueType] = []
        var symbols: [String: (extent: Int, input: String)] = [:]
        for port in model.inputs {
            guard let shape = shapes[port.name] else { throw missing(port) }
            guard let dataType = port.dataType else {
                throw SardonyxError(
                    .invalidInput, "input '\(port.name)' is \(port.typeDescription), which has no shape")
            }
            guard TensorSpec(dataType: dataType, shape: shape).isPossible else {
                throw SardonyxError(.invalidInput, "input '\(port.name)' cannot have the shape \(shape)")
            }
            // A run takes the plan without looking at the shapes again.
            try port.check(shape: shape, symbols: &symbols)
            types.append(.tensor(dataType, SymbolicShape(shape)))
        }
        do {
            let bound = try main.program.plan(for: types)
            return PlanSummary(bound.plan, bound.need)
        } catch is OverBudget {
            let (plan, need) = try main.program.preview(for: types)
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
        return (overrides.isEmpty ? main.program : try variant(overrides), values)
    }

    /// The plan of a former run with inputs of these names, types and shapes, and the inputs' order, unless there are
    /// dynamic steps or inputs that must be copied. Allocates nothing.
    private func warmPlan(for inputs: [String: Tensor]) -> (plan: BoundPlan, names: [String])? {
        guard let variant = main.fits(inputs) ? main : variants.withLock({ $0.first { $0.fits(inputs) } }) else {
            return nil
        }
        let plan = variant.program.cachedPlan { types in
            zip(types, variant.names).allSatisfy { type, name in
                guard let tensor = inputs[name], tensor.isAligned, case .tensor(tensor.dataType, let shape?) = type
                else { return false }
                return shape.count == tensor.shape.count && zip(shape, tensor.shape).allSatisfy { $0.value == $1 }
            }
        }
        guard let plan, plan.plan.isStatic else { return nil }
        return (plan, variant.names)
    }

    /// The program in which these defaults are inputs.
    private func variant(_ names: [String]) throws -> Program {
        let all = model.inputs.names + names
        if let known = variants.withLock({ $0.first { $0.names == all } }) { return known.program }
        var graph = model.loaded.graph
        for name in names {
            guard let id = graph.inputDefaults.keys.first(where: { graph[$0].name == name }) else { continue }
            graph.constants[id] = nil
            graph.inputs.append(id)
        }
        try SharedPreparation.rewrite(
            &graph, environment.optimizer, environment.registry, foldingLimit: environment.foldingLimit,
            pool: environment.pool)
        let program = Program(graph, environment)
        variants.withLock { $0.append(Variant(names: all, program: program)) }
        return program
    }
}
