import CKernels
import SardonyxGraph

/// y = the integer nearest to x; of two equally near ones the even one.
///
/// <https://onnx.ai/onnx/operators/onnx__Round.html>
enum Round: RealFunction {
    static let schema = Schema.unary("Round", versions: [11, 22])
    static var kernel: sdx_unary_op? { SDX_UNARY_ROUND }

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { x.rounded(.toNearestOrEven) }

    static let derivative: Derivative? = .zero

    static let examples = [
        Example(
            "halves go to the even neighbour",
            inputs: [Tensor(shape: [5], scalars: [0.9, 2.5, 2.3, 1.5, -4.5] as [Float])],
            outputs: [Tensor(shape: [5], scalars: [1, 2, 2, 2, -4] as [Float])])
    ]
}
