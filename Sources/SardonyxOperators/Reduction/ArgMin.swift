import SardonyxGraph

/// y = the position of the smallest x along `axis`: the first of equals, or the last with `select_last_index`.
///
/// <https://onnx.ai/onnx/operators/onnx__ArgMin.html>
enum ArgMin: ExtremePosition {
    static let schema = positionSchema("ArgMin")
    static let wantsLargest = false

    static let examples = [
        Example(
            "rows", attributes: ["axis": .int(1)],
            inputs: [Tensor(shape: [2, 3], scalars: [2, 1, 1, 3, 10, 3] as [Float])],
            outputs: [Tensor(shape: [2, 1], scalars: [1, 0] as [Int64])])
    ]
}
