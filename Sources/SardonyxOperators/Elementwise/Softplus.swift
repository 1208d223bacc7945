import CKernels
import SardonyxGraph

/// y = ln(1 + eˣ).
///
/// <https://onnx.ai/onnx/operators/onnx__Softplus.html>
enum Softplus: RealFunction {
    static let schema = Schema.unary("Softplus", versions: [1, 22])
    static var kernel: sdx_unary_op? { SDX_UNARY_SOFTPLUS }

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.softplus(x) }

    static let derivative: Derivative? = .unary { x, _, dy in try dy * x.sigmoid() }

    static let examples = [
        Example(
            "a smooth rectifier", inputs: [Tensor(shape: [4], scalars: [-1, 0, 1, 100] as [Float])],
            outputs: [Tensor(shape: [4], scalars: [0.3132617, 0.6931472, 1.3132617, 100] as [Float])], tolerance: 1e-06)
    ]
}
