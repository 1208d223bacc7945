import SardonyxGraph

/// s = s_initial; for t in 0 ..< T: s, yₖ[t] = body(s, xₖ[t]). Scan inputs are cut along their axis, scan outputs stacked
/// along theirs, forwards or backwards.
///
/// <https://onnx.ai/onnx/operators/onnx__Scan.html>
enum Scan: Operator {
    static let schema = Schema(
        "Scan", versions: [8, 9, 11, 16, 19, 21, 23, 24, 25],
        inputs: [Parameter("initial_state_and_scan_inputs", "V", .all, .variadic, isHomogeneous: false)],
        outputs: [Parameter("final_state_and_scan_outputs", "V", .all, .variadic, isHomogeneous: false)],
        attributes: [
            AttributeSpec("body", .graph, required: true), AttributeSpec("num_scan_inputs", .int, required: true),
            AttributeSpec("scan_input_axes", .ints), AttributeSpec("scan_input_directions", .ints),
            AttributeSpec("scan_output_axes", .ints), AttributeSpec("scan_output_directions", .ints),
            AttributeSpec("sardonyx_batched", .int), AttributeSpec("directions", .ints),
        ])

    static let execution = Execution.dynamic

    /// Opset 8 has a leading input with the sequences' lengths, which may be left out, and a batch axis before everything:
    /// `sardonyx_batched` is 1 without lengths and 2 with them.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        if opset < 9 {
            let hasLengths = (node.inputs.first ?? nil) != nil
            if !hasLengths, !node.inputs.isEmpty { node.inputs.removeFirst() }
            node.attributes["sardonyx_batched"] = .int(hasLengths ? 2 : 1)
            if let directions = node.attributes.removeValue(forKey: "directions") {
                node.attributes["scan_input_directions"] = directions
            }
        }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let node = context.node
        let lengths = node.int("sardonyx_batched", default: 0) == 2 ? 1 : 0
        let (body, states, scans) = try parts(node, inputs: context.inputs.count - lengths)
        guard body.graph.outputs.count >= states, context.outputs.count <= body.graph.outputs.count else {
            throw SardonyxError(.invalidModel, "the body gives \(body.graph.outputs.count) values for \(states) states")
        }
        if node.attributes["sardonyx_batched"] != nil { return }
        var inputs: [ValueType] = context.inputs[..<states].map { $0 ?? .unknown }
        for index in 0..<scans {
            guard case .tensor(let type, let shape)? = context.inputs[states + index] else {
                inputs.append(.unknown)
                continue
            }
            guard var shape else {
                inputs.append(.tensor(type, nil))
                continue
            }
            shape.remove(at: try axis(node, "scan_input_axes", index, rank: shape.count))
            inputs.append(.tensor(type, shape))
        }
        let types = try context.infer(body, inputs: inputs)
        let length = try steps(context, states, scans)
        for index in context.outputs.indices {
            if index < states {
                context.set(index, types[index])
            } else if case .tensor(let type, var shape) = types[index] {
                if let rank = shape?.count {
                    shape?.insert(length, at: try axis(node, "scan_output_axes", index - states, rank: rank + 1))
                }
                context.set(index, type, shape)
            }
        }
    }

    private static func steps(_ context: InferenceContext, _ states: Int, _ scans: Int) throws -> Dimension {
        for index in 0..<scans {
            if let shape = context.shape(states + index) {
                return shape[try axis(context.node, "scan_input_axes", index, rank: shape.count)]
            }
        }
        return .unknown
    }

    private static func parts(_ node: Node, inputs: Int) throws -> (body: Subgraph, states: Int, scans: Int) {
        let scans = node.int("num_scan_inputs", default: 0)
        guard let body = node.subgraph("body"), scans >= 1, scans <= inputs else {
            throw SardonyxError(.invalidModel, "num_scan_inputs is \(scans); there are \(inputs) inputs")
        }
        guard body.graph.inputs.count == inputs else {
            throw SardonyxError(
                .invalidModel, "the body takes \(body.graph.inputs.count) values; the node has \(inputs)")
        }
        return (body, inputs - scans, scans)
    }

    private static func axis(_ node: Node, _ attribute: String, _ index: Int, rank: Int) throws -> Int {
        let axes = node.ints(attribute) ?? []
        return try normalizedAxis(index < axes.count ? axes[index] : 0, rank: rank, attribute)
    }

    private static func isBackward(_ node: Node, _ attribute: String, _ index: Int) -> Bool {
        let directions = node.ints(attribute) ?? []
        return index < directions.count && directions[index] == 1
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        switch context.node.int("sardonyx_batched", default: 0) {
        case 0: return try scan(context, context.inputs.map { $0 })
        case 1: return try batches(context, lengths: nil, try context.inputs.indices.map { try context.tensor($0) })
        default:
            let lengths = try context.tensor(0)
            guard lengths.dataType == .int64, lengths.shape.count == 1 else {
                throw SardonyxError(
                    .invalidInput, "the lengths must be a vector of int64; they are \(lengths.spec.text)")
            }
            let tensors = try context.inputs.indices.dropFirst().map { try context.tensor($0) }
            return try batches(context, lengths: lengths.scalars(Int64.self).map(Int.init), tensors)
        }
    }

    /// Each element of the batch by itself, over so many steps; what its scan outputs lack to the longest is zero.
    private static func batches(
        _ context: EvaluationContext, lengths: [Int]?, _ tensors: [Tensor]
    ) throws -> [Datum?] {
        guard let batch = tensors.first?.shape.first else {
            throw SardonyxError(.invalidInput, "the inputs have no batch axis")
        }
        guard lengths.map({ $0.count == batch }) ?? true else {
            throw SardonyxError(.invalidInput, "there are \(lengths?.count ?? 0) lengths for a batch of \(batch)")
        }
        let states = try parts(context.node, inputs: tensors.count).states
        var results: [[Tensor]] = []
        for element in 0..<batch {
            var longest = 0
            let inputs = try tensors.enumerated().map { index, tensor -> Datum? in
                guard tensor.shape.first == batch else {
                    throw SardonyxError(.invalidInput, "the inputs have different batch sizes")
                }
                let one = try slice(tensor, axis: 0, index: element)
                guard let length = lengths?[element], index >= states else { return .tensor(one) }
                longest = one.shape.first ?? 0
                guard length >= 0, length <= longest else {
                    throw SardonyxError(.invalidInput, "length \(length) is not in 0 ... \(longest)")
                }
                return .tensor(try resized(one, to: length))
            }
            let outputs = try scan(context, inputs).compactMap { $0?.tensor }
            results.append(
                try outputs.enumerated().map { index, output in
                    lengths == nil || index < states ? output : try resized(output, to: longest)
                })
        }
        guard let count = results.first?.count else { throw SardonyxError(.unsupported, "Scan of an empty batch") }
        return try (0..<count).map { index in .tensor(try stack(results.map { $0[index] }, type: .unknown)) }
    }

    private static func scan(_ context: EvaluationContext, _ inputs: [Datum?]) throws -> [Datum?] {
        let node = context.node
        let (body, states, scans) = try parts(node, inputs: inputs.count)
        var state = try inputs[..<states].map { value in
            guard let value else { throw SardonyxError(.invalidInput, "an initial state is missing") }
            return value
        }
        var sources: [(tensor: Tensor, axis: Int, isBackward: Bool)] = []
        for index in 0..<scans {
            guard let tensor = inputs[states + index]?.tensor else {
                throw SardonyxError(.invalidInput, "scan input \(index) must be a tensor")
            }
            let axis = try axis(node, "scan_input_axes", index, rank: tensor.shape.count)
            sources.append((tensor, axis, isBackward(node, "scan_input_directions", index)))
        }
        let length = sources[0].tensor.shape[sources[0].axis]
        guard sources.allSatisfy({ $0.tensor.shape[$0.axis] == length }) else {
            throw SardonyxError(.invalidInput, "the scan inputs have different lengths")
        }
        var outputs = [[Tensor]](repeating: [], count: body.graph.outputs.count - states)
        for step in 0..<length {
            try context.environment.beginIteration()
            let elements = try sources.map { source -> Datum in
                .tensor(
                    try slice(source.tensor, axis: source.axis, index: source.isBackward ? length - 1 - step : step))
            }
            let results = try context.environment.run("body", inputs: state + elements)
            state = Array(results[..<states])
            for index in outputs.indices {
                guard let element = results[states + index].tensor else {
                    throw SardonyxError(.invalidValue, "scan output \(index) is no tensor")
                }
                outputs[index].append(element)
            }
        }
        let stacked = try outputs.enumerated().map { index, elements -> Datum? in
            let declared = body.declaredOutputs.dropFirst(states + index).first ?? .unknown
            let rank = (elements.first?.shape.count ?? declared.shape?.count ?? 0) + 1
            let axis = try axis(node, "scan_output_axes", index, rank: rank)
            let ordered = isBackward(node, "scan_output_directions", index) ? elements.reversed() : elements
            let type = states + index < context.outputTypes.count ? context.outputTypes[states + index] : .unknown
            return .tensor(try stack(ordered, axis: axis, type: type.stacked(of: declared, axis: axis)))
        }
        return state.map { $0 } + stacked
    }

    /// The first `length` elements along the first axis, with zeros after those that there are.
    private static func resized(_ tensor: Tensor, to length: Int) throws -> Tensor {
        var shape = tensor.shape
        guard let old = shape.first, old != length else { return tensor }
        shape[0] = length
        if tensor.dataType == .string {
            let width = shape.dropFirst().reduce(1, *)
            let texts = tensor.strings.prefix(length * width)
            return Tensor(shape: shape, strings: texts + [String](repeating: "", count: length * width - texts.count))
        }
        var result = try Tensor(dataType: tensor.dataType, shape: shape)
        try result.withUnsafeMutableBytes { target in
            tensor.withUnsafeBytes { source in
                let count = min(source.count, target.count)
                UnsafeMutableRawBufferPointer(rebasing: target[..<count])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
            }
        }
        return result
    }

    /// x[…, index, …] without the axis.
    private static func slice(_ tensor: Tensor, axis: Int, index: Int) throws -> Tensor {
        var shape = tensor.shape
        let length = shape.remove(at: axis)
        let outer = tensor.shape[..<axis].reduce(1, *)
        if tensor.dataType == .string {
            let (texts, width) = (tensor.strings, shape[axis...].reduce(1, *))
            var rows: [String] = []
            for row in 0..<outer {
                let start = (row * length + index) * width
                rows += texts[start..<start + width]
            }
            return Tensor(shape: shape, strings: rows)
        }
        let inner = shape[axis...].reduce(1, *) * tensor.dataType.byteCount
        var result = try Tensor(uninitialized: tensor.dataType, shape: shape)
        try result.withUnsafeMutableBytes { target in
            tensor.withUnsafeBytes { source in
                for row in 0..<outer where inner > 0 {
                    let from = (row * length + index) * inner
                    UnsafeMutableRawBufferPointer(rebasing: target[row * inner..<(row + 1) * inner])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[from..<from + inner]))
                }
            }
        }
        return result
    }
}
