import SardonyxGraph

/// y = the number of x's elements, as an int64 scalar.
///
/// <https://onnx.ai/onnx/operators/onnx__Size.html>
enum Size: Operator {
    static let schema = Schema(
        "Size", versions: [1, 13, 19, 21, 23, 24, 25],
        inputs: [Parameter("data", "T", .all)],
        outputs: [Parameter("size", "T1", [.int64])])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        context.set(0, .int64, [])
        if let shape = context.shape(0) { context.outputElements[0] = [shape.reduce(.fixed(1), *)] }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let count = try Int64(context.input(0).elementCount)
        var kernel = Kernel { frame in frame.output(0, as: Int64.self).pointee = count }
        kernel.absorbedInputs = [0]
        return kernel
    }

    static let examples = [
        Example(
            "a matrix", inputs: [Tensor(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6] as [Float])],
            outputs: [Tensor(Int64(6))])
    ]
}
