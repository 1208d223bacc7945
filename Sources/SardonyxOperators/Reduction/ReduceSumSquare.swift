import CKernels
import SardonyxGraph

/// y = Σ x² along the axes; 0 for no elements.
///
/// <https://onnx.ai/onnx/operators/onnx__ReduceSumSquare.html>
enum ReduceSumSquare: IntegerReduction {
    static let schema = reductionSchema("ReduceSumSquare", versions: [1, 11, 13, 18], types: ReductionTypes.arithmetic)
    static let keepsSingleElements = false

    static func pass(_ index: Int, of count: Int) -> sdx_reduce_op {
        index == 0 ? SDX_REDUCE_SUM_SQUARE : SDX_REDUCE_SUM
    }

    static var start: Double { 0 }
    @inline(__always) static func add(_ x: Double, to sum: inout Double) { sum += x * x }
    @inline(__always) static func result(_ sum: Double, count: Int) -> Double { sum }

    @inline(__always) static func integerStart<T: Number & FixedWidthInteger>(_ type: T.Type) -> T { 0 }
    @inline(__always) static func add<T: Number & FixedWidthInteger>(_ x: T, to sum: inout T) { sum &+= x &* x }

    static let derivative: Derivative? = Derivative { d in
        try d.set(0) { try d.keepingAxes(d.dy()) * d.x() * 2 }
    }

    static let examples = [
        Example(
            "rows", inputs: [Tensor(shape: [2, 2], scalars: [1, -2, 3, 4] as [Float]), Tensor(integers: [1])],
            outputs: [Tensor(shape: [2, 1], scalars: [5, 25] as [Float])])
    ]
}
