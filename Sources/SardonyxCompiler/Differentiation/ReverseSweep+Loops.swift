import SardonyxGraph
import SardonyxOperators

extension ReverseSweep {
    /// The derivative of a Scan goes from the last step to the first, as a Scan, or as a Loop where the body reads what is no
    /// tensor of the graph around: the states before each step, which the Scan is run once more to keep, tell what the body
    /// computed there.
    func deriveScan(
        _ node: Node, _ outputs: [ValueID?], _ active: Set<ValueID>, _ builder: GraphBuilder
    ) throws -> [(value: ValueID, gradient: ValueID)] {
        let inputs = node.inputs.compactMap { $0 }
        let count = inputs.count - node.int("num_scan_inputs", default: 0)
        guard let body = node.subgraph("body"), inputs.count == node.inputs.count, (0..<inputs.count).contains(count),
            body.graph.inputs.count == inputs.count, body.graph.outputs.count >= max(count, outputs.count)
        else { throw SardonyxError(.invalidModel, "the body does not fit the inputs") }
        func number(_ list: String, _ index: Int) -> Int64 {
            let numbers = node.ints(list) ?? []
            return index < numbers.count ? Int64(numbers[index]) : 0
        }
        func gradient(_ output: Int) -> ValueID? { output < outputs.count ? outputs[output] : nil }
        var iteration = Iteration(
            body: body,
            states: (0..<count).map {
                .init(
                    inside: body.graph.inputs[$0], next: body.graph.outputs[$0], initial: inputs[$0],
                    gradient: gradient($0))
            },
            slices: try (count..<inputs.count).map {
                let axis = number("scan_input_axes", $0 - count)
                return Iteration.Slice(
                    inside: body.graph.inputs[$0], type: try builder.graph[inputs[$0]].type.without(axis: Int(axis)),
                    whole: inputs[$0], axis: axis, direction: number("scan_input_directions", $0 - count))
            },
            results: (count..<body.graph.outputs.count).compactMap { index in
                gradient(index).map {
                    Iteration.Result(
                        inside: body.graph.outputs[index], gradient: $0,
                        axis: number("scan_output_axes", index - count),
                        direction: number("scan_output_directions", index - count))
                }
            })
        let reverse = try ReverseIteration(iteration, active, self, builder)
        guard !reverse.sources.isEmpty else { return [] }
        for type in reverse.types where type.dataType == nil {
            throw SardonyxError(.unsupported, "a state of a Scan must be a tensor; it is \(type.text)")
        }
        if count > 0 {
            var attributes = node.attributes
            attributes["scan_output_axes"] = nil
            attributes["scan_output_directions"] = nil
            let nexts = Array(body.graph.outputs[..<count])
            attributes["body"] = .graph(Self.keeping(iteration.states.map(\.inside), after: nexts, body))
            let stacks = try builder.add("Scan", node.inputs, attributes, outputs: 2 * count)[count...]
            for (index, stack) in zip(iteration.states.indices, stacks) { iteration.states[index].kept = stack }
        }
        return try reverse.derive(iteration, builder)
    }

