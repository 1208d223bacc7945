import CKernels
import SardonyxGraph

/// y = -1, 0 or 1, as x is below, at or above zero; a NaN stays.
///
/// <https://onnx.ai/onnx/operators/onnx__Sign.html>
enum Sign: NumberUnary {
    static let schema = Schema.unary("Sign", versions: [9, 13], types: .numbers, input: "input", output: "output")
    static var kernel: sdx_unary_op { SDX_UNARY_SIGN }

    @inline(__always) static func apply<T: Number>(_ x: T) -> T {
        if x > T.zero { return T.one }
        if x < T.zero { return T.negating(T.one) }
        return x.isNotANumber ? x : T.zero
    }

    static let derivative: Derivative? = .zero

    static let examples = [
        Example(
            "signs", inputs: [Tensor(shape: [3], scalars: [-7, 0, 3] as [Int64])],
            outputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Int64])])
    ]
}
