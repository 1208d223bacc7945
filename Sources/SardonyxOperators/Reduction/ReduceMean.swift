import CKernels
import SardonyxGraph

/// y = Σ x / n along the axes, n their elements; integers truncate toward zero.
///
/// The mean of no elements is NaN, or 0 for integers.
/// <https://onnx.ai/onnx/operators/onnx__ReduceMean.html>
enum ReduceMean: IntegerReduction {
    static let schema = reductionSchema("ReduceMean", versions: [1, 11, 13, 18], types: ReductionTypes.arithmetic)

    static func pass(_ index: Int, of count: Int) -> sdx_reduce_op { SDX_REDUCE_MEAN }

    static var start: Double { 0 }
    @inline(__always) static func add(_ x: Double, to sum: inout Double) { sum += x }
    @inline(__always) static func result(_ sum: Double, count: Int) -> Double { sum / Double(count) }

    @inline(__always) static func integerStart<T: Number & FixedWidthInteger>(_ type: T.Type) -> T { 0 }
    @inline(__always) static func add<T: Number & FixedWidthInteger>(_ x: T, to sum: inout T) { sum &+= x }
    @inline(__always) static func result<T: Number & FixedWidthInteger>(_ sum: T, count: Int) -> T {
        T(exactly: count).map { $0 == 0 ? 0 : sum / $0 } ?? 0
    }

    static let derivative: Derivative? = Derivative { d in
        let (x, dy) = (try d.x(), try d.dy())
        try d.set(0) { try d.keepingAxes(dy * dy.share(of: x)).expanded(like: x) }
    }

    static let examples = [
        Example(
            "columns", inputs: [Tensor(shape: [2, 2], scalars: [1, 2, 3, 5] as [Float]), Tensor(integers: [0])],
            outputs: [Tensor(shape: [1, 2], scalars: [2, 3.5] as [Float])])
    ]
}
