import CKernels
import SardonyxGraph

/// y = 1 / x.
///
/// <https://onnx.ai/onnx/operators/onnx__Reciprocal.html>
enum Reciprocal: RealFunction {
    static let schema = Schema.unary("Reciprocal", versions: [1, 6, 13])
    static var kernel: sdx_unary_op? { SDX_UNARY_RECIPROCAL }

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { 1 / x }

    static let derivative: Derivative? = .unary { _, y, dy in try -dy * y.squared() }

    static let examples = [
        Example(
            "reciprocals", inputs: [Tensor(shape: [3], scalars: [-4, 2, 0.5] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-0.25, 0.5, 2] as [Float])])
    ]
}
