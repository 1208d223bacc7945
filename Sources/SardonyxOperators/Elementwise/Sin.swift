import SardonyxGraph

/// y = sin x, x in radians.
///
/// <https://onnx.ai/onnx/operators/onnx__Sin.html>
enum Sin: RealFunction {
    static let schema = Schema.unary("Sin", versions: [7, 22], input: "input", output: "output")

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.sin(x) }

    static let derivative: Derivative? = .unary { x, _, dy in try dy * x.apply("Cos") }

    static let examples = [
        Example(
            "sines", inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-0.841471, 0, 0.841471] as [Float])], tolerance: 1e-06)
    ]
}
