import SardonyxGraph
import SardonyxOperators

extension ReverseSweep {
    /// The derivative of a Scan is a Scan from the last step to the first: the states before each step, which the Scan is run once
    /// more to keep, tell what the body computed there.
    func deriveScan(
        _ node: Node, _ outputs: [ValueID?], _ active: Set<ValueID>, _ builder: GraphBuilder
    ) throws -> [(value: ValueID, gradient: ValueID)] {
        guard node.attributes["sardonyx_batched"] == nil else {
            throw SardonyxError(.unsupported, "there is no derivative rule for Scan before opset 9")
        }
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
        if count > 0 {
            var attributes = node.attributes
            attributes["scan_output_axes"] = nil
            attributes["scan_output_directions"] = nil
            let nexts = Array(body.graph.outputs[..<count])
            attributes["body"] = .graph(Self.keeping(iteration.states.map(\.inside), after: nexts, body))
            let stacks = try builder.add("Scan", node.inputs, attributes, outputs: 2 * count)[count...]
            for (index, stack) in zip(iteration.states.indices, stacks) { iteration.states[index].stack = stack }
        }
        return try reverse.derive(iteration, builder)
    }

    /// The derivative of a Loop is a Scan from the last iteration to the first.
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
        let kept = body.graph.inputs
        let nexts = Array(body.graph.outputs[...count])
        var attributes = node.attributes
        attributes["body"] = .graph(
            Self.keeping(kept, after: nexts, body, types: iteration.slices.map(\.type) + reverse.types))
        let stacks = try builder.add("Loop", node.inputs, attributes, outputs: count + kept.count)[count...]
        for (type, stack) in zip(reverse.types, stacks.dropFirst(2)) {
            // What inference says of the loop leaves the shapes of what it carries open.
            guard case .tensor(let element, let shape?) = type else { continue }
            builder.setType(stack, .tensor(element, [.unknown] + shape))
        }
        for (index, stack) in zip(iteration.slices.indices, stacks) { iteration.slices[index].whole = stack }
        for (index, stack) in zip(iteration.states.indices, stacks.dropFirst(2)) {
            iteration.states[index].stack = stack
        }
        return try reverse.derive(iteration, builder)
    }

    /// A body that gives some of its values as results after the others, and nothing else.
    private static func keeping(
        _ values: [ValueID], after outputs: [ValueID], _ body: Subgraph, types: [ValueType] = []
    ) -> Subgraph {
        var graph = body.graph
        graph.outputs = (outputs + values).map { value in
            let copy = graph.addValue("\(graph[value].name)#\(graph.values.count)")
            graph.nodes.append(
                Node("Identity", opset: 28, inputs: [value], outputs: [copy], firstOutputName: graph[copy].name))
            return copy
        }
        graph.removeDeadNodes()
        return Subgraph(
            graph: graph, captured: body.captured,
            declaredOutputs: [ValueType](repeating: .unknown, count: outputs.count) + types)
    }
}

extension ValueType {
    /// The type of what lies at a place of an axis.
    fileprivate func without(axis: Int) throws -> ValueType {
        guard case .tensor(let type, let shape) = self else { return self }
        guard var shape else { return .tensor(type, nil) }
        shape.remove(at: try normalizedAxis(axis, rank: shape.count))
        return .tensor(type, shape)
    }
}
