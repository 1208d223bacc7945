import Glibc
import SardonyxCompiler
import SardonyxGraph

/// The memory of one run at a time: arena, workspace, pointers of every step, and the dynamic values.
final class RunMemory: @unchecked Sendable {
    private unowned let bound: BoundPlan
    private let block: TensorStorage
    private let workspace: UnsafeMutableRawPointer?
    /// The inputs' and outputs' addresses of all steps, one after the other.
    private let inputPointers: UnsafeMutablePointer<UnsafeRawPointer?>
    private let outputPointers: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private let inputStarts: [Int]
    private let outputStarts: [Int]
    /// Places in the tables that depend on the caller's memory or on dynamic values.
    private let inputPatches: [[Patch]]
    private let outputPatches: [[Patch]]
    private var values: [Datum?]

    private struct Patch {
        let slot: Int
        let location: Plan.Location
        let spec: TensorSpec?
    }

    init(_ bound: BoundPlan) throws {
        self.bound = bound
        let plan = bound.plan
        let block = try TensorStorage(byteCount: plan.arenaByteCount + plan.workspaceByteCount)
        self.block = block
        workspace = plan.workspaceByteCount > 0 ? block.base + plan.arenaByteCount : nil
        values = [Datum?](repeating: nil, count: plan.datumCount)

        var inputStarts: [Int] = []
        var outputStarts: [Int] = []
        var inputCount = 0
        var outputCount = 0
        for step in plan.steps {
            inputStarts.append(inputCount)
            outputStarts.append(outputCount)
            inputCount += step.inputs.count
            outputCount += step.outputs.count
        }
        self.inputStarts = inputStarts
        self.outputStarts = outputStarts
        inputPointers = .allocate(capacity: inputCount + 1)
        inputPointers.initialize(repeating: nil, count: inputCount + 1)
        outputPointers = .allocate(capacity: outputCount + 1)
        outputPointers.initialize(repeating: nil, count: outputCount + 1)

        var inputPatches: [[Patch]] = []
        var outputPatches: [[Patch]] = []
        for (index, step) in plan.steps.enumerated() {
            var patches: [Patch] = []
            for (input, location) in step.inputs.enumerated() {
                let slot = inputStarts[index] + input
                switch location {
                case .arena(let offset): inputPointers[slot] = UnsafeRawPointer(block.base + offset)
                case .constant(let number): inputPointers[slot] = UnsafeRawPointer(bound.constants[number].storage.base)
                case let location?: patches.append(Patch(slot: slot, location: location, spec: step.inputSpecs[input]))
                case nil: break
                }
            }
            inputPatches.append(patches)
            patches = []
            for (output, location) in step.outputs.enumerated() {
                let slot = outputStarts[index] + output
                switch location {
                case .arena(let offset): outputPointers[slot] = block.base + offset
                case let location?:
                    patches.append(Patch(slot: slot, location: location, spec: step.outputSpecs[output]))
                case nil: break
                }
            }
            outputPatches.append(patches)
        }
        self.inputPatches = inputPatches
        self.outputPatches = outputPatches
    }

    deinit {
        inputPointers.deallocate()
        outputPointers.deallocate()
    }

    func releaseValues() {
        for index in values.indices { values[index] = nil }
    }

    func execute(
        _ inputs: [Datum], outputs: [UnsafeMutableRawPointer?], cancellation: Cancellation?, observer: StepObserver?
    ) throws {
        try outputs.withUnsafeBufferPointer {
            try execute(inputs, into: $0, cancellation: cancellation, observer: observer)
        }
    }

    func execute(
        _ inputs: [Datum], into outputs: UnsafeBufferPointer<UnsafeMutableRawPointer?>, cancellation: Cancellation?,
        observer: StepObserver?
    ) throws {
        let steps = bound.plan.steps
        let pool = bound.environment.pool.pointer
        try withExtendedLifetime(inputs) {
            for index in steps.indices {
                try cancellation?.check()
                let start = observer == nil ? 0 : now()
                do {
                    switch steps[index].work {
                    case .kernel(let kernel):
                        for patch in inputPatches[index] {
                            inputPointers[patch.slot] = try checkedPointer(patch, inputs, outputs)
                        }
                        for patch in outputPatches[index] {
                            if case .output(let number) = patch.location {
                                outputPointers[patch.slot] = outputs[number]
                            }
                        }
                        // SAFETY: the tables have a slot for every input and output of the step, filled above.
                        try kernel.run(
                            Frame(
                                inputs: inputPointers + inputStarts[index],
                                outputs: outputPointers + outputStarts[index],
                                workspace: workspace, pool: pool))
                    case .dynamic(let type):
                        try runDynamic(index, type, inputs, outputs, cancellation)
                    }
                } catch let error as SardonyxError {
                    throw error.at(steps[index].node)
                }
                for slot in steps[index].expiring { values[slot] = nil }
                if let observer { observer(index, start, now()) }
            }
        }
    }

