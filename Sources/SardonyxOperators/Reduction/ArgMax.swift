import SardonyxGraph

/// y = the position of the largest x along `axis`: the first of equals, or the last with `select_last_index`.
///
/// <https://onnx.ai/onnx/operators/onnx__ArgMax.html>
enum ArgMax: ExtremePosition {
    static let schema = positionSchema("ArgMax")
    static let wantsLargest = true

    static let examples = [
        Example(
            "rows", attributes: ["axis": .int(1)],
            inputs: [Tensor(shape: [2, 3], scalars: [2, 1, 2, 3, 10, 3] as [Float])],
            outputs: [Tensor(shape: [2, 1], scalars: [0, 1] as [Int64])]),
        Example(
            "the last of equals, without the axis",
            attributes: ["axis": .int(1), "keepdims": .int(0), "select_last_index": .int(1)],
            inputs: [Tensor(shape: [2, 3], scalars: [2, 1, 2, 3, 10, 3] as [Int32])],
            outputs: [Tensor(shape: [2], scalars: [2, 1] as [Int64])]),
    ]
}
