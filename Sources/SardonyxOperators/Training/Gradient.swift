import SardonyxGraph

/// The outputs are ∂Σy/∂x for each x that `xs` names, where y is the tensor that `y` names, as a function of those that `xs`
/// and `zs` name, at the values that the inputs give for them.
///
/// Loading appends the named values to the inputs; before a plan is made the compiler puts the operators of the derivative in
/// the node's place (`Differentiation`), so that nothing here runs. An x of integers has a gradient of zeros in y's type.
/// <https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Gradient.html>
enum Gradient: Operator {
    private static let given: TypeSet =
        .integers + [.float16, .float, .double, .string, .bool, .complex64, .complex128]

    static let schema = Schema(
        "Gradient", domain: "ai.onnx.preview.training", versions: [1],
        inputs: [Parameter("Inputs", "T1", given, .variadic, isHomogeneous: false)],
        outputs: [Parameter("Outputs", "T2", [.float16, .float, .double], .variadic, isHomogeneous: false)],
        attributes: [
            AttributeSpec("xs", .strings, required: true), AttributeSpec("y", .string, required: true),
            AttributeSpec("zs", .strings),
        ])

    static let execution = Execution.dynamic
    static let attributesNamingValues = ["xs", "zs", "y"]

    static func infer(_ context: inout InferenceContext) throws {
        for index in context.outputs.indices where context.knownDataType(index)?.isFloatingPoint ?? false {
            context.set(index, try context.dataType(index), context.shape(index))
        }
    }
}
