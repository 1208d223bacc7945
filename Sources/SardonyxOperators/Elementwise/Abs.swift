import CKernels
import SardonyxGraph

/// y = |x|; the smallest number of a signed integer type stays, as it has no positive counterpart.
///
/// <https://onnx.ai/onnx/operators/onnx__Abs.html>
enum Abs: NumberUnary {
    static let schema = Schema.unary("Abs", versions: [1, 6, 13], types: .numbers)
    static var kernel: sdx_unary_op { SDX_UNARY_ABS }

    @inline(__always) static func apply<T: Number>(_ x: T) -> T { T.absolute(x) }

    static let derivative: Derivative? = .unary { x, _, dy in try dy * x.sign() }

    static let examples = [
        Example(
            "magnitudes", inputs: [Tensor(shape: [3], scalars: [-1.5, 0, 2] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [1.5, 0, 2] as [Float])])
    ]
}
