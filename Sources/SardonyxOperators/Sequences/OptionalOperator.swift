import SardonyxGraph

/// y = x as an optional; without x, the optional of the type `type` that holds nothing.
///
/// <https://onnx.ai/onnx/operators/onnx__Optional.html>
enum OptionalOperator: Operator {
    static let schema = Schema(
        "Optional", versions: [15, 28], inputs: [Parameter("input", "V", .all, .optional)],
        outputs: [Parameter("output", "O", [])], attributes: [AttributeSpec("type", .type)])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        if context.has(0), let type = context.inputs[0] { return context.set(0, .optional(type)) }
        guard case .type(let type)? = context.node.attributes["type"] else {
            throw SardonyxError(.invalidModel, "without an input, the attribute 'type' must say the optional's type")
        }
        context.set(0, .optional(type))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let value = context.has(0) ? context.inputs[0] : nil
        try value?.checkNesting()
        return [.optional(value)]
    }

    static let derivative: Derivative? = Derivative { d in
        try d.set(0) { try d.dy().apply("OptionalGetElement") }
    }
}
