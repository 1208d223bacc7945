import SardonyxGraph

/// c = the bits that are set in a or b, with numpy's broadcasting.
///
/// <https://onnx.ai/onnx/operators/onnx__BitwiseOr.html>
enum BitwiseOr: Bitwise {
    static let schema = Schema.binary("BitwiseOr", versions: [18], types: .integers)

    @inline(__always) static func apply<T: FixedWidthInteger>(_ a: T, _ b: T) -> T { a | b }

    static let examples = [
        Example(
            "two's complement",
            inputs: [
                Tensor(shape: [3], scalars: [1, 2, -4] as [Int32]), Tensor(shape: [3], scalars: [3, 4, 14] as [Int32]),
            ],
            outputs: [Tensor(shape: [3], scalars: [3, 6, -2] as [Int32])])
    ]
}
