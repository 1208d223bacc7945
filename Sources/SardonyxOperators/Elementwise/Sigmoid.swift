import CKernels
import SardonyxGraph

/// y = 1 / (1 + e⁻ˣ).
///
/// <https://onnx.ai/onnx/operators/onnx__Sigmoid.html>
enum Sigmoid: RealFunction {
    static let schema = Schema.unary("Sigmoid", versions: [1, 6, 13])
    static var kernel: sdx_unary_op? { SDX_UNARY_SIGMOID }

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { 1 / (1 + W.exp(-x)) }

    static let derivative: Derivative? = .unary { _, y, dy in try dy * y * (1 - y) }

    static let examples = [
        Example(
            "values between 0 and 1", inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [0.2689414, 0.5, 0.7310586] as [Float])], tolerance: 1e-06)
    ]
}
