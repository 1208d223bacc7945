import CKernels
import SardonyxGraph

/// y = the smallest of the inputs, element by element, with numpy's broadcasting; NaN if any of them is NaN.
///
/// <https://onnx.ai/onnx/operators/onnx__Min.html>
enum Min: VariadicElementwise {
    static let schema = Schema.variadic("Min", versions: [1, 6, 8, 12, 13], types: .numbers, output: "min")
    static var kernel: sdx_binary_op { SDX_BINARY_MIN }

    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> T { a < b || a.isNotANumber ? a : b }

    static let derivative: Derivative? = .extreme

    static let examples = [
        Example(
            "the smallest of three",
            inputs: [
                Tensor(shape: [2], scalars: [1, 5] as [Float]), Tensor(3 as Float),
                Tensor(shape: [2], scalars: [2, 2] as [Float]),
            ],
            outputs: [Tensor(shape: [2], scalars: [1, 2] as [Float])])
    ]
}
