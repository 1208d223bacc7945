import SardonyxGraph

// Rules that several operators share.

extension Derivative {
    /// The largest or smallest of the inputs: those that are it share the gradient.
    static let extreme = Derivative { d in
        let inputs = try d.node.inputs.indices.map { try d.x($0) }
        let (y, dy) = (try d.y(), try d.dy())
        let shares = try inputs.map { try $0.isEqual(to: y).converted(to: dy) }
        let count = try shares.dropFirst().reduce(shares[0]) { try $0 + $1 }
        for (input, share) in shares.enumerated() { try d.setSummed(input) { try dy * share / count } }
    }

    /// The largest or smallest element along axes: those that are it share the gradient.
    static let extremeOfAxes = Derivative { d in
        let x = try d.x()
        try d.set(0) {
            let isExtreme = try x.isEqual(to: d.keepingAxes(d.y())).converted(to: x)
            let count =
                try d.optionalInput(1).map { try isExtreme.apply("ReduceSum", $0, with: d.sameAxes) }
                ?? isExtreme.apply("ReduceSum", with: d.sameAxes)
            return try d.keepingAxes(d.dy()) * isExtreme / count
        }
    }

    /// Each element of the output is one of the first input, or zero.
    static let movement = Derivative { d in try d.setMoved() }
}

extension Derivation {
    /// Sends the gradient back to where the operator took each element from: it moves the elements' numbers to tell.
    func setMoved(leavesGaps: Bool = false) throws {
        try set(0) {
            let x = try x()
            let size = try x.apply("Size")
            let one = try size.number(1)
            // 0 stands for what comes from nowhere.
            let numbers = try one.apply("Range", size + one, one).reshaped(like: x)
            // A padding's value, which no mode but `constant` has, would be of another type.
            let others = node.inputs.enumerated().dropFirst().map { isPadding && $0.offset == 2 ? nil : $0.element }
            var attributes = node.attributes
            // What a crop's resizing puts outside.
            attributes["extrapolation_value"] = nil
            let moved = try builder.add(node.operatorType, [numbers.id] + others, attributes)[0]
            return try dy().scattered(to: term(moved) - one, like: x, leavesGaps: leavesGaps)
        }
    }

    private var isPadding: Bool { node.operatorType == "Pad" }

    /// A reduction's result or its gradient, with the axes that were left out as axes of extent 1; a scalar stays.
    func keepingAxes(_ term: Term) throws -> Term {
        guard !node.flag("keepdims", default: true), let axes = optionalInput(1) else { return term }
        return try term.apply("Unsqueeze", axes)
    }

    /// For a reduction along the axes of this one.
    var sameAxes: [String: Attribute] {
        ["noop_with_empty_axes": .int(node.flag("noop_with_empty_axes") ? 1 : 0)]
    }
}

extension Term {
    /// A tensor like `x` of the sums of those elements that have its places, counted in the order of `x`; -1 is no place.
    func scattered(to places: Term, like x: Term, leavesGaps: Bool = false) throws -> Term {
        var (places, values) = (places, self)
        if leavesGaps {
            let isGap = try places.isLess(than: 0)
            values = try isGap.choose(values.number(0), else: values)
            places = try isGap.choose(places.number(0), else: places)
        }
        let flat = integers([-1])
        let count = try x.apply("Size").reshaped(to: integers([1]))
        return try x.filled(0, count).apply(
            "ScatterElements", places.reshaped(to: flat), values.reshaped(to: flat),
            with: ["reduction": .string("add"), "axis": .int(0)]
        ).reshaped(like: x)
    }

    /// The quotient; 0 where the divisor is 0.
    func overNonZero(_ divisor: Term) throws -> Term {
        let isZero = try divisor.isEqual(to: divisor.number(0))
        return try (self / isZero.choose(divisor.number(1), else: divisor)).masked(isZero)
    }

    private func masked(_ isZero: Term) throws -> Term { try isZero.choose(number(0), else: self) }

    /// Sums of the channels [N, C, …] over everything else, as a vector.
    func summedByChannel() throws -> Term {
        let axes = try [0] + space()
        return try apply("ReduceSum", integers(axes), with: ["keepdims": .int(0)])
    }

    /// The difference from the mean over the deviation, both along these axes.
    func normalized(_ axes: [Int], epsilon: Float) throws -> Term {
        let centred = try self - mean(axes)
        return try centred / (centred.squared().mean(axes) + Double(epsilon)).sqrt()
    }

    /// The last two axes exchanged.
    func matrixTransposed() throws -> Term {
        let rank = try rank()
        guard rank >= 2 else { throw SardonyxError(.invalidModel, "a matrix of shape \(type.text) has too few axes") }
        return try transposed(Array(0..<rank - 2) + [rank - 1, rank - 2])
    }
}
