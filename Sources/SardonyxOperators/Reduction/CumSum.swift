import SardonyxGraph

/// y[i] = Σ x[j] along `axis` over j ≤ i; with `exclusive` over j < i, with `reverse` from the end.
///
/// <https://onnx.ai/onnx/operators/onnx__CumSum.html>
enum CumSum: Cumulation {
    static let schema = cumulationSchema("CumSum", versions: [11, 14])

    @inline(__always) static func start<T: Number>(_ type: T.Type) -> T { T.zero }
    @inline(__always) static func combine<T: Number>(_ a: T, _ b: T) -> T { T.adding(a, b) }

    static let derivative: Derivative? = Derivative { d in
        var attributes = d.node.attributes
        attributes["reverse"] = .int(d.node.flag("reverse") ? 0 : 1)
        try d.set(0) { [attributes] in try d.dy().apply("CumSum", d.x(1), with: attributes) }
    }

    static let examples = [
        Example(
            "along a vector", inputs: [Tensor(shape: [3], scalars: [1, 2, 3] as [Float]), Tensor(0 as Int64)],
            outputs: [Tensor(shape: [3], scalars: [1, 3, 6] as [Float])]),
        Example(
            "from the end, without the element itself", attributes: ["reverse": .int(1), "exclusive": .int(1)],
            inputs: [Tensor(shape: [3], scalars: [1, 2, 3] as [Int32]), Tensor(0 as Int32)],
            outputs: [Tensor(shape: [3], scalars: [5, 3, 0] as [Int32])]),
    ]
}
