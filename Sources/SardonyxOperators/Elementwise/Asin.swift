import SardonyxGraph

/// y = arcsin x, in radians; NaN outside [-1, 1].
///
/// <https://onnx.ai/onnx/operators/onnx__Asin.html>
enum Asin: RealFunction {
    static let schema = Schema.unary("Asin", versions: [7, 22], input: "input", output: "output")

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.asin(x) }

    static let derivative: Derivative? = .unary { x, _, dy in try dy / (1 - x.squared()).sqrt() }

    static let examples = [
        Example(
            "arcsines", inputs: [Tensor(shape: [3], scalars: [-0.5, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-0.5235988, 0, 1.5707964] as [Float])], tolerance: 1e-06)
    ]
}
