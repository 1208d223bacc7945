import CKernels
import SardonyxGraph

/// y = max x along the axes; NaN if any element is NaN.
///
/// The maximum of no elements is -∞, or the type's smallest number.
/// <https://onnx.ai/onnx/operators/onnx__ReduceMax.html>
enum ReduceMax: IntegerReduction {
    static let schema = reductionSchema(
        "ReduceMax", versions: [1, 11, 12, 13, 18, 20], types: ReductionTypes.comparison)

    static func pass(_ index: Int, of count: Int) -> sdx_reduce_op { SDX_REDUCE_MAX }

    static var start: Double { -.infinity }
    @inline(__always) static func add(_ x: Double, to most: inout Double) { most = Max.apply(most, x) }
    @inline(__always) static func result(_ most: Double, count: Int) -> Double { most }

    @inline(__always) static func integerStart<T: Number & FixedWidthInteger>(_ type: T.Type) -> T { .min }
    @inline(__always) static func add<T: Number & FixedWidthInteger>(_ x: T, to most: inout T) { most = max(most, x) }

    static let derivative: Derivative? = .extremeOfAxes

    static let examples = [
        Example(
            "rows", inputs: [Tensor(shape: [2, 2], scalars: [5, 1, 20, 2] as [Float]), Tensor(integers: [1])],
            outputs: [Tensor(shape: [2, 1], scalars: [5, 20] as [Float])]),
        Example(
            "truth: any",
            inputs: [Tensor(shape: [2, 2], scalars: [true, false, false, false]), Tensor(integers: [1])],
            outputs: [Tensor(shape: [2, 1], scalars: [true, false])]),
    ]
}
