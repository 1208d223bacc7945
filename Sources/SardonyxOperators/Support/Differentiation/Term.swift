import SardonyxGraph

/// A value in a derivative: rules are written as arithmetic on terms, and each operation adds a node.
struct Term {
    let id: ValueID
    let builder: GraphBuilder

    var type: ValueType { builder.graph[id].type }
    var shape: SymbolicShape? { type.shape }
    /// The value, where it is a constant.
    var constant: Tensor? { builder.graph.constants[id] }

    func dataType() throws(SardonyxError) -> DataType {
        guard let type = type.dataType else {
            throw SardonyxError(.unsupported, "\(name) has no known element type, which the derivative needs")
        }
        return type
    }

    func rank() throws(SardonyxError) -> Int {
        guard let rank = shape?.count else {
            throw SardonyxError(.unsupported, "\(name) has no known number of axes, which the derivative needs")
        }
        return rank
    }

    /// The axes after batch and channels.
    func space() throws -> [Int] {
        let rank = try rank()
        guard rank >= 2 else { throw SardonyxError(.invalidModel, "\(name) of shape \(type.text) has too few axes") }
        return Array(2..<rank)
    }

    private var name: String { "'\(builder.graph[id].name)'" }

    /// A node of this type with this term as its first input.
    func apply(_ operatorType: String, _ others: Term?..., with attributes: [String: Attribute] = [:]) throws -> Term {
        try apply(operatorType, others, with: attributes)
    }

    func apply(_ operatorType: String, _ others: [Term?], with attributes: [String: Attribute] = [:]) throws -> Term {
        Term(id: try builder.add(operatorType, [id] + others.map { $0?.id }, attributes)[0], builder: builder)
    }

    /// A scalar of this term's type.
    func number(_ value: Double) throws -> Term {
        Term(id: builder.addConstant(try Tensor(value).converted(to: try dataType())), builder: builder)
    }

    /// An int64 vector.
    func integers(_ values: [Int]) -> Term { Term(id: builder.addConstant(Tensor(integers: values)), builder: builder) }

    /// An int64 scalar.
    func scalar(_ value: Int) -> Term { Term(id: builder.addConstant(Tensor(Int64(value))), builder: builder) }

    /// 0, 1, … below this int64, a scalar or one element.
    func indices() throws -> Term { try scalar(0).apply("Range", reshaped(to: integers([])), scalar(1)) }

    // MARK: Arithmetic

    static func + (a: Term, b: Term) throws -> Term { try a.apply("Add", b) }
    static func - (a: Term, b: Term) throws -> Term { try a.apply("Sub", b) }
    static func * (a: Term, b: Term) throws -> Term { try a.apply("Mul", b) }
    static func / (a: Term, b: Term) throws -> Term { try a.apply("Div", b) }
    static func + (a: Term, b: Double) throws -> Term { try a + a.number(b) }
    static func - (a: Term, b: Double) throws -> Term { try a - a.number(b) }
    static func * (a: Term, b: Double) throws -> Term { try a * a.number(b) }
    static func / (a: Term, b: Double) throws -> Term { try a / a.number(b) }
    static func + (a: Double, b: Term) throws -> Term { try b.number(a) + b }
    static func - (a: Double, b: Term) throws -> Term { try b.number(a) - b }
    static func * (a: Double, b: Term) throws -> Term { try b.number(a) * b }
    static func / (a: Double, b: Term) throws -> Term { try b.number(a) / b }
    static prefix func - (a: Term) throws -> Term { try a.apply("Neg") }

    func squared() throws -> Term { try self * self }
    func sqrt() throws -> Term { try apply("Sqrt") }
    func exp() throws -> Term { try apply("Exp") }
    func log() throws -> Term { try apply("Log") }
    func abs() throws -> Term { try apply("Abs") }
    func sign() throws -> Term { try apply("Sign") }
    func sigmoid() throws -> Term { try apply("Sigmoid") }
    func tanh() throws -> Term { try apply("Tanh") }
    func power(_ exponent: Term) throws -> Term { try apply("Pow", exponent) }

    // MARK: Choices

    func isGreater(than other: Term) throws -> Term { try apply("Greater", other) }
    func isGreater(than value: Double) throws -> Term { try apply("Greater", number(value)) }
    func isLess(than other: Term) throws -> Term { try apply("Less", other) }
    func isLess(than value: Double) throws -> Term { try apply("Less", number(value)) }
    func isEqual(to other: Term) throws -> Term { try apply("Equal", other) }
    /// This condition's choice of two terms.
    func choose(_ yes: Term, else no: Term) throws -> Term { try apply("Where", yes, no) }
    /// This term where the condition holds, else 0.
    func kept(where condition: Term) throws -> Term { try condition.choose(self, else: number(0)) }
    func converted(to other: Term) throws -> Term {
        let type = try other.dataType()
        if type == self.type.dataType { return self }
        // Not CastLike, whose result would seem to depend on the other's values.
        return try apply("Cast", with: ["to": .int(Int64(type.rawValue))])
    }

    // MARK: Reductions

