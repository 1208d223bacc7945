import SardonyxGraph

/// y = cos x, x in radians.
///
/// <https://onnx.ai/onnx/operators/onnx__Cos.html>
enum Cos: RealFunction {
    static let schema = Schema.unary("Cos", versions: [7, 22], input: "input", output: "output")

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.cos(x) }

    static let derivative: Derivative? = .unary { x, _, dy in try -dy * x.apply("Sin") }

    static let examples = [
        Example(
            "cosines", inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [0.5403023, 1, 0.5403023] as [Float])], tolerance: 1e-06)
    ]
}
