import SardonyxGraph
import SardonyxOperators

extension ReverseIteration {
    /// What `scan` gives, by a Loop: what it carries may be of any type, and change its shape. Each iteration takes its slices
    /// from tensors, and the states from what keeps them.
    func loop(_ step: Step, _ iteration: Iteration, _ builder: GraphBuilder) throws -> [ValueID] {
        guard let first = iteration.slices.first, let whole = first.whole else {
            throw SardonyxError(.invalidModel, "an iteration needs a slice")
        }
        let extents = try builder.add("Shape", [whole])[0]
        let count = try builder.add("Gather", [extents, builder.addConstant(Tensor(first.axis))])[0]
        let last = try builder.add("Sub", [count, builder.addConstant(Tensor(1 as Int64))])[0]
        let kept = iteration.states.compactMap(\.kept)
        let wholes = iteration.slices.compactMap(\.whole)
        let read = step.body.captured + kept + wholes + step.results.map(\.gradient) + [last]

        var graph = Graph(name: "\(builder.prefix)/back")
        graph.inputs = [
            graph.addValue("position", type: .tensor(.int64, [])),
            graph.addValue("condition", type: .tensor(.bool, [])),
        ]
        for start in step.starts {
            graph.inputs.append(graph.addValue("gradient", type: builder.graph[start].type.withoutShape))
        }
        graph.captures = read.map { graph.addValue(builder.graph[$0].name) }
        let (inputs, captures) = (graph.inputs, graph.captures)
        let body = try builder.subgraph(graph, captured: read) { inner in
            let index = inputs[0]
            let position = try inner.add("Sub", [captures[captures.count - 1], index])[0]
            var rest = captures.dropFirst(step.body.captured.count)
            func slice(_ axis: Int64, _ direction: Int64) throws -> ValueID {
                let place = direction == 0 ? position : index
                return try inner.add("Gather", [rest.removeFirst(), place], ["axis": .int(axis)])[0]
            }
            var values = try zip(iteration.states, types).map { state, type in
                guard state.isUneven else { return try slice(0, 0) }
                let value = try inner.add("SequenceAt", [rest.removeFirst(), position])[0]
                inner.setType(value, type)
                return value
            }
            values += try iteration.slices.map { try slice($0.axis, $0.direction) }
            values += try step.results.map { try slice($0.axis, $0.direction) }
            let around = Array(captures.prefix(step.body.captured.count))
            let made = try inner.inline(
                Subgraph(graph: step.body.graph, captured: around), Array(inputs.dropFirst(2)) + values)
            return [inputs[1]] + made
        }
        let made = try builder.add(
            "Loop", [count, nil] + step.starts, ["body": .graph(body)], outputs: step.outputCount)
        // Inference leaves open the shapes of what a loop carries, and of what is made of it.
        for (value, gradient) in zip(step.states.map(\.initial) + step.captures.map(\.outside), made) {
            builder.setType(gradient, builder.graph[value].type)
        }
        let gradients = try zip(step.slices, made.dropFirst(step.starts.count)).map { slice, stack in
            if case .tensor(let type, let shape?) = slice.type {
                builder.setType(stack, .tensor(type, [.unknown] + shape))
            }
            return try ordered(stack, slice, builder)
        }
        return made.prefix(step.starts.count) + gradients
    }

    /// Gradients of slices, stacked from the last iteration to the first, as the slices lie in their tensor.
    private func ordered(_ stack: ValueID, _ slice: Iteration.Slice, _ builder: GraphBuilder) throws -> ValueID {
        var result = stack
        if slice.direction == 0 {
            // From the last one, over the first one, of axis 0, backwards.
            let range = [-1, .min, 0, -1].map { builder.addConstant(Tensor(integers: [$0])) }
            result = try builder.add("Slice", [stack] + range)[0]
        }
        if slice.axis == 0 { return result }
        guard let rank = slice.type.shape?.count else {
            throw SardonyxError(
                .unsupported, "the number of axes of what the body takes along axis \(slice.axis) must be known")
        }
        let axis = try normalizedAxis(Int(slice.axis), rank: rank + 1)
        let order = Array(1..<axis + 1) + [0] + Array(axis + 1..<rank + 1)
        return try builder.add("Transpose", [result], ["perm": .ints(order.map(Int64.init))])[0]
    }
}
