import SardonyxGraph

/// y = artanh x; NaN outside [-1, 1].
///
/// <https://onnx.ai/onnx/operators/onnx__Atanh.html>
enum Atanh: RealFunction {
    static let schema = Schema.unary("Atanh", versions: [9, 22], input: "input", output: "output")

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.atanh(x) }

    static let derivative: Derivative? = .unary { x, _, dy in try dy / (1 - x.squared()) }

    static let examples = [
        Example(
            "inverse hyperbolic tangents", inputs: [Tensor(shape: [3], scalars: [-0.5, 0, 0.5] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-0.54930615, 0, 0.54930615] as [Float])], tolerance: 1e-06)
    ]
}
