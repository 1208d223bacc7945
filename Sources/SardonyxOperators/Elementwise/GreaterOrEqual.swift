import SardonyxGraph

/// c = (a >= b), with numpy's broadcasting; false where either is NaN.
///
/// <https://onnx.ai/onnx/operators/onnx__GreaterOrEqual.html>
enum GreaterOrEqual: Comparison {
    static let schema = Schema.binary("GreaterOrEqual", versions: [12, 16], result: [.bool])

    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> Bool { a >= b }

    static let examples = [
        Example(
            "a number against three", inputs: [Tensor(shape: [3], scalars: [1, 2, 3] as [Float]), Tensor(2 as Float)],
            outputs: [Tensor(shape: [3], scalars: [false, true, true])])
    ]
}
