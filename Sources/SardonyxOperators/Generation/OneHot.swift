import SardonyxGraph

/// y[…, d, …] = values[1] where d = indices[…], values[0] elsewhere, with the axis d of extent `depth` put in at `axis`.
///
/// Indices may count from `depth`; those outside [-depth, depth - 1] give `values[0]` everywhere.
/// <https://onnx.ai/onnx/operators/onnx__OneHot.html>
enum OneHot: Operator {
    private static let indexTypes: TypeSet = .integers + [.float16, .float, .double]

    static let schema = Schema(
        "OneHot", versions: [9, 11, 28],
        inputs: [
            Parameter("indices", "T1", indexTypes), Parameter("depth", "T2", indexTypes),
            Parameter("values", "T3", .movable),
        ],
        outputs: [Parameter("output", "T3", .movable)], attributes: [AttributeSpec("axis", .int)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(2)
        if let count = context.shape(2)?.fixed, count != [2] {
            throw SardonyxError(.invalidModel, "'values' must be the two values off and on; its shape is \(count)")
        }
        try context.requireRank(1, 0...1, "depth")
        guard var shape = context.shape(0) else { return context.set(0, type, nil) }
        let axis = try context.axis(context.node.int("axis", default: -1), rank: shape.count + 1)
        shape.insert(try depth(context), at: axis)
        context.set(0, type, shape)
    }

    private static func depth(_ context: InferenceContext) throws -> Dimension {
        if let constant = context.constant(1) {
            guard let depth = try constant.numbers().first.map({ $0.rounded(.towardZero) }), constant.count == 1,
                let depth = Int(exactly: depth), depth >= 0
            else { throw SardonyxError(.invalidModel, "'depth' must be one number of at least 0") }
            return .fixed(depth)
        }
        return context.onlyElement(1)
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let output = try context.output(0)
        let indices = try context.input(0)
        let axis = try normalizedAxis(context.node.int("axis", default: -1), rank: output.shape.count)
        let inner = output.shape[(axis + 1)...].reduce(1, *)
        let visitor = Indices(
            element: output.dataType, count: indices.elementCount, depth: output.shape[axis], inner: inner)
        var kernel = try indices.dataType.visitNumber(visitor)
        kernel.absorbedInputs = [1]
        return kernel
    }

    private struct Indices: NumberVisitor {
        let element: DataType
        let count: Int
        let depth: Int
        let inner: Int

        func visit<I: Number>(_ type: I.Type) throws -> Kernel {
            try element.visitElement(Elements<I>(count: count, depth: depth, inner: inner))
        }
    }

    private struct Elements<I: Number>: ElementVisitor {
        let count: Int
        let depth: Int
        let inner: Int

        func visit<E: BitwiseCopyable & Sendable>(_ type: E.Type) throws -> Kernel {
            let (count, depth, inner) = (count, depth, inner)
            let grain = max(1, 16384 / max(depth, 1))
            return Kernel { frame in
                let values = frame.input(2, as: E.self)
                OneHotWork<I, E>(
                    indices: frame.input(0), y: frame.output(0), off: values[0], on: values[1], depth: depth,
                    inner: inner
                ).run(count: count, grain: grain, on: frame.pool)
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        try d.set(2) {
            let dy = try d.dy()
            let choice = try Tensor(shape: [2], scalars: [0, 1] as [Double]).converted(to: dy.dataType())
            let isOn = try d.x(0).apply(
                "OneHot", d.x(1), Term(id: d.builder.addConstant(choice), builder: d.builder), with: d.node.attributes)
            func total(_ x: Term) throws -> Term {
                try x.apply("ReduceSum", with: ["keepdims": .int(0)]).reshaped(to: x.integers([1]))
            }
            let on = try total(dy * isOn)
            return try (total(dy) - on).joined([on])
        }
    }

    static let examples = [
        Example(
            "an index from the end, and one outside",
            inputs: [
                Tensor(shape: [3], scalars: [1, -1, 5] as [Int64]), Tensor(3 as Int64),
                Tensor(shape: [2], scalars: [0, 2] as [Float]),
            ],
            outputs: [Tensor(shape: [3, 3], scalars: [0, 2, 0, 0, 0, 2, 0, 0, 0] as [Float])]),
        Example(
            "the new axis first", attributes: ["axis": .int(0)],
            inputs: [
                Tensor(shape: [3], scalars: [1, 0, 1] as [Float]), Tensor(2 as Float),
                Tensor(shape: [2], scalars: [7, 8] as [Int32]),
            ],
            outputs: [Tensor(shape: [2, 3], scalars: [7, 8, 7, 8, 7, 8] as [Int32])]),
    ]
}

private struct OneHotWork<I: Number, E: BitwiseCopyable & Sendable>: ChunkedWork {
    let indices: UnsafePointer<I>
    let y: UnsafeMutablePointer<E>
    let off: E
    let on: E
    let depth: Int
    let inner: Int

    func run(_ range: Range<Int>) {
        var begin = range.lowerBound
        // One stretch of a row of `inner` indices after the other.
        while begin < range.upperBound {
            let (row, column) = begin.quotientAndRemainder(dividingBy: inner)
            let length = min(inner - column, range.upperBound - begin)
            let target = y + row * depth * inner + column
            for d in 0..<depth { (target + d * inner).update(repeating: off, count: length) }
            for i in 0..<length {
                if let position = position(indices[begin + i]) { target[position * inner + i] = on }
            }
            begin += length
        }
    }

    @inline(__always)
    private func position(_ index: I) -> Int? {
        if I.isInteger {
            let bits = index.integerBits
            let isSigned = I.negating(I.one) < I.zero
            guard isSigned, Int64(bitPattern: bits) < 0 else { return bits < UInt64(depth) ? Int(bits) : nil }
            let position = Int(Int64(bitPattern: bits)) + depth
            return position >= 0 ? position : nil
        }
        // A NaN compares false and has no place.
        let whole = index.double.rounded(.towardZero)
        guard whole >= -Double(depth), whole < Double(depth) else { return nil }
        return Int(whole) + (whole < 0 ? depth : 0)
    }
}
