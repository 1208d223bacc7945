import SardonyxGraph

/// y = arcosh x; NaN below 1.
///
/// <https://onnx.ai/onnx/operators/onnx__Acosh.html>
enum Acosh: RealFunction {
    static let schema = Schema.unary("Acosh", versions: [9, 22], input: "input", output: "output")

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.acosh(x) }

    static let derivative: Derivative? = .unary { x, _, dy in try dy / (x.squared() - 1).sqrt() }

    static let examples = [
        Example(
            "inverse hyperbolic cosines", inputs: [Tensor(shape: [3], scalars: [1, 2, 10] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [0, 1.316958, 2.993223] as [Float])], tolerance: 1e-06)
    ]
}
