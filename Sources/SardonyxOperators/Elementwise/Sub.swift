import CKernels
import SardonyxGraph

/// c = a - b, with numpy's broadcasting; integers wrap around.
///
/// <https://onnx.ai/onnx/operators/onnx__Sub.html>
enum Sub: NumberBinary {
    static let schema = Schema.binary("Sub", versions: [1, 6, 7, 13, 14])
    static var kernel: sdx_binary_op { SDX_BINARY_SUB }

    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> T { T.subtracting(a, b) }
    static func combine(_ a: Dimension, _ b: Dimension) -> Dimension { a - b }

    static let derivative: Derivative? = Derivative { d in
        try d.setSummed(0) { try d.dy() }
        try d.setSummed(1) { try -d.dy() }
    }

    static let examples = [
        Example(
            "a column meets a row",
            inputs: [
                Tensor(shape: [2, 1], scalars: [10, 20] as [Float]), Tensor(shape: [3], scalars: [1, 2, 3] as [Float]),
            ],
            outputs: [Tensor(shape: [2, 3], scalars: [9, 8, 7, 19, 18, 17] as [Float])])
    ]
}
