import CKernels
import SardonyxGraph

/// y = ln x; -∞ at 0, NaN below.
///
/// <https://onnx.ai/onnx/operators/onnx__Log.html>
enum Log: RealFunction {
    static let schema = Schema.unary("Log", versions: [1, 6, 13], input: "input", output: "output")
    static var kernel: sdx_unary_op? { SDX_UNARY_LOG }

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.log(x) }

    static let derivative: Derivative? = .unary { x, _, dy in try dy / x }

    static let examples = [
        Example(
            "natural logarithms", inputs: [Tensor(shape: [3], scalars: [1, 10, 0.5] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [0, 2.3025851, -0.6931472] as [Float])], tolerance: 1e-06)
    ]
}
