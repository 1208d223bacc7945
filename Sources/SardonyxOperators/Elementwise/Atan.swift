import SardonyxGraph

/// y = arctan x, in radians.
///
/// <https://onnx.ai/onnx/operators/onnx__Atan.html>
enum Atan: RealFunction {
    static let schema = Schema.unary("Atan", versions: [7, 22], input: "input", output: "output")

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.atan(x) }

    static let derivative: Derivative? = .unary { x, _, dy in try dy / (x.squared() + 1) }

    static let examples = [
        Example(
            "arctangents", inputs: [Tensor(shape: [3], scalars: [-1, 0, 2] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-0.7853982, 0, 1.1071488] as [Float])], tolerance: 1e-06)
    ]
}
