import SardonyxGraph

/// c = a and b, with numpy's broadcasting.
///
/// <https://onnx.ai/onnx/operators/onnx__And.html>
enum And: Logical {
    static let schema = Schema.binary("And", versions: [1, 7], types: [.bool], result: [.bool])

    @inline(__always) static func apply(_ a: Bool, _ b: Bool) -> Bool { a && b }

    static let examples = [
        Example(
            "all pairs",
            inputs: [Tensor(shape: [2, 1], scalars: [true, false]), Tensor(shape: [2], scalars: [true, false])],
            outputs: [Tensor(shape: [2, 2], scalars: [true, false, false, false])])
    ]
}
