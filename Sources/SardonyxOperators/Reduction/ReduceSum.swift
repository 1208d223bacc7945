import CKernels
import SardonyxGraph

/// y = Σ x along the axes; 0 for no elements.
///
/// <https://onnx.ai/onnx/operators/onnx__ReduceSum.html>
enum ReduceSum: IntegerReduction {
    static let schema = reductionSchema("ReduceSum", versions: [1, 11, 13], types: ReductionTypes.arithmetic)
    static let axesInputOpset = 13

    static func pass(_ index: Int, of count: Int) -> sdx_reduce_op { SDX_REDUCE_SUM }
    static func combine(_ elements: [Dimension]) -> Dimension { elements.reduce(.fixed(0), +) }

    static var start: Double { 0 }
    @inline(__always) static func add(_ x: Double, to sum: inout Double) { sum += x }
    @inline(__always) static func result(_ sum: Double, count: Int) -> Double { sum }

    @inline(__always) static func integerStart<T: Number & FixedWidthInteger>(_ type: T.Type) -> T { 0 }
    @inline(__always) static func add<T: Number & FixedWidthInteger>(_ x: T, to sum: inout T) { sum &+= x }

    static let derivative: Derivative? = Derivative { d in
        try d.set(0) { try d.keepingAxes(d.dy()).expanded(like: d.x()) }
    }

    static let examples = [
        Example(
            "rows", inputs: [Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float]), Tensor(integers: [-1])],
            outputs: [Tensor(shape: [2, 1], scalars: [3, 7] as [Float])]),
        Example(
            "outer and inner axes, left out", attributes: ["keepdims": .int(0)],
            inputs: [
                Tensor(shape: [2, 2, 2], scalars: [1, 2, 3, 4, 5, 6, 7, 8] as [Float]), Tensor(integers: [0, 2]),
            ],
            outputs: [Tensor(shape: [2], scalars: [14, 22] as [Float])]),
        Example(
            "all axes of integers", attributes: ["keepdims": .int(0)],
            inputs: [Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Int64]), nil], outputs: [Tensor(10 as Int64)]),
        Example(
            "no elements", inputs: [Tensor(shape: [2, 0], scalars: [] as [Float]), Tensor(integers: [1])],
            outputs: [Tensor(shape: [2, 1], scalars: [0, 0] as [Float])]),
    ]
}