    /// The sum along the axes, which stay with extent 1.
    func sum(_ axes: [Int]) throws -> Term { try reduced("ReduceSum", axes) }
    func mean(_ axes: [Int]) throws -> Term { try reduced("ReduceMean", axes) }

    func reduced(_ operatorType: String, _ axes: [Int]) throws -> Term {
        try apply(operatorType, integers(axes), with: ["noop_with_empty_axes": .int(1)])
    }

    /// The sum over what broadcasting to this term's shape repeated of `source`, in the shape of `source`.
    func summed(like source: Term) throws -> Term {
        if let shape, shape == source.shape, !shape.contains(.unknown) { return self }
        if let axes = try repeatedAxes(of: source) {
            let sum = axes.isEmpty ? self : try self.sum(axes)
            return shape?.count == source.shape?.count ? sum : try sum.reshaped(like: source)
        }
        // Only the plan or the run can tell: the axes where `source` has 1, once it has 1s in front, and this term more.
        let extents = try extents()
        let missing = try extents.extents() - source.extents().extents()
        let ones = try missing.apply(
            "ConstantOfShape", with: ["value": .tensor(Tensor(shape: [1], scalars: [1 as Int64]))])
        let aligned = try ones.joined([source.extents()])
        let one = integers([1])
        let isRepeated = try aligned.isEqual(to: one).apply("And", extents.isEqual(to: one).apply("Not"))
        let axes = try isRepeated.apply("NonZero").reshaped(to: integers([-1]))
        return try apply("ReduceSum", axes, with: ["noop_with_empty_axes": .int(1)]).reshaped(like: source)
    }

    /// The axes along which broadcasting to this term's shape repeated `source`; nil when that is not known.
    private func repeatedAxes(of source: Term) throws -> [Int]? {
        guard let own = shape, let target = source.shape else { return nil }
        let extra = own.count - target.count
        guard extra >= 0 else {
            throw SardonyxError(.invalidModel, "a gradient of shape \(type.text) does not fit \(source.type.text)")
        }
        var axes = Array(0..<extra)
        for (axis, extent) in target.enumerated() {
            let mine = own[extra + axis]
            if extent == .fixed(1) {
                if mine != .fixed(1) { axes.append(extra + axis) }
            } else if extent.value == nil, mine != .fixed(1), mine != extent || extent == .unknown {
                return nil
            }
        }
        return axes
    }

    // MARK: Shapes

    /// The extents of some of the axes, all by default, as an int64 vector.
    func extents(_ range: Range<Int>? = nil) throws -> Term {
        guard let range else { return try apply("Shape") }
        return try apply("Shape", with: ["start": .int(Int64(range.lowerBound)), "end": .int(Int64(range.upperBound))])
    }

    /// What each of these means is worth to an element of `x`: this term's number of elements over that of `x`, as a scalar.
    func share(of x: Term) throws -> Term {
        // In double: half types end at 65,504, and there may be more elements.
        let double = ["to": Attribute.int(Int64(DataType.double.rawValue))]
        return try (apply("Size").apply("Cast", with: double) / x.apply("Size").apply("Cast", with: double))
            .converted(to: self)
    }

    func reshaped(to extents: Term) throws -> Term { try apply("Reshape", extents, with: ["allowzero": .int(1)]) }
    func reshaped(like other: Term) throws -> Term {
        if let shape, shape == other.shape, !shape.contains(.unknown) { return self }
        return try reshaped(to: other.extents())
    }
    /// Repeated to the shape of `other`.
    func expanded(like other: Term) throws -> Term {
        if let shape, shape == other.shape, !shape.contains(.unknown) { return self }
        return try apply("Expand", other.extents())
    }
    func transposed(_ order: [Int]) throws -> Term {
        if order == Array(order.indices) { return self }
        return try apply("Transpose", with: ["perm": .ints(order.map(Int64.init))])
    }
    func unsqueezed(_ axes: [Int]) throws -> Term { axes.isEmpty ? self : try apply("Unsqueeze", integers(axes)) }
    func squeezed(_ axes: [Int]) throws -> Term { axes.isEmpty ? self : try apply("Squeeze", integers(axes)) }

    /// Terms one after the other along an axis.
    func joined(_ others: [Term], axis: Int = 0) throws -> Term {
        if others.isEmpty { return self }
        let inputs = [id] + others.map { $0.id as ValueID? }
        return Term(id: try builder.add("Concat", inputs, ["axis": .int(Int64(axis))])[0], builder: builder)
    }

    /// Elements added before and after each axis; negative numbers take elements away.
    func padded(_ amounts: Term) throws -> Term { try apply("Pad", amounts) }

    /// A tensor of zeros, or of another number, in this term's type.
    func filled(_ value: Float = 0, _ extents: Term) throws -> Term {
        try extents.apply("ConstantOfShape", with: ["value": .tensor(Tensor(shape: [1], scalars: [value]))])
            .converted(to: self)
    }
    func zeros() throws -> Term { try filled(0, extents()) }
    func ones() throws -> Term { try filled(1, extents()) }
}
