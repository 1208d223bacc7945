import SardonyxGraph

/// v = v_initial; for i in 0 ..< M while cond: cond, v, scanₖ[i] = body(i, cond, v). The outputs are the final v, then for
/// each scan output the iterations' values stacked along a new first axis.
///
/// <https://onnx.ai/onnx/operators/onnx__Loop.html>
enum Loop: Operator {
    static let schema = Schema(
        "Loop", versions: [1, 11, 13, 16, 19, 21, 23, 24, 25],
        inputs: [
            Parameter("M", "I", [.int64], .optional), Parameter("cond", "B", [.bool], .optional),
            Parameter("v_initial", "V", .all, .variadic, isHomogeneous: false),
        ],
        outputs: [Parameter("v_final_and_scan_outputs", "V", .all, .variadic, isHomogeneous: false)],
        attributes: [AttributeSpec("body", .graph, required: true)])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        guard let body = context.node.subgraph("body") else { return }
        let carried = max(0, context.inputs.count - 2)
        guard body.graph.inputs.count == carried + 2, body.graph.outputs.count >= carried + 1 else {
            throw SardonyxError(
                .invalidModel,
                "the body takes \(body.graph.inputs.count) values and gives \(body.graph.outputs.count); with \(carried) "
                    + "carried values it must take \(carried + 2) and give \(carried + 1) or more")
        }
        guard context.outputs.count <= body.graph.outputs.count - 1 else {
            throw SardonyxError(
                .invalidModel,
                "the node has \(context.outputs.count) outputs; the body gives \(body.graph.outputs.count - 1)")
        }
        // A carried value may change its shape from one iteration to the next.
        let initial = (0..<carried).map { (context.inputs[$0 + 2] ?? .unknown).withoutShape }
        let types = try context.infer(body, inputs: [.tensor(.int64, []), .tensor(.bool, [])] + initial)
        for index in context.outputs.indices {
            let type = types[index + 1]
            if index < carried {
                // Without an iteration the initial value comes out.
                context.set(index, type.union(context.inputs[index + 2] ?? .unknown))
            } else if case .tensor(let element, let shape) = type {
                context.set(index, element, shape.map { [.unknown] + $0 })
            }
        }
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        guard let body = context.node.subgraph("body") else { return [] }
        let carriedCount = max(0, context.inputs.count - 2)
        var limit = Int64.max
        if let trips = try context.optionalTensor(0) {
            guard trips.count == 1, trips.dataType == .int64 else {
                throw SardonyxError(.invalidInput, "the trip count must be one int64; its shape is \(trips.shape)")
            }
            limit = trips.scalars(Int64.self)[0]
        }
        var condition = true
        if let first = try context.optionalTensor(1) { condition = try truth(first) }
        var carried = try (0..<carriedCount).map { index in
            guard let value = context.inputs[index + 2] else {
                throw SardonyxError(.invalidInput, "carried value \(index) is missing")
            }
            return value
        }
        let scanCount = body.graph.outputs.count - 1 - carriedCount
        var scans = [[Tensor]](repeating: [], count: max(0, scanCount))
        var iteration: Int64 = 0
        while iteration < limit && condition {
            try context.environment.beginIteration()
            let results = try context.environment.run(
                "body", inputs: [.tensor(Tensor(iteration)), .tensor(Tensor(condition))] + carried)
            guard let next = results.first?.tensor else {
                throw SardonyxError(.invalidValue, "the body gives no condition")
            }
            condition = try truth(next)
            carried = Array(results[1..<1 + carriedCount])
            for index in scans.indices {
                guard let element = results[1 + carriedCount + index].tensor else {
                    throw SardonyxError(.invalidValue, "scan output \(index) is no tensor")
                }
                scans[index].append(element)
            }
            iteration += 1
        }
        let stacked = try scans.enumerated().map { index, elements -> Datum? in
            let type =
                context.outputTypes.count > carriedCount + index ? context.outputTypes[carriedCount + index] : .unknown
            let declared = body.declaredOutputs.dropFirst(1 + carriedCount + index).first ?? .unknown
            return .tensor(try stack(elements, type: type.stacked(of: declared)))
        }
        return carried.map { $0 } + stacked
    }

    private static func truth(_ tensor: Tensor) throws -> Bool {
        guard tensor.count == 1, tensor.dataType == .bool else {
            throw SardonyxError(.invalidInput, "the condition must be one bool; its shape is \(tensor.shape)")
        }
        return tensor.withUnsafeBytes { $0[0] != 0 }
    }
}

extension ValueType {
    /// What is known of elements stacked along a new axis: what inference found, else what the file says of an element.
    package func stacked(of declared: ValueType, axis: Int = 0) -> ValueType {
        guard case .tensor(let type, var element?) = declared, axis <= element.count else { return self }
        element.insert(.unknown, at: axis)
        guard let shape else { return .tensor(dataType ?? type, element) }
        guard shape.count == element.count else { return self }
        return .tensor(dataType ?? type, zip(shape, element).map { $0 == .unknown ? $1 : $0 })
    }
}

/// Tensors of one shape stacked along a new axis.
/// - Parameter type: what is known of the result, for the case of no element.
func stack(_ elements: [Tensor], axis: Int = 0, type: ValueType) throws -> Tensor {
    guard let first = elements.first else {
        var shape = type.shape?.map { $0.value ?? 0 } ?? [0]
        if axis < shape.count { shape[axis] = 0 } else { shape.append(0) }
        return try Tensor(dataType: type.dataType ?? .float, shape: shape)
    }
    for element in elements where element.spec != first.spec {
        throw SardonyxError(
            .invalidValue, "the iterations give \(first.spec.text) and \(element.spec.text), which cannot be stacked")
    }
    guard axis >= 0, axis <= first.shape.count else {
        throw SardonyxError(.invalidModel, "axis \(axis) is outside a result of \(first.shape.count + 1) axes")
    }
    var shape = first.shape
    shape.insert(elements.count, at: axis)
    let outer = first.shape[..<axis].reduce(1, *)
    if first.dataType == .string {
        let (texts, width) = (elements.map(\.strings), first.shape[axis...].reduce(1, *))
        var rows: [String] = []
        for row in 0..<outer {
            for text in texts { rows += text[row * width..<(row + 1) * width] }
        }
        return Tensor(shape: shape, strings: rows)
    }
    var result = try Tensor(uninitialized: first.dataType, shape: shape)
    let inner = first.shape[axis...].reduce(1, *) * first.dataType.byteCount
    try result.withUnsafeMutableBytes { target in
        for (index, element) in elements.enumerated() {
            element.withUnsafeBytes { source in
                for row in 0..<outer where inner > 0 {
                    let to = UnsafeMutableRawBufferPointer(
                        rebasing: target[
                            ((row * elements.count) + index) * inner..<((row * elements.count) + index + 1) * inner])
                    to.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[row * inner..<(row + 1) * inner]))
                }
            }
        }
    }
    return result
}
