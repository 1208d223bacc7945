import CKernels
import SardonyxGraph

/// y = ln Σ x along the axes; -∞ for no elements.
///
/// <https://onnx.ai/onnx/operators/onnx__ReduceLogSum.html>
enum ReduceLogSum: LogarithmicReduction {
    static let schema = reductionSchema(
        "ReduceLogSum", versions: [1, 11, 13, 18, 28], types: ReductionTypes.arithmetic)

    static func pass(_ index: Int, of count: Int) -> sdx_reduce_op {
        index == count - 1 ? SDX_REDUCE_LOG_SUM : SDX_REDUCE_SUM
    }

    static var start: Double { 0 }
    @inline(__always) static func add(_ x: Double, to sum: inout Double) { sum += x }
    @inline(__always) static func result(_ sum: Double, count: Int) -> Double { Double.log(sum) }

    static let derivative: Derivative? = Derivative { d in
        try d.set(0) { try d.keepingAxes(d.dy() * (-d.y()).exp()).expanded(like: d.x()) }
    }

    static let examples = [
        Example(
            "rows", inputs: [Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float]), Tensor(integers: [1])],
            outputs: [Tensor(shape: [2, 1], scalars: [1.0986123, 1.9459101] as [Float])], tolerance: 1e-6)
    ]
}
