import CKernels
import SardonyxGraph

/// c = a + b, with numpy's broadcasting; integers wrap around.
///
/// <https://onnx.ai/onnx/operators/onnx__Add.html>
enum Add: NumberBinary {
    static let schema = Schema.binary("Add", versions: [1, 6, 7, 13, 14])
    static var kernel: sdx_binary_op { SDX_BINARY_ADD }

    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> T { T.adding(a, b) }
    static func combine(_ a: Dimension, _ b: Dimension) -> Dimension { a + b }

    static let derivative: Derivative? = Derivative { d in
        for input in 0..<2 { try d.setSummed(input) { try d.dy() } }
    }

    static let examples = [
        Example(
            "a row is added to each row",
            inputs: [
                Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float]),
                Tensor(shape: [2], scalars: [10, 20] as [Float]),
            ],
            outputs: [Tensor(shape: [2, 2], scalars: [11, 22, 13, 24] as [Float])]),
        Example(
            "integers wrap around", inputs: [Tensor(shape: [1], scalars: [200] as [UInt8]), Tensor(100 as UInt8)],
            outputs: [Tensor(shape: [1], scalars: [44] as [UInt8])]),
    ]
}
