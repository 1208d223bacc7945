import SardonyxGraph

/// y = cosh x.
///
/// <https://onnx.ai/onnx/operators/onnx__Cosh.html>
enum Cosh: RealFunction {
    static let schema = Schema.unary("Cosh", versions: [9, 22], input: "input", output: "output")

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.cosh(x) }

    static let derivative: Derivative? = .unary { x, _, dy in try dy * x.apply("Sinh") }

    static let examples = [
        Example(
            "hyperbolic cosines", inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [1.5430807, 1, 1.5430807] as [Float])], tolerance: 1e-06)
    ]
}
