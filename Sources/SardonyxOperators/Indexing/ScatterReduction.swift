import SardonyxGraph

/// What happens where an update meets an element, in `ScatterElements` and `ScatterND`.
enum ScatterReduction: String {
    case none, add, mul, max, min

    init(_ node: Node) throws {
        let name = node.string("reduction", default: "none")
        guard let reduction = ScatterReduction(rawValue: name) else {
            throw SardonyxError(.invalidModel, "reduction is '\(name)'; it must be none, add, mul, max or min")
        }
        self = reduction
    }

    /// Refuses element types that cannot be reduced.
    func check(_ type: DataType) throws {
        if self == .none { return }
        switch type {
        case .string: throw SardonyxError(.invalidModel, "strings cannot be reduced with \(rawValue)")
        case .complex64, .complex128:
            if self == .max || self == .min {
                throw SardonyxError(.invalidModel, "complex numbers have no order for the reduction \(rawValue)")
            }
        default: break
        }
    }

    /// Sets the gradients of the data, where updates took elements' places, and of the updates.
    func setGradients(
        _ d: Derivation, data: () throws -> Term, updates: () throws -> Term
    ) throws {
        guard self == .none || self == .add else {
            throw SardonyxError(.unsupported, "there is no derivative rule for the reduction \(rawValue)")
        }
        try d.set(0) { try self == .add ? d.dy() : data() }
        try d.set(2, updates)
    }

    /// Gives the visitor the element's type, and how an element and an update combine.
    func visit<V: ScatterVisitor>(_ type: DataType, _ visitor: V) throws -> V.Result {
        if self == .none { return try type.visitElement(Overwriting(visitor: visitor)) }
        switch type {
        case .bool:
            // True is 1: sums and maxima are "or", products and minima are "and".
            let or = self == .add || self == .max
            return try visitor.visit(UInt8.self) { or ? $0 | $1 : $0 & $1 }
        case .complex64: return try complex(Float.self, visitor)
        case .complex128: return try complex(Double.self, visitor)
        default: return try type.visitNumber(Combining(visitor: visitor, reduction: self))
        }
    }

    private func complex<T: BinaryFloatingPoint & BitwiseCopyable & Sendable, V: ScatterVisitor>(
        _: T.Type, _ visitor: V
    ) throws -> V.Result {
        if self == .add { return try visitor.visit(Complex<T>.self) { Complex(re: $0.re + $1.re, im: $0.im + $1.im) } }
        return try visitor.visit(Complex<T>.self) {
            Complex(re: $0.re * $1.re - $0.im * $1.im, im: $0.re * $1.im + $0.im * $1.re)
        }
    }

    private struct Overwriting<V: ScatterVisitor>: ElementVisitor {
        let visitor: V

        func visit<T: BitwiseCopyable & Sendable>(_ type: T.Type) throws -> V.Result {
            try visitor.visit(type) { _, update in update }
        }
    }

    private struct Combining<V: ScatterVisitor>: NumberVisitor {
        let visitor: V
        let reduction: ScatterReduction

        func visit<T: Number>(_ type: T.Type) throws -> V.Result {
            switch reduction {
            case .none: try visitor.visit(type) { _, update in update }
            case .add: try visitor.visit(type, T.adding)
            case .mul: try visitor.visit(type, T.multiplying)
            // A NaN on either side gives a NaN.
            case .max: try visitor.visit(type) { $1 > $0 || $1.isNotANumber ? $1 : $0 }
            case .min: try visitor.visit(type) { $1 < $0 || $1.isNotANumber ? $1 : $0 }
            }
        }
    }
}

private struct Complex<T: BitwiseCopyable & Sendable>: BitwiseCopyable, Sendable {
    var re: T
    var im: T
}

protocol ScatterVisitor {
    associatedtype Result
    func visit<T: BitwiseCopyable & Sendable>(
        _ type: T.Type, _ combine: @escaping @Sendable (_ element: T, _ update: T) -> T
    ) throws -> Result
}
