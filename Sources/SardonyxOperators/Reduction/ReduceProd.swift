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

    static let derivative: Derivative? = Derivative { d in
        let x = try d.x()
        let rank = try x.rank()
        let given = d.optionalInput(1)
        if let given, given.constant == nil {
            return try d.differentiate {
                [
                    try x.changed(
                        along: 0..<rank, named: given, whenEmpty: !d.node.flag("noop_with_empty_axes")
                    ) { x, axis, _ in try x.apply("ReduceProd", x.integers([axis])) }
                    .reshaped(like: d.y())
                ]
            }
        }
        let axes = try ReductionAxes.resolve(given?.constant?.integers, rank: rank, d.node).sorted()
        let kept = (0..<rank).filter { !axes.contains($0) }
        let order = kept + axes
        try d.set(0) {
            // The product of all other elements, from those before and those after: also right where an element is 0.
            let turned = try x.transposed(order)
            let extents =
                try kept.isEmpty ? x.integers([-1]) : turned.extents(0..<kept.count).joined([x.integers([-1])])
            let rows = try turned.reshaped(to: extents)
            let axis = Term(id: x.builder.addConstant(Tensor(Int64(kept.count))), builder: x.builder)
            let before = try rows.apply("CumProd", axis, with: ["exclusive": .int(1)])
            let after = try rows.apply("CumProd", axis, with: ["exclusive": .int(1), "reverse": .int(1)])
            let others = try (before * after).reshaped(like: turned).transposed(
                order.indices.map { order.firstIndex(of: $0) ?? $0 })
            return try d.keepingAxes(d.dy()) * others
        }
    }

    static let examples = [
        Example(
            "rows", inputs: [Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float]), Tensor(integers: [1])],
            outputs: [Tensor(shape: [2, 1], scalars: [2, 12] as [Float])])
    ]
}
