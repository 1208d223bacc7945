import CKernels
import SardonyxGraph

/// y = max(0, x); a NaN stays.
///
/// <https://onnx.ai/onnx/operators/onnx__Relu.html>
enum Relu: NumberUnary {
    static let schema = Schema.unary("Relu", versions: [1, 6, 13, 14], types: .floats + .signedIntegers)
    static var kernel: sdx_unary_op { SDX_UNARY_RELU }

    @inline(__always) static func apply<T: Number>(_ x: T) -> T { x < T.zero ? T.zero : x }

    static let derivative: Derivative? = .unary { x, _, dy in try dy.kept(where: x.isGreater(than: 0)) }

    static let examples = [
        Example(
            "negative elements become zero", inputs: [Tensor(shape: [3], scalars: [-1, 0, 2] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [0, 0, 2] as [Float])]),
        Example(
            "integers", inputs: [Tensor(shape: [3], scalars: [-128, 0, 2] as [Int8])],
            outputs: [Tensor(shape: [3], scalars: [0, 0, 2] as [Int8])]),
    ]
}
