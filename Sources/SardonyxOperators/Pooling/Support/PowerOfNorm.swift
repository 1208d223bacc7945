import SardonyxGraph

/// The exponent p of an Lp norm.
enum PowerOfNorm {
    /// In opset 1 p is a float.
    static func lift(_ node: inout Node, from opset: Int) throws(SardonyxError) {
        guard opset < 2, let p = node.float("p") else { return }
        guard let whole = Int64(exactly: p) else {
            throw SardonyxError(.unsupported, "p is \(p); only whole numbers are supported")
        }
        node.attributes["p"] = .int(whole)
    }

    static func power(_ node: Node) throws(SardonyxError) -> Int {
        let p = node.int("p", default: 2)
        guard p >= 1 else { throw SardonyxError(.invalidModel, "p is \(p); it must be 1 or more") }
        return p
    }

    /// |x|ᵖ
    @inline(__always)
    static func raise(_ x: Double, _ p: Int) -> Double {
        p == 1 ? abs(x) : p == 2 ? x * x : Double.pow(abs(x), Double(p))
    }

    /// The p-th root.
    @inline(__always)
    static func root(_ x: Double, _ p: Int) -> Double {
        p == 1 ? x : p == 2 ? x.squareRoot() : Double.pow(x, 1 / Double(p))
    }

    static func raise(_ x: Term, _ p: Int) throws -> Term {
        p == 1 ? try x.abs() : p == 2 ? try x.squared() : try x.abs().power(x.number(Double(p)))
    }

    /// A root of 0 is 0 and has the derivative 0, where the quotient has none.
    static func root(_ x: Term, _ p: Int) throws -> Term {
        if p == 1 { return x }
        let isPositive = try x.isGreater(than: x.number(0))
        let positive = try isPositive.choose(x, else: x.number(1))
        let root = p == 2 ? try positive.sqrt() : try positive.power(x.number(1 / Double(p)))
        return try isPositive.choose(root, else: x.number(0))
    }
}
