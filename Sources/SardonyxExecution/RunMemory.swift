import Glibc
import SardonyxCompiler
import SardonyxGraph

/// The memory of one run at a time: arena, workspace, pointers of every step, and the dynamic values.
final class RunMemory: @unchecked Sendable {
    unowned let bound: BoundPlan
    private let block: TensorStorage
    /// The inputs' and outputs' addresses of all steps, one after the other.
    private let inputPointers: UnsafeMutablePointer<UnsafeRawPointer?>
    private let outputPointers: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    /// Where the caller's inputs and the results are in this run.
    let inputAddresses: UnsafeMutableBufferPointer<UnsafeRawPointer?>
    let resultAddresses: UnsafeMutableBufferPointer<UnsafeMutableRawPointer?>
    private let inputStarts: [Int]
    private let outputStarts: [Int]
    /// Places in the tables that depend on the caller's memory or on dynamic values.
    private let inputPatches: [[Patch]]
    private let outputPatches: [[Patch]]
    var values: [Datum?]

    private struct Patch {
        let slot: Int
        let location: Plan.Location
        let spec: TensorSpec?
    }

    init(_ bound: BoundPlan) throws {
        self.bound = bound
        let plan = bound.plan
        let block = try TensorStorage(byteCount: plan.arenaByteCount, for: .lasting)
        self.block = block
        values = [Datum?](repeating: nil, count: plan.datumCount)
        inputAddresses = .allocate(capacity: plan.graph.inputs.count + plan.graph.captures.count)
        inputAddresses.initialize(repeating: nil)
        resultAddresses = .allocate(capacity: plan.results.count)
        resultAddresses.initialize(repeating: nil)

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
        inputAddresses.deallocate()
        resultAddresses.deallocate()
    }

    /// Sets the inputs' addresses; values that are no tensors have none.
    func place(_ inputs: [Datum]) {
        for (index, value) in inputs.enumerated() {
            inputAddresses[index] = tensor(value).map { UnsafeRawPointer($0.storage.base) }
        }
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
                            inputPointers[patch.slot] = try checkedPointer(patch, outputs)
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
                                workspace: steps[index].workspace.map { block.base + $0 }, pool: pool))
                    case .dynamic(let type):
                        try bound.environment.account.whileCurrent {
                            try runDynamic(index, type, inputs, outputs, cancellation)
                        }
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
        at location: Plan.Location, _ outputs: UnsafeBufferPointer<UnsafeMutableRawPointer?>
    ) -> UnsafeRawPointer? {
        switch location {
        case .arena(let offset): return UnsafeRawPointer(block.base + offset)
        case .constant(let number): return UnsafeRawPointer(bound.constants[number].storage.base)
        case .output(let number): return UnsafeRawPointer(outputs[number])
        case .input(let number): return inputAddresses[number]
        case .datum(let slot): return values[slot].flatMap(tensor).map { UnsafeRawPointer($0.storage.base) }
        }
    }

    private func tensor(_ datum: Datum) -> Tensor? {
        if case .tensor(let tensor) = datum { tensor } else { nil }
    }

    /// The address of an input of a kernel; what comes from outside must be aligned and of the planned size.
    private func checkedPointer(
        _ patch: Patch, _ outputs: UnsafeBufferPointer<UnsafeMutableRawPointer?>
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
        return pointer(at: patch.location, outputs)
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
}
