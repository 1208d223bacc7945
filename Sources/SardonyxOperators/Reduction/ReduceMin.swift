import CKernels
import SardonyxGraph

/// y = min x along the axes; NaN if any element is NaN.
///
/// The minimum of no elements is +∞, or the type's largest number.
/// <https://onnx.ai/onnx/operators/onnx__ReduceMin.html>
enum ReduceMin: IntegerReduction {
    static let schema = reductionSchema(
        "ReduceMin", versions: [1, 11, 12, 13, 18, 20], types: ReductionTypes.comparison)

    static func pass(_ index: Int, of count: Int) -> sdx_reduce_op { SDX_REDUCE_MIN }

    static var start: Double { .infinity }
    @inline(__always) static func add(_ x: Double, to least: inout Double) { least = Min.apply(least, x) }
    @inline(__always) static func result(_ least: Double, count: Int) -> Double { least }

    @inline(__always) static func integerStart<T: Number & FixedWidthInteger>(_ type: T.Type) -> T { .max }
    @inline(__always) static func add<T: Number & FixedWidthInteger>(_ x: T, to least: inout T) {
        least = min(least, x)
    }

    static let derivative: Derivative? = .extremeOfAxes

    static let examples = [
        Example(
            "rows", inputs: [Tensor(shape: [2, 2], scalars: [5, 1, 20, 2] as [Float]), Tensor(integers: [1])],
            outputs: [Tensor(shape: [2, 1], scalars: [1, 2] as [Float])]),
        Example(
            "truth: all", inputs: [Tensor(shape: [2, 2], scalars: [true, true, true, false]), Tensor(integers: [1])],
            outputs: [Tensor(shape: [2, 1], scalars: [true, false])]),
    ]
}
