import CKernels
import SardonyxGraph

/// y = Π x along the axes; 1 for no elements.
///
/// <https://onnx.ai/onnx/operators/onnx__ReduceProd.html>
enum ReduceProd: IntegerReduction {
    static let schema = reductionSchema("ReduceProd", versions: [1, 11, 13, 18], types: ReductionTypes.arithmetic)

    static func pass(_ index: Int, of count: Int) -> sdx_reduce_op { SDX_REDUCE_PROD }
    static func combine(_ elements: [Dimension]) -> Dimension { elements.reduce(.fixed(1), *) }

    static var start: Double { 1 }
    @inline(__always) static func add(_ x: Double, to product: inout Double) { product *= x }
    @inline(__always) static func result(_ product: Double, count: Int) -> Double { product }

    @inline(__always) static func integerStart<T: Number & FixedWidthInteger>(_ type: T.Type) -> T { 1 }
    @inline(__always) static func add<T: Number & FixedWidthInteger>(_ x: T, to product: inout T) { product &*= x }

    static let examples = [
        Example(
            "rows", inputs: [Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float]), Tensor(integers: [1])],
            outputs: [Tensor(shape: [2, 1], scalars: [2, 12] as [Float])])
    ]
}
