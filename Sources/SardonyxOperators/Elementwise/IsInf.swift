import SardonyxGraph

/// y = whether x is infinite; `detect_negative` and `detect_positive` choose the signs that count.
///
/// <https://onnx.ai/onnx/operators/onnx__IsInf.html>
enum IsInf: Operator {
    static let schema = Schema(
        "IsInf", versions: [10, 20], inputs: [Parameter("X", "T1", Classification.types)],
        outputs: [Parameter("Y", "T2", [.bool])],
        attributes: [AttributeSpec("detect_negative", .int), AttributeSpec("detect_positive", .int)])

    static func infer(_ context: inout InferenceContext) throws {
        context.set(0, .bool, context.shape(0))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        var classes: Classification.Classes = []
        if context.node.flag("detect_negative", default: true) { classes.insert(.negativeInfinity) }
        if context.node.flag("detect_positive", default: true) { classes.insert(.positiveInfinity) }
        return try Classification.kernel(context.input(0), finds: classes)
    }

    static let examples = [
        Example(
            "both signs", inputs: [Tensor(shape: [4], scalars: [-1.2, .nan, .infinity, -.infinity] as [Float])],
            outputs: [Tensor(shape: [4], scalars: [false, false, true, true])]),
        Example(
            "negative only", attributes: ["detect_positive": .int(0)],
            inputs: [Tensor(shape: [3], scalars: [-1.2, .infinity, -.infinity] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [false, false, true])]),
    ]
}
