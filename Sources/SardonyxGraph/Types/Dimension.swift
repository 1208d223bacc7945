/// The extent of one axis: a number, or a name for a number that is known only when the model runs.
///
/// Arithmetic on symbols builds the formula as a name, so that equal formulas stay equal: `H`, `floor(H/2)`.
public enum Dimension: Sendable, Hashable, CustomStringConvertible {
    /// A number.
    case fixed(Int)
    /// A name, or a formula of names: `N`, `floor(H/2)`.
    case symbol(String)
    /// Neither a number nor a name: known only after the run.
    case unknown

    /// The number, when it is known.
    public var value: Int? {
        if case .fixed(let value) = self { value } else { nil }
    }

    /// The number or name; `?` when neither is known.
    public var description: String {
        switch self {
        case .fixed(let value): "\(value)"
        case .symbol(let name): name
        case .unknown: "?"
        }
    }

    /// Longest formula that is kept; beyond it the dimension is unknown.
    private static let formulaLimit = 120

    private static func combine(_ a: Dimension, _ sign: String, _ b: Dimension) -> Dimension {
        if a == .unknown || b == .unknown { return .unknown }
        let text = "(\(a)\(sign)\(b))"
        return text.utf8.count > formulaLimit ? .unknown : .symbol(text)
    }

    package static func + (a: Dimension, b: Dimension) -> Dimension {
        switch (a, b) {
        case (.fixed(let x), .fixed(let y)):
            let (sum, overflow) = x.addingReportingOverflow(y)
            return overflow ? .unknown : .fixed(sum)
        case (_, .fixed(0)): return a
        case (.fixed(0), _): return b
        default: return combine(a, "+", b)
        }
    }

    package static func - (a: Dimension, b: Dimension) -> Dimension {
        switch (a, b) {
        case (.fixed(let x), .fixed(let y)):
            let (difference, overflow) = x.subtractingReportingOverflow(y)
            return overflow ? .unknown : .fixed(difference)
        case (_, .fixed(0)): return a
        default: return a != .unknown && a == b ? .fixed(0) : combine(a, "-", b)
        }
    }

    package static func * (a: Dimension, b: Dimension) -> Dimension {
        switch (a, b) {
        case (.fixed(let x), .fixed(let y)):
            let (product, overflow) = x.multipliedReportingOverflow(by: y)
            return overflow ? .unknown : .fixed(product)
        case (_, .fixed(1)): return a
        case (.fixed(1), _): return b
        case (.fixed(0), _), (_, .fixed(0)): return .fixed(0)
        default: return combine(a, "*", b)
        }
    }

    /// The floor of the quotient.
    package static func / (a: Dimension, b: Dimension) -> Dimension {
        switch (a, b) {
        case (.fixed(let x), .fixed(let y)):
            if y == 0 { return .unknown }
            let (quotient, overflow) = x.dividedReportingOverflow(by: y)
            if overflow { return .unknown }
            return .fixed(x % y != 0 && (x < 0) != (y < 0) ? quotient - 1 : quotient)
        case (_, .fixed(1)): return a
        default: return a != .unknown && a == b ? .fixed(1) : combine(a, "/", b)
        }
    }
}

/// A tensor's shape as the compiler knows it: one dimension an axis.
public typealias SymbolicShape = [Dimension]

extension Array where Element == Dimension {
    /// The shape as numbers, when all of them are known.
    package var fixed: [Int]? {
        var result: [Int] = []
        result.reserveCapacity(count)
        for dimension in self {
            guard case .fixed(let value) = dimension else { return nil }
            result.append(value)
        }
        return result
    }

    /// The shape as people read it, `[N, 3, 224, 224]`.
    package var text: String { "[" + map(\.description).joined(separator: ", ") + "]" }

    package init(_ shape: [Int]) { self = shape.map(Dimension.fixed) }
}

extension Array where Element == Int {
    /// The product of the extents, or nil when an extent is negative or the product above `TensorSpec.byteLimit`. Extents
    /// beside one of zero count all the same: strides and parts of the shape are products of theirs.
    package var checkedElementCount: Int? {
        var count = 1
        var empty = false
        for extent in self {
            if extent < 0 { return nil }
            if extent == 0 {
                empty = true
                continue
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            if overflow || product > TensorSpec.byteLimit { return nil }
            count = product
        }
        return empty ? 0 : count
    }

    /// The number of elements of a shape whose size was checked when its tensor was made.
    package var elementCount: Int { reduce(1, *) }

    /// Row-major strides in elements.
    package var rowMajorStrides: [Int] {
        var strides = [Int](repeating: 1, count: count)
        var stride = 1
        for axis in indices.reversed() {
            strides[axis] = stride
            stride *= Swift.max(self[axis], 1)
        }
        return strides
    }
}
