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

    /// Sets the gradients of the data and of the updates.
    /// - Parameters:
    ///   - scatter: what the operator makes of data and updates with a reduction.
    ///   - gather: the elements at the updates' places.
    func setGradients(
        _ d: Derivation, scatter: (_ data: Term, _ updates: Term, _ reduction: ScatterReduction) throws -> Term,
        gather: (Term) throws -> Term
    ) throws {
        let (data, updates, dy) = (try d.x(0), try d.x(2), try d.dy())
        switch self {
        case .none:
            // Updates took the elements' places.
            try d.set(0) { try scatter(dy, updates.zeros(), .none) }
            try d.set(2) { try gather(dy) }
        case .add:
            d.set(0) { dy }
            try d.set(2) { try gather(dy) }
        case .mul:
            try d.set(0) { try dy * scatter(data.ones(), updates, .mul) }
            try d.set(2) {
                // The product of all others, also where an update is 0: it is nothing where two are.
                let isZero = try updates.isEqual(to: updates.number(0))
                let factors = try isZero.choose(updates.number(1), else: updates)
                let zeros = try scatter(data.zeros(), isZero.converted(to: data), .add)
                let rest = try gather(dy * scatter(data, factors, .mul))
                let others = try gather(zeros) - isZero.converted(to: data)
                return try (rest / factors).kept(where: others.isEqual(to: others.number(0)))
            }
        case .max, .min:
            // Those that are the result share the gradient.
            let y = try d.y()
            let own = try data.isEqual(to: y).converted(to: dy)
            let others = try updates.isEqual(to: gather(y)).converted(to: dy)
            let share = try dy / scatter(own, others, .add)
            try d.set(0) { try share * own }
            try d.set(2) { try gather(share) * others }
        }
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
