import SardonyxGraph

/// c = the bits that are set in both a and b, with numpy's broadcasting.
///
/// <https://onnx.ai/onnx/operators/onnx__BitwiseAnd.html>
enum BitwiseAnd: Bitwise {
    static let schema = Schema.binary("BitwiseAnd", versions: [18], types: .integers)

    @inline(__always) static func apply<T: FixedWidthInteger>(_ a: T, _ b: T) -> T { a & b }

    static let examples = [
        Example(
            "two's complement",
            inputs: [
                Tensor(shape: [3], scalars: [1, 2, -4] as [Int32]), Tensor(shape: [3], scalars: [3, 4, 14] as [Int32]),
            ],
            outputs: [Tensor(shape: [3], scalars: [1, 0, 12] as [Int32])])
    ]
}
