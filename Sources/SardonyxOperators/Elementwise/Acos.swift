import SardonyxGraph

/// y = arccos x, in radians; NaN outside [-1, 1].
///
/// <https://onnx.ai/onnx/operators/onnx__Acos.html>
enum Acos: RealFunction {
    static let schema = Schema.unary("Acos", versions: [7, 22], input: "input", output: "output")

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.acos(x) }

    static let derivative: Derivative? = .unary { x, _, dy in try -dy / (1 - x.squared()).sqrt() }

    static let examples = [
        Example(
            "arccosines", inputs: [Tensor(shape: [3], scalars: [-0.5, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [2.0943952, 1.5707964, 0] as [Float])], tolerance: 1e-06)
    ]
}
