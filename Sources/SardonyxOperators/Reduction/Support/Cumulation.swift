import SardonyxGraph

/// An operator that folds the elements along an axis and gives every intermediate result.
protocol Cumulation: Operator {
    static func start<T: Number>(_ type: T.Type) -> T
    static func combine<T: Number>(_ a: T, _ b: T) -> T
}

extension Cumulation {
    static func cumulationSchema(_ name: String, versions: [Int]) -> Schema {
        let types = ReductionTypes.arithmetic
        return Schema(
            name, versions: versions, inputs: [Parameter("x", "T", types), Parameter("axis", "T2", .indices)],
            outputs: [Parameter("y", "T", types)],
            attributes: [AttributeSpec("reverse", .int), AttributeSpec("exclusive", .int)])
    }

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        if let axis = context.integers(1), let rank = context.rank(0) { _ = try self.axis(axis, rank: rank) }
    }

    private static func axis(_ values: [Int], rank: Int) throws(SardonyxError) -> Int {
        guard values.count == 1 else {
            throw SardonyxError(.invalidModel, "'axis' must be a scalar; it has \(values.count) elements")
        }
        return try normalizedAxis(values[0], rank: rank, "'axis'")
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let spec = try context.input(0)
        let layout = AxisLayout(
            spec.shape, axis: try axis(try context.integers(1) ?? [], rank: spec.shape.count))
        let isReversed = context.node.flag("reverse")
        let isExclusive = context.node.flag("exclusive")
        // float16, bfloat16 and float are accumulated in double and rounded at every element.
        let visitor = Visitor<Self>(layout: layout, isReversed: isReversed, isExclusive: isExclusive)
        var kernel =
            try spec.dataType.isInteger
            ? spec.dataType.visitInteger(visitor) : spec.dataType.visitReal(visitor)
        kernel.inPlace = [0: [0]]
        kernel.absorbedInputs = [1]
        return kernel
    }
}

private struct Visitor<Op: Cumulation>: IntegerVisitor, RealVisitor {
    let layout: AxisLayout
    let isReversed: Bool
    let isExclusive: Bool

    func visit<T: Number & FixedWidthInteger>(_ type: T.Type) throws -> Kernel { kernel(type, in: type) }
    func visit<T: Real>(_ type: T.Type) throws -> Kernel { kernel(type, in: Double.self) }

    private func kernel<T: Number, A: Number>(_ type: T.Type, in accumulator: A.Type) -> Kernel {
        let (layout, isReversed, isExclusive) = (layout, isReversed, isExclusive)
        return Kernel { frame in
            Work<T, A>(
                x: frame.input(0), y: frame.output(0), layout: layout, isReversed: isReversed, isExclusive: isExclusive
            ).run(count: layout.slices, grain: layout.grain, on: frame.pool)
        }
    }

    private struct Work<T: Number, A: Number>: ChunkedWork {
        let x: UnsafePointer<T>
        let y: UnsafeMutablePointer<T>
        let layout: AxisLayout
        let isReversed: Bool
        let isExclusive: Bool

        func run(_ range: Range<Int>) {
            for slice in range {
                let offset = layout.offset(ofSlice: slice)
                var accumulator = Op.start(A.self)
                for step in 0..<layout.axis {
                    let position = offset + (isReversed ? layout.axis - 1 - step : step) * layout.inner
                    let next = Op.combine(accumulator, A.casting(x[position]))
                    y[position] = T.casting(isExclusive ? accumulator : next)
                    accumulator = next
                }
            }
        }
    }
}
