import SardonyxGraph

/// y = x, for tensors, sequences and optionals.
///
/// <https://onnx.ai/onnx/operators/onnx__Identity.html>
enum Identity: Operator {
    static let schema = Schema(
        "Identity", versions: [1, 13, 14, 16, 19, 21, 23, 24, 25], inputs: [Parameter("input", "V", .all)],
        outputs: [Parameter("output", "V", .all)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        guard let type = context.inputs.first.flatMap({ $0 }) else {
            throw SardonyxError(.invalidModel, "the input is missing")
        }
        context.set(0, type)
        context.combineElements { $0[0] }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel { .view }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] { [context.inputs.first.flatMap { $0 }] }

    static let derivative: Derivative? = .unary { _, _, dy in dy }

    static let examples = [
        Example(
            "the same elements", inputs: [Tensor(shape: [2], scalars: [1, 2] as [Float])],
            outputs: [Tensor(shape: [2], scalars: [1, 2] as [Float])])
    ]
}
