import SardonyxCompiler
import SardonyxGraph

/// Steps whose shapes are known only when they run.
extension RunMemory {
    func runDynamic(
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
            loopLimit: bound.environment.loopLimit, step: index, bound: bound,
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
            for (index, output) in step.node.outputs.enumerated() where output != nil {
                guard let spec = outputs[index] else { return nil }
                try spec.checkPossible("output \(index)")
                try environment.admit(spec)
            }
            let packed = bound.environment.packedWeights
            do {
                entry = try MemoryAccount.whileNone {
                    let kernel = try type.kernel(
                        PreparationContext(
                            node: step.node, inputs: specs, outputs: outputs, constants: constants,
                            workers: environment.workers, packedWeights: packed,
                            inputValues: constants.map { $0.map(packed.identify) },
                            policy: bound.environment.policy))
                    let hold = try bound.environment.account.hold(kernel.packedWeights)
                    try packed.packAll(bound.environment.pool.forEach)
                    return Entry(inputs: specs, outputs: outputs, kernel: kernel, hold: hold)
                }
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
    let loopLimit: Int
    let step: Int
    let bound: BoundPlan
    let programs: [String: Program]
    let captures: [String: [Datum]]

    func run(_ attribute: String, inputs: [Datum]) throws -> [Datum] {
        guard let program = programs[attribute] else {
            throw SardonyxError(.invalidModel, "there is no subgraph '\(attribute)'")
        }
        do {
            return try program.run(inputs + (captures[attribute] ?? []), cancellation: cancellation)
        } catch let refusal as OverBudget {
            throw refusal.error
        }
    }

    func checkCancellation() throws { try cancellation?.check() }

    func beginIteration() throws { try cancellation?.beginIteration(limit: loopLimit) }

    var packedWeights: PackedWeights { bound.environment.packedWeights }

    func kept<Object: AnyObject & Sendable>(_ make: () throws -> Object) throws -> Object {
        if let known = bound.kept.withLock({ $0[step] }) as? Object { return known }
        let made = try make()
        bound.kept.withLock { $0[step] = made }
        return made
    }

    func admit(_ spec: TensorSpec) throws {
        try spec.checkPossible("an output", limit: MachineMemory.byteCount)
    }

    func allocate(_ dataType: DataType, _ shape: [Int]) throws -> Tensor {
        try Tensor(uninitialized: dataType, shape: shape)
    }
}
