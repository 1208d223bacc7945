import SardonyxGraph

/// y = the value that the optional x holds; x itself when it is a tensor or a sequence.
///
/// <https://onnx.ai/onnx/operators/onnx__OptionalGetElement.html>
enum OptionalGetElement: Operator {
    static let schema = Schema(
        "OptionalGetElement", versions: [15, 18, 28], inputs: [Parameter("input", "O", .all)],
        outputs: [Parameter("output", "V", .all)])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        switch context.inputs.first ?? nil {
        case .optional(let element)?: context.set(0, element)
        case let type?: context.set(0, type)
        case nil: break
        }
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        switch context.inputs.first ?? nil {
        case .optional(let value?)?: return [value]
        case .optional(nil)?, nil: throw SardonyxError(.invalidValue, "the optional holds no value")
        case let value?: return [value]
        }
    }

    static let derivative: Derivative? = Derivative { d in
        try d.set(0) {
            guard case .optional = try d.x().type else { return try d.dy() }
            return try d.dy().apply("Optional")
        }
    }

    static let examples = [Example("a tensor", inputs: [Tensor(1 as Float)], outputs: [Tensor(1 as Float)])]
}
