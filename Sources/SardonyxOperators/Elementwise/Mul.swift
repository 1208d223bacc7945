import CKernels
import SardonyxGraph

/// c = a · b, with numpy's broadcasting; integers wrap around.
///
/// <https://onnx.ai/onnx/operators/onnx__Mul.html>
enum Mul: NumberBinary {
    static let schema = Schema.binary("Mul", versions: [1, 6, 7, 13, 14])
    static var kernel: sdx_binary_op { SDX_BINARY_MUL }

    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> T { T.multiplying(a, b) }
    static func combine(_ a: Dimension, _ b: Dimension) -> Dimension { a * b }

    static let derivative: Derivative? = Derivative { d in
        try d.setSummed(0) { try d.dy() * d.x(1) }
        try d.setSummed(1) { try d.dy() * d.x(0) }
    }

    static let examples = [
        Example(
            "a channel's factor",
            inputs: [
                Tensor(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6] as [Float]),
                Tensor(shape: [2, 1], scalars: [2, -1] as [Float]),
            ],
            outputs: [Tensor(shape: [2, 3], scalars: [2, 4, 6, -4, -5, -6] as [Float])])
    ]
}
