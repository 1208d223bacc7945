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
        ])

    static let execution = Execution.dynamic

    /// Opset 8 has a leading input with the sequences' lengths, which may be left out, and a batch axis before everything: a
    /// Scan over the batch, whose body is the Scan.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        guard opset < 9 else { return }
        let lengths = node.inputs.first ?? nil
        let inputs = node.inputs.dropFirst().compactMap { $0 }
        guard inputs.count == max(0, node.inputs.count - 1) else {
            throw SardonyxError(.invalidModel, "an initial state or a scan input is missing")
        }
        let (body, states, scans) = try parts(node, inputs: inputs.count)
        var element = BatchElement(
            graph: Graph(name: body.graph.name), opset: node.opset, name: node.displayName)
        let length = lengths.map { element.addInput(lifting.name($0)) }
        let values = inputs.map { element.addInput(lifting.name($0)) }
        element.graph.captures = body.captured.map { element.graph.addValue(lifting.name($0)) }

        var inner = node
        inner.attributes = [
            "body": .graph(
                Subgraph(graph: body.graph, captured: element.graph.captures, declaredOutputs: body.declaredOutputs)),
            "num_scan_inputs": .int(Int64(scans)),
        ]
        if let directions = node.attributes.removeValue(forKey: "directions") {
            guard case .ints = directions else {
                throw SardonyxError(.invalidModel, "attribute 'directions' must be INTS")
            }
            inner.attributes["scan_input_directions"] = directions
        }
        inner.inputs = values
        var rest: ValueID?
        if let length {
            // Of each sequence so many steps, and zeros where results lack the others.
            let one = element.add("Reshape", [length, element.add([1])])
            for index in states..<states + scans {
                let missing = element.add("Sub", [element.extent(of: values[index]), one])
                let sizes = element.add("Concat", [one, missing], ["axis": .int(0)])
                inner.inputs[index] = element.add("Split", [values[index], sizes], outputs: 2)
                rest = missing
            }
        }
        inner.outputs = node.outputs.indices.map { element.graph.addValue("\(node.displayName).\($0)") }
        element.graph.nodes.append(inner)
        element.graph.outputs = inner.outputs.enumerated().compactMap { index, output in
            guard let output, let rest, index >= states else { return output }
            let pads = element.add("Concat", [element.add([0]), rest], ["axis": .int(0)])
            return element.add("Pad", [output, pads, nil, element.add([0])])
        }
        let declared = body.declaredOutputs.enumerated().map { $0 < states ? $1 : $1.stackedElement }
        if lengths == nil { node.inputs.removeFirst() }
        node.attributes["body"] = .graph(
            Subgraph(graph: element.graph, captured: body.captured, declaredOutputs: declared))
        node.attributes["num_scan_inputs"] = .int(Int64(node.inputs.count))
    }

    static func infer(_ context: inout InferenceContext) throws {
        let node = context.node
        let (body, states, scans) = try parts(node, inputs: context.inputs.count)
        guard body.graph.outputs.count >= states, context.outputs.count <= body.graph.outputs.count else {
            throw SardonyxError(.invalidModel, "the body gives \(body.graph.outputs.count) values for \(states) states")
        }
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
        let inputs = context.inputs
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

/// The graph for one element of a batch, as lifting writes it.
private struct BatchElement {
    var graph: Graph
    let opset: Int
    let name: String

    mutating func addInput(_ name: String) -> ValueID {
        let input = graph.addValue(name)
        graph.inputs.append(input)
        return input
    }

    mutating func add(_ integers: [Int]) -> ValueID {
        graph.addConstant(Tensor(integers: integers), name: "\(name).constant#\(graph.values.count)")
    }

    /// Adds a node and returns its first output.
    mutating func add(
        _ operatorType: String, _ inputs: [ValueID?], _ attributes: [String: Attribute] = [:], outputs count: Int = 1
    ) -> ValueID {
        let made = (0..<count).map { graph.addValue("\(name).\(operatorType)#\(graph.values.count).\($0)") }
        graph.nodes.append(
            Node(
                operatorType, opset: opset, name: name, inputs: inputs, outputs: made, attributes: attributes,
                firstOutputName: graph[made[0]].name))
        return made[0]
    }

    /// The first extent, as a vector of one.
    mutating func extent(of value: ValueID) -> ValueID { add("Shape", [value], ["start": .int(0), "end": .int(1)]) }
}

extension ValueType {
    /// The type of a tensor whose elements along a first axis are of this type.
    fileprivate var stackedElement: ValueType {
        guard case .tensor(let type, let shape) = self else { return self }
        return .tensor(type, shape.map { [.unknown] + $0 })
    }
}
