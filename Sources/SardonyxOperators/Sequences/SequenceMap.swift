import SardonyxGraph

/// yₖ[i] = body(s[i], a₀[i], a₁[i], …)ₖ: a subgraph applied to every element of a sequence. Additional inputs that are
/// sequences go along element by element; those that are tensors are the same for every element.
///
/// <https://onnx.ai/onnx/operators/onnx__SequenceMap.html>
enum SequenceMap: Operator {
    static let schema = Schema(
        "SequenceMap", versions: [17],
        inputs: [
            Parameter("input_sequence", "S", []),
            Parameter("additional_inputs", "V", .movable, .variadic, isHomogeneous: false),
        ],
        outputs: [Parameter("out_sequence", "S", [], .variadic, isHomogeneous: false)],
        attributes: [AttributeSpec("body", .graph, required: true)])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        guard let body = context.node.subgraph("body") else { return }
        guard body.graph.inputs.count == context.inputs.count, body.graph.outputs.count >= context.outputs.count else {
            throw SardonyxError(
                .invalidModel,
                "the body takes \(body.graph.inputs.count) values and gives \(body.graph.outputs.count); the node has "
                    + "\(context.inputs.count) inputs and \(context.outputs.count) outputs")
        }
        let first = try context.elementType(0)
        let others = context.inputs.dropFirst().map { type -> ValueType in
            if case .sequence(let element)? = type { element } else { type ?? .unknown }
        }
        let types = try context.infer(body, inputs: [first] + others)
        for index in context.outputs.indices where index < types.count { context.set(index, .sequence(types[index])) }
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let elements = try context.sequence(0)
        for (index, input) in context.inputs.enumerated() {
            if case .sequence(let others)? = input, others.count != elements.count {
                throw SardonyxError(
                    .invalidInput,
                    "input \(index) is a sequence of \(others.count) elements; the first has \(elements.count)")
            }
        }
        var results = [[Datum]](repeating: [], count: context.node.outputs.count)
        for position in elements.indices {
            try context.environment.beginIteration()
            let inputs = try context.inputs.map { input -> Datum in
                switch input {
                case .sequence(let elements)?: return elements[position]
                case let datum?: return datum
                case nil: throw SardonyxError(.invalidInput, "an additional input is missing")
                }
            }
            for (index, value) in try context.environment.run("body", inputs: inputs).enumerated() {
                if index < results.count { results[index].append(value) }
            }
        }
        return results.map { .sequence($0) }
    }
}
