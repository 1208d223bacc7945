import SardonyxGraph

/// y[i] = Π x[j] along `axis` over j ≤ i; with `exclusive` over j < i, with `reverse` from the end.
///
/// <https://onnx.ai/onnx/operators/onnx__CumProd.html>
enum CumProd: Cumulation {
    static let schema = cumulationSchema("CumProd", versions: [26])

    @inline(__always) static func start<T: Number>(_ type: T.Type) -> T { T.one }
    @inline(__always) static func combine<T: Number>(_ a: T, _ b: T) -> T { T.multiplying(a, b) }

    static let derivative: Derivative? = Derivative { d in
        // A quotient: there is no number where x is 0.
        var attributes = d.node.attributes
        attributes["reverse"] = .int(d.node.flag("reverse") ? 0 : 1)
        try d.set(0) { [attributes] in try (d.dy() * d.y()).apply("CumSum", d.x(1), with: attributes) / d.x() }
    }

    static let examples = [
        Example(
            "along a vector", inputs: [Tensor(shape: [4], scalars: [1, 2, 3, 4] as [Float]), Tensor(0 as Int64)],
            outputs: [Tensor(shape: [4], scalars: [1, 2, 6, 24] as [Float])]),
        Example(
            "from the end, without the element itself", attributes: ["reverse": .int(1), "exclusive": .int(1)],
            inputs: [Tensor(shape: [3], scalars: [1, 2, 3] as [Int32]), Tensor(0 as Int32)],
            outputs: [Tensor(shape: [3], scalars: [6, 3, 1] as [Int32])]),
    ]
}
