import CKernels
import SardonyxGraph

/// y = ⌈x⌉.
///
/// <https://onnx.ai/onnx/operators/onnx__Ceil.html>
enum Ceil: RealFunction {
    static let schema = Schema.unary("Ceil", versions: [1, 6, 13])
    static var kernel: sdx_unary_op? { SDX_UNARY_CEIL }

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { x.rounded(.up) }

    static let derivative: Derivative? = .zero

    static let examples = [
        Example(
            "toward positive infinity", inputs: [Tensor(shape: [3], scalars: [-1.5, 1.2, 2] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-1, 2, 2] as [Float])])
    ]
}