    /// The derivative of a Loop goes from the last iteration to the first: a Scan, or a Loop where what is carried is no tensor of
    /// one shape.
    func deriveLoop(
        _ node: Node, _ outputs: [ValueID?], _ active: Set<ValueID>, _ builder: GraphBuilder
    ) throws -> [(value: ValueID, gradient: ValueID)] {
        let initial = node.inputs.dropFirst(2).compactMap { $0 }
        let count = initial.count
        guard let body = node.subgraph("body"), node.inputs.count == count + 2, body.graph.inputs.count == count + 2,
            body.graph.outputs.count >= max(count, outputs.count) + 1
        else { throw SardonyxError(.invalidModel, "the body does not fit the inputs") }
        func gradient(_ output: Int) -> ValueID? { output < outputs.count ? outputs[output] : nil }
        var iteration = Iteration(
            body: body,
            states: (0..<count).map {
                .init(
                    inside: body.graph.inputs[2 + $0], next: body.graph.outputs[1 + $0], initial: initial[$0],
                    gradient: gradient($0))
            },
            slices: [
                .init(inside: body.graph.inputs[0], type: .tensor(.int64, [])),
                .init(inside: body.graph.inputs[1], type: .tensor(.bool, [])),
            ],
            results: (count..<body.graph.outputs.count - 1).compactMap { index in
                gradient(index).map { Iteration.Result(inside: body.graph.outputs[1 + index], gradient: $0) }
            })
        let reverse = try ReverseIteration(iteration, active, self, builder)
        guard !reverse.sources.isEmpty else { return [] }
        for (index, type) in reverse.types.enumerated() { iteration.states[index].isUneven = type.isUneven }
        let stacked = iteration.states.indices.filter { !iteration.states[$0].isUneven }
        let uneven = iteration.states.indices.filter { iteration.states[$0].isUneven }
        var attributes = node.attributes
        attributes["body"] = .graph(
            Self.keeping(
                body.graph.inputs.prefix(2) + stacked.map { iteration.states[$0].inside },
                inSequences: uneven.map { iteration.states[$0].inside }, after: Array(body.graph.outputs[...count]),
                body,
                types: iteration.slices.map(\.type) + stacked.map { reverse.types[$0] }))
        let empty = try uneven.map { index in
            let one = try builder.add("SequenceConstruct", [initial[index]])[0]
            return try builder.add("SequenceErase", [one])[0]
        }
        let made = try builder.add(
            "Loop", node.inputs + empty, attributes, outputs: count + uneven.count + 2 + stacked.count)
        for index in iteration.states.indices { iteration.states[index].last = made[index] }
        for (index, sequence) in zip(uneven, made.dropFirst(count)) { iteration.states[index].kept = sequence }
        let stacks = made.dropFirst(count + uneven.count)
        for (index, stack) in zip(iteration.slices.indices, stacks) { iteration.slices[index].whole = stack }
        for (index, stack) in zip(stacked, stacks.dropFirst(2)) {
            iteration.states[index].kept = stack
            // What inference says of the loop leaves the shapes of what it carries open.
            guard case .tensor(let element, let shape?) = reverse.types[index] else { continue }
            builder.setType(stack, .tensor(element, [.unknown] + shape))
        }
        return try reverse.derive(iteration, builder)
    }

    /// A body with the states' next values, and with values that it keeps as its only results.
    /// - Parameter uneven: values that are kept in sequences, which are carried after the states.
    private static func keeping(
        _ values: [ValueID], inSequences uneven: [ValueID] = [], after outputs: [ValueID], _ body: Subgraph,
        types: [ValueType] = []
    ) -> Subgraph {
        var graph = body.graph
        func add(_ operatorType: String, _ inputs: [ValueID], _ name: String) -> ValueID {
            let made = graph.addValue("\(name)#\(graph.values.count)")
            graph.nodes.append(
                Node(operatorType, opset: 28, inputs: inputs, outputs: [made], firstOutputName: graph[made].name))
            return made
        }
        let longer = uneven.map { value in
            let sequence = graph.addValue("\(graph[value].name)#\(graph.values.count)")
            graph.inputs.append(sequence)
            return add("SequenceInsert", [sequence, value], graph[value].name)
        }
        let copies = (outputs + values).map { add("Identity", [$0], graph[$0].name) }
        graph.outputs = copies.prefix(outputs.count) + longer + copies.dropFirst(outputs.count)
        graph.removeDeadNodes()
        return Subgraph(
            graph: graph, captured: body.captured,
            declaredOutputs: [ValueType](repeating: .unknown, count: outputs.count + longer.count) + types)
    }
}

extension ValueType {
    /// Whether values of the type are no tensors, or may differ in shape, though extents may be symbols. Sequences do not take
    /// narrow types, whose values only travel along.
    fileprivate var isUneven: Bool {
        guard let dataType else { return true }
        return shape.map { $0.contains(.unknown) } ?? true && dataType.isSequenceElement
    }

    /// The type of what lies at a place of an axis.
    fileprivate func without(axis: Int) throws -> ValueType {
        guard case .tensor(let type, let shape) = self else { return self }
        guard var shape else { return .tensor(type, nil) }
        shape.remove(at: try normalizedAxis(axis, rank: shape.count))
        return .tensor(type, shape)
    }
}
