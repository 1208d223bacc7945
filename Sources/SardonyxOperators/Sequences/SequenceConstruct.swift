import SardonyxGraph

/// y = [x₀, x₁, …]: a sequence of the inputs.
///
/// <https://onnx.ai/onnx/operators/onnx__SequenceConstruct.html>
enum SequenceConstruct: Operator {
    static let schema = Schema(
        "SequenceConstruct", versions: [11],
        inputs: [Parameter("inputs", "T", .movable, .variadic)],
        outputs: [Parameter("output_sequence", "S", [])])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        var element: ValueType?
        for case let type? in context.inputs { element = element?.union(type) ?? type }
        context.set(0, .sequence(element ?? .unknown))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let elements = context.inputs.compactMap { $0 }
        for element in elements where !element.isAlike(elements[0]) {
            throw SardonyxError.mixedElements(element, elements[0])
        }
        for element in elements { try element.checkNesting() }
        return [.sequence(elements)]
    }

    static let derivative: Derivative? = Derivative { d in
        let dy = try d.dy()
        // Omitted inputs have no place.
        let given = d.node.inputs.indices.filter { d.node.inputs[$0] != nil }
        for (position, input) in given.enumerated() {
            try d.set(input) { try dy.apply("SequenceAt", dy.scalar(position)) }
        }
    }
}
