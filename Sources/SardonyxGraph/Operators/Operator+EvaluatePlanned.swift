extension Operator {
    /// The kernel that `prepare` makes. Where no output has an element nothing runs: beside the zero an extent may be of any
    /// size, and nobody may count up to it.
    package static func kernel(_ context: PreparationContext) throws -> Kernel {
        let outputs = context.outputs.compactMap { $0 }
        guard !outputs.isEmpty, outputs.allSatisfy({ $0.shape.contains(0) }) else { return try prepare(context) }
        let extents = (context.inputs + context.outputs).flatMap { $0?.shape ?? [] }
        var kernel = extents.contains { $0 > Int32.max } ? Kernel { _ in } : try prepare(context)
        kernel.replaceRun { _ in }
        return kernel
    }

    /// Runs a planned operator once, on tensors: infers the outputs' shapes from the values, prepares and runs.
    package static func evaluatePlanned(_ context: EvaluationContext) throws -> [Datum?] {
        var inputs = try context.inputs.indices.map { try context.optionalTensor($0) }
        var strings: StringTable?
        if case .movesElements = execution, inputs.contains(where: { $0?.dataType == .string }) {
            strings = StringTable()
            inputs = inputs.map { strings!.intern($0) }
        }
        let tensors = inputs
        var inference = InferenceContext(
            node: context.node, inputs: tensors.map { $0.map { .tensor($0.dataType, SymbolicShape($0.shape)) } },
            constantOf: { tensors[$0] })
        try infer(&inference)
        let specs = try context.node.outputs.indices.map { index -> TensorSpec? in
            guard context.node.outputs[index] != nil else { return nil }
            guard let spec = inference.outputs[index].spec else {
                throw SardonyxError(.invalidInput, "the shape of output \(index) cannot be told from the inputs")
            }
            try spec.checkPossible("output \(index)")
            try context.environment.admit(spec)
            return spec
        }
        let kernel = try kernel(
            PreparationContext(
                node: context.node, inputs: tensors.map { $0?.spec }, outputs: specs, constants: tensors,
                workers: context.environment.workers, packedWeights: PackedWeights()))
        let overwritable = kernel.canFail || strings != nil ? [] : context.lastReads
        return try kernel.evaluate(
            inputs: tensors, outputs: specs, environment: context.environment, overwritable: overwritable
        )
        .map { $0.map { .tensor(strings?.restore($0) ?? $0) } }
    }
}

extension Kernel {
    /// Runs the kernel on tensors, into new tensors or in place.
    /// - Parameter overwritable: inputs that nobody else holds.
    package func evaluate(
        inputs: [Tensor?], outputs: [TensorSpec?], environment: any EvaluationEnvironment,
        overwritable: Set<Int> = []
    ) throws -> [Tensor?] {
        let inputs = try inputs.map { try $0?.aligned() }
        var overwritable = overwritable
        var results: [Tensor?] = []
        for (index, spec) in outputs.enumerated() {
            guard let spec else {
                results.append(nil)
                continue
            }
            if let source = views[index], let input = inputs[source] {
                results.append(Tensor(dataType: spec.dataType, shape: spec.shape, storage: input.storage))
            } else if let source = inPlace[index]?.first(where: overwritable.contains), let input = inputs[source],
                input.count * input.dataType.byteCount == spec.shape.elementCount * spec.dataType.byteCount
            {
                overwritable.remove(source)
                results.append(Tensor(dataType: spec.dataType, shape: spec.shape, storage: input.storage))
            } else {
                // Strings are carried as numbers here.
                let memory = try environment.allocate(spec.dataType == .string ? .int64 : spec.dataType, spec.shape)
                results.append(Tensor(dataType: spec.dataType, shape: spec.shape, storage: memory.storage))
            }
        }
        if isView(of: outputs.map { $0 != nil }) { return results }
        let workspace = workspaceByteCount > 0 ? try TensorStorage(byteCount: workspaceByteCount) : nil
        let sources = inputs.map { UnsafeRawPointer($0?.storage.base) }
        let targets = results.map { $0?.storage.base }
        try sources.withUnsafeBufferPointer { sources in
            try targets.withUnsafeBufferPointer { targets in
                // SAFETY: `inputs`, `results` and `workspace` keep the memory alive until the kernel is done.
                try withExtendedLifetime((inputs, results, workspace)) {
                    let none: UnsafeRawPointer? = nil
                    let nothing: UnsafeMutableRawPointer? = nil
                    try withUnsafePointer(to: none) { noInput in
                        try withUnsafePointer(to: nothing) { noOutput in
                            try run(
                                Frame(
                                    inputs: sources.baseAddress ?? noInput, outputs: targets.baseAddress ?? noOutput,
                                    workspace: workspace?.base, pool: environment.pool))
                        }
                    }
                }
            }
        }
        return results
    }
}

/// Numbers for strings, so that operators that only move or compare elements work on strings as on int64.
private struct StringTable {
    // The empty string is 0, so that memory of zeros (padding, what a mask removes) holds empty strings.
    private var numbers = [ExactString(""): Int64(0)]
    private var strings = [""]
    /// Tensors of this type hold numbers of strings.
    private static let carrier = DataType.string

    mutating func intern(_ tensor: Tensor?) -> Tensor? {
        guard let tensor, tensor.dataType == .string else { return tensor }
        var ids: [Int64] = []
        ids.reserveCapacity(tensor.count)
        for string in tensor.strings {
            if let number = numbers[ExactString(string)] {
                ids.append(number)
            } else {
                let number = Int64(strings.count)
                numbers[ExactString(string)] = number
                strings.append(string)
                ids.append(number)
            }
        }
        // The type stays `string`, so that inference gives strings; the storage holds numbers.
        let carried = Tensor(shape: tensor.shape, scalars: ids)
        return Tensor(dataType: Self.carrier, shape: tensor.shape, storage: carried.storage)
    }

    func restore(_ tensor: Tensor) -> Tensor {
        guard tensor.dataType == .string else { return tensor }
        let ids = Tensor(dataType: .int64, shape: tensor.shape, storage: tensor.storage).scalars(Int64.self)
        return Tensor(shape: tensor.shape, strings: ids.map { strings[Int($0)] })
    }
}