    private func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    // MARK: Values

    func pointer(
        at location: Plan.Location, _ inputs: [Datum], _ outputs: UnsafeBufferPointer<UnsafeMutableRawPointer?>
    ) -> UnsafeRawPointer? {
        switch location {
        case .arena(let offset): return UnsafeRawPointer(block.base + offset)
        case .constant(let number): return UnsafeRawPointer(bound.constants[number].storage.base)
        case .output(let number): return UnsafeRawPointer(outputs[number])
        case .input(let number): return tensor(inputs[number]).map { UnsafeRawPointer($0.storage.base) }
        case .datum(let slot): return values[slot].flatMap(tensor).map { UnsafeRawPointer($0.storage.base) }
        }
    }

    private func tensor(_ datum: Datum) -> Tensor? {
        if case .tensor(let tensor) = datum { tensor } else { nil }
    }

    /// The address of an input of a kernel; what comes from outside must be aligned and of the planned size.
    private func checkedPointer(
        _ patch: Patch, _ inputs: [Datum], _ outputs: UnsafeBufferPointer<UnsafeMutableRawPointer?>
    ) throws -> UnsafeRawPointer? {
        if case .datum(let slot) = patch.location, let spec = patch.spec {
            guard let value = values[slot].flatMap(tensor) else {
                throw SardonyxError(.invalidInput, "an input is no tensor")
            }
            guard value.dataType == spec.dataType, value.count == spec.elementCount else {
                throw SardonyxError(
                    .invalidValue, "an input is \(value.spec.text) where \(spec.text) was planned")
            }
        }
        return pointer(at: patch.location, inputs, outputs)
    }

    /// A value for evaluation; what is in the arena is copied, because the arena's memory is used again.
    func datum(
        at location: Plan.Location, spec: TensorSpec?, _ inputs: [Datum], _ outputs: [UnsafeMutableRawPointer?]
    ) throws -> Datum {
        switch location {
        case .input(let number): return reshaped(inputs[number], spec)
        case .constant(let number): return reshaped(.tensor(bound.constants[number]), spec)
        case .datum(let slot):
            guard let value = values[slot] else { throw SardonyxError(.invalidInput, "an input was not made") }
            return reshaped(value, spec)
        case .arena, .output:
            guard let spec else { throw SardonyxError(.invalidInput, "an input has no known shape") }
            let copy = try Tensor(uninitialized: spec.dataType, shape: spec.shape)
            if case .arena(let offset) = location { memcpy(copy.storage.base, block.base + offset, spec.byteCount) }
            if case .output(let number) = location, let source = outputs[number] {
                memcpy(copy.storage.base, source, spec.byteCount)
            }
            return .tensor(copy)
        }
    }

    /// A view has its source's memory and a shape of its own.
    private func reshaped(_ datum: Datum, _ spec: TensorSpec?) -> Datum {
        guard let spec, case .tensor(let tensor) = datum,
            tensor.shape != spec.shape || tensor.dataType != spec.dataType,
            tensor.byteCount == spec.byteCount
        else { return datum }
        return .tensor(Tensor(dataType: spec.dataType, shape: spec.shape, storage: tensor.storage))
    }

    // MARK: Dynamic steps

