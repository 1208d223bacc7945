import CKernels
import SardonyxGraph

/// y = √x; NaN below 0.
///
/// <https://onnx.ai/onnx/operators/onnx__Sqrt.html>
enum Sqrt: RealFunction {
    static let schema = Schema.unary("Sqrt", versions: [1, 6, 13])
    static var kernel: sdx_unary_op? { SDX_UNARY_SQRT }

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { x.squareRoot() }

    static let derivative: Derivative? = .unary { _, y, dy in try dy / y * 0.5 }

    static let examples = [
        Example(
            "square roots", inputs: [Tensor(shape: [3], scalars: [1, 4, 9] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [1, 2, 3] as [Float])])
    ]
}
