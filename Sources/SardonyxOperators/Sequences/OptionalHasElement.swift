import SardonyxGraph

/// y = whether x holds a value: false for an omitted x and for an empty optional, true for anything else.
///
/// <https://onnx.ai/onnx/operators/onnx__OptionalHasElement.html>
enum OptionalHasElement: Operator {
    static let schema = Schema(
        "OptionalHasElement", versions: [15, 18, 28], inputs: [Parameter("input", "O", .all, .optional)],
        outputs: [Parameter("output", "B", [.bool])])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws { context.set(0, .bool, []) }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        guard context.has(0), let input = context.inputs[0] else { return [.tensor(Tensor(false))] }
        if case .optional(nil) = input { return [.tensor(Tensor(false))] }
        return [.tensor(Tensor(true))]
    }

    static let examples = [
        Example("a tensor", inputs: [Tensor(1 as Float)], outputs: [Tensor(true)]),
        Example("nothing", inputs: [nil], outputs: [Tensor(false)]),
    ]
}
