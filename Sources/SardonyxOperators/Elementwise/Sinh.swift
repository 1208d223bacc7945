import SardonyxGraph

/// y = sinh x.
///
/// <https://onnx.ai/onnx/operators/onnx__Sinh.html>
enum Sinh: RealFunction {
    static let schema = Schema.unary("Sinh", versions: [9, 22], input: "input", output: "output")

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.sinh(x) }

    static let derivative: Derivative? = .unary { x, _, dy in try dy * x.apply("Cosh") }

    static let examples = [
        Example(
            "hyperbolic sines", inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-1.1752012, 0, 1.1752012] as [Float])], tolerance: 1e-06)
    ]
}
