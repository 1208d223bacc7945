import SardonyxGraph

/// y[i] = Π x[j] along `axis` over j ≤ i; with `exclusive` over j < i, with `reverse` from the end.
///
/// <https://onnx.ai/onnx/operators/onnx__CumProd.html>
enum CumProd: Cumulation {
    static let schema = cumulationSchema("CumProd", versions: [26])

    @inline(__always) static func start<T: Number>(_ type: T.Type) -> T { T.one }
    @inline(__always) static func combine<T: Number>(_ a: T, _ b: T) -> T { T.multiplying(a, b) }

    /// The sum of what comes back, times the results, over x; where x is the first 0, times the results without it, up to the
    /// next 0.
    static let derivative: Derivative? = Derivative { d in
        let (x, axis, dy) = (try d.x(), try d.x(1), try d.dy())
        let same = d.node.attributes
        var back = same
        back["reverse"] = .int(d.node.flag("reverse") ? 0 : 1)
        var before = same
        before["exclusive"] = .int(1)
        try d.set(0) { [back, before] in
            let (zero, one) = (try x.number(0), try x.number(1))
            let isZero = try x.isEqual(to: zero)
            let filled = try isZero.choose(one, else: x)
            let zeros = try isZero.choose(one, else: zero)
            let isFirst = try zeros.apply("CumSum", axis, with: before).isEqual(to: zero)
            let isOnly = try zeros.apply("CumSum", axis, with: same).isEqual(to: one)
            let others = try filled.apply("CumProd", axis, with: same).kept(where: isOnly)
            let atFirst = try (dy * others).apply("CumSum", axis, with: back).kept(where: isFirst)
            return try isZero.choose(atFirst, else: (dy * d.y()).apply("CumSum", axis, with: back) / filled)
        }
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