    private func runDynamic(
        _ index: Int, _ type: any Operator.Type, _ inputs: [Datum],
        _ outputs: UnsafeBufferPointer<UnsafeMutableRawPointer?>, _ cancellation: Cancellation?
    ) throws {
        let step = bound.plan.steps[index]
        let targets = Array(outputs)
        let arguments = try step.inputs.indices.map { input -> Datum? in
            guard let location = step.inputs[input] else { return nil }
            return try datum(at: location, spec: step.inputSpecs[input], inputs, targets)
        }
        let environment = StepEnvironment(
            pool: bound.environment.pool.pointer, workers: bound.environment.pool.threads, cancellation: cancellation,
            programs: bound.subprograms[index] ?? [:],
            captures: try step.captures.mapValues { captures in
                try captures.map { try datum(at: $0.location, spec: $0.spec, inputs, targets) }
            })
        let results: [Datum?]
        if let cache = bound.kernelCaches[index],
            let planned = try cache.evaluate(step, type, arguments, bound, environment)
        {
            results = planned
        } else {
            results = try type.evaluate(
                EvaluationContext(
                    node: step.node, inputs: arguments, outputTypes: step.outputTypes, environment: environment,
                    operatorType: type))
        }
        for (output, location) in step.outputs.enumerated() {
            guard case .datum(let slot)? = location else { continue }
            guard output < results.count, let result = results[output] else {
                throw SardonyxError(.invalidValue, "output \(output) was not made")
            }
            if case .tensor(let tensor) = result {
                // Later steps rely on the shape that was planned.
                if let spec = step.outputSpecs[output], tensor.spec != spec {
                    throw SardonyxError(
                        .invalidValue, "output \(output) is \(tensor.spec.text) where \(spec.text) was planned")
                }
                values[slot] = .tensor(try tensor.aligned())
            } else {
                values[slot] = result
            }
        }
    }
}

extension KernelCache {
    /// Runs a planned operator on shapes that are known only now, with a kernel kept from the last time.
    /// - Returns: nil when the operator's shapes depend on more than shapes, or its inputs are strings.
    fileprivate func evaluate(
        _ step: Plan.Step, _ type: any Operator.Type, _ arguments: [Datum?], _ bound: BoundPlan,
        _ environment: StepEnvironment
    ) throws -> [Datum?]? {
        var tensors: [Tensor?] = []
        for argument in arguments {
            guard let argument else {
                tensors.append(nil)
                continue
            }
            guard case .tensor(let tensor) = argument, tensor.dataType != .string else { return nil }
            tensors.append(tensor)
        }
        let specs = tensors.map { $0?.spec }
        let entry: Entry
        if let known = find(specs) {
            entry = known
        } else {
            let constants = step.inputs.indices.map { input -> Tensor? in
                if case .constant? = step.inputs[input] { tensors[input] } else { nil }
            }
            var context = InferenceContext(
                node: step.node, inputs: specs.map { $0.map { .tensor($0.dataType, SymbolicShape($0.shape)) } },
                constantOf: { constants[$0] })
            try type.infer(&context)
            let outputs = step.node.outputs.indices.map {
                step.node.outputs[$0] == nil ? nil : context.outputs[$0].spec
            }
            for (index, output) in step.node.outputs.enumerated() where output != nil && outputs[index] == nil {
                return nil
            }
            let packed = bound.environment.packedWeights
            do {
                let kernel = try type.prepare(
                    PreparationContext(
                        node: step.node, inputs: specs, outputs: outputs, constants: constants,
                        workers: environment.workers, packedWeights: packed,
                        inputValues: constants.map { $0.map(packed.identify) }))
                entry = Entry(inputs: specs, outputs: outputs, kernel: kernel)
            } catch let error as SardonyxError where error.code == .unsupported {
                return nil
            }
            insert(entry)
        }
        return try entry.kernel.evaluate(inputs: tensors, outputs: entry.outputs, environment: environment)
            .map { $0.map(Datum.tensor) }
    }
}

/// What a dynamic step sees of the engine.
struct StepEnvironment: EvaluationEnvironment, @unchecked Sendable {
    let pool: OpaquePointer?
    let workers: Int
    let cancellation: Cancellation?
    let programs: [String: Program]
    let captures: [String: [Datum]]

    func run(_ attribute: String, inputs: [Datum]) throws -> [Datum] {
        guard let program = programs[attribute] else {
            throw SardonyxError(.invalidModel, "there is no subgraph '\(attribute)'")
        }
        return try program.run(inputs + (captures[attribute] ?? []), cancellation: cancellation)
    }

    func checkCancellation() throws { try cancellation?.check() }

    func allocate(_ dataType: DataType, _ shape: [Int]) throws -> Tensor {
        try Tensor(uninitialized: dataType, shape: shape)
    }
}
