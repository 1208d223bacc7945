import SardonyxGraph

/// y = arsinh x.
///
/// <https://onnx.ai/onnx/operators/onnx__Asinh.html>
enum Asinh: RealFunction {
    static let schema = Schema.unary("Asinh", versions: [9, 22], input: "input", output: "output")

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.asinh(x) }

    static let derivative: Derivative? = .unary { x, _, dy in try dy / (x.squared() + 1).sqrt() }

    static let examples = [
        Example(
            "inverse hyperbolic sines", inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-0.8813736, 0, 0.8813736] as [Float])], tolerance: 1e-06)
    ]
}
