import CKernels
import SardonyxGraph

/// y = x · tanh(ln(1 + eˣ)).
///
/// <https://onnx.ai/onnx/operators/onnx__Mish.html>
enum Mish: RealFunction {
    static let schema = Schema.unary("Mish", versions: [18, 22])
    static var kernel: sdx_unary_op? { SDX_UNARY_MISH }

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { x * W.tanh(W.softplus(x)) }

    static let derivative: Derivative? = .definition { d in
        [try d.x() * d.x().apply("Softplus").tanh()]
    }

    static let examples = [
        Example(
            "a smooth rectifier", inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-0.30340147, 0, 0.8650984] as [Float])], tolerance: 1e-06)
    ]
}
