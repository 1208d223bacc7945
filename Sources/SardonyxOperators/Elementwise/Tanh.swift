import CKernels
import SardonyxGraph

/// y = tanh x.
///
/// <https://onnx.ai/onnx/operators/onnx__Tanh.html>
enum Tanh: RealFunction {
    static let schema = Schema.unary("Tanh", versions: [1, 6, 13], input: "input", output: "output")
    static var kernel: sdx_unary_op? { SDX_UNARY_TANH }

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.tanh(x) }

    static let derivative: Derivative? = .unary { _, y, dy in try dy * (1 - y.squared()) }

    static let examples = [
        Example(
            "values between -1 and 1", inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-0.7615942, 0, 0.7615942] as [Float])], tolerance: 1e-06)
    ]
}
