import CKernels
import SardonyxGraph

/// y = √Σ x² along the axes; 0 for no elements. Integers truncate toward zero.
///
/// <https://onnx.ai/onnx/operators/onnx__ReduceL2.html>
enum ReduceL2: IntegerReduction {
    static let schema = reductionSchema("ReduceL2", versions: [1, 11, 13, 18], types: ReductionTypes.arithmetic)
    static let keepsSingleElements = false

    // The norm of norms is the norm of all.
    static func pass(_ index: Int, of count: Int) -> sdx_reduce_op { SDX_REDUCE_L2 }

    static var start: Double { 0 }
    @inline(__always) static func add(_ x: Double, to sum: inout Double) { sum += x * x }
    @inline(__always) static func result(_ sum: Double, count: Int) -> Double { sum.squareRoot() }

    @inline(__always) static func integerStart<T: Number & FixedWidthInteger>(_ type: T.Type) -> T { 0 }
    @inline(__always) static func add<T: Number & FixedWidthInteger>(_ x: T, to sum: inout T) { sum &+= x &* x }
    @inline(__always) static func result<T: Number & FixedWidthInteger>(_ sum: T, count: Int) -> T {
        T.casting(sum.double.squareRoot())
    }

    static let derivative: Derivative? = Derivative { d in
        try d.set(0) { try d.keepingAxes(d.dy()) * d.x().overNonZero(d.keepingAxes(d.y())) }
    }

    static let examples = [
        Example(
            "rows", inputs: [Tensor(shape: [2, 2], scalars: [3, -4, 6, 8] as [Float]), Tensor(integers: [1])],
            outputs: [Tensor(shape: [2, 1], scalars: [5, 10] as [Float])], tolerance: 1e-6)
    ]
}
