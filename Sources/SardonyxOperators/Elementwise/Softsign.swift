import CKernels
import SardonyxGraph

/// y = x / (1 + |x|).
///
/// <https://onnx.ai/onnx/operators/onnx__Softsign.html>
enum Softsign: RealFunction {
    static let schema = Schema.unary("Softsign", versions: [1, 22], input: "input", output: "output")
    static var kernel: sdx_unary_op? { SDX_UNARY_SOFTSIGN }

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { x / (1 + x.magnitude) }

    static let derivative: Derivative? = .unary { x, _, dy in try dy / (x.abs() + 1).squared() }

    static let examples = [
        Example(
            "values between -1 and 1", inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-0.5, 0, 0.5] as [Float])], tolerance: 1e-06)
    ]
}
