import SardonyxGraph

/// The former name of `ScatterElements`.
///
/// <https://onnx.ai/onnx/operators/onnx__Scatter.html>
enum Scatter: Operator {
    static let schema = Schema(
        "Scatter", versions: [9, 11], inputs: ScatterElements.schema.inputs, outputs: ScatterElements.schema.outputs,
        attributes: [AttributeSpec("axis", .int)])

    static let execution = Execution.movesElements

    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.operatorType = ScatterElements.schema.name
    }

    static func infer(_ context: inout InferenceContext) throws { try ScatterElements.infer(&context) }
    static func prepare(_ context: PreparationContext) throws -> Kernel { try ScatterElements.prepare(context) }
    static let examples = Array(ScatterElements.examples.prefix(1))
}
