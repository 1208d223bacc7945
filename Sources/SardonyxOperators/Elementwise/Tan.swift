import SardonyxGraph

/// y = tan x, x in radians.
///
/// <https://onnx.ai/onnx/operators/onnx__Tan.html>
enum Tan: RealFunction {
    static let schema = Schema.unary("Tan", versions: [7, 22], input: "input", output: "output")

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.tan(x) }

    static let derivative: Derivative? = .unary { _, y, dy in try dy * (y.squared() + 1) }

    static let examples = [
        Example(
            "tangents", inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-1.5574077, 0, 1.5574077] as [Float])], tolerance: 1e-06)
    ]
}
