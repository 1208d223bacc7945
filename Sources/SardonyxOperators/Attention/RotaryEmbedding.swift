import SardonyxGraph

/// y₁ = cos(p) · x₁ - sin(p) · x₂, y₂ = sin(p) · x₁ + cos(p) · x₂ for the pairs (x₁, x₂) of every head's first
/// `rotary_embedding_dim` elements at position p; the other elements stay.
///
/// Pairs are the halves' elements, or with `interleaved` neighbours. `position_ids` choose the rows of the caches; without
/// them the caches have a row for every batch and position.
/// <https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html>
enum RotaryEmbedding: Operator {
    private static let types: TypeSet = [.bfloat16, .float, .float16]

    static let schema = Schema(
        "RotaryEmbedding", versions: [23],
        inputs: [
            Parameter("X", "T", types), Parameter("cos_cache", "T", types), Parameter("sin_cache", "T", types),
            Parameter("position_ids", "M", [.int64], .optional),
        ],
        outputs: [Parameter("Y", "T", types)],
        attributes: [
            AttributeSpec("num_heads", .int), AttributeSpec("rotary_embedding_dim", .int),
            AttributeSpec("interleaved", .int),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        try context.requireRank(0, 3...4, "X")
        for index in 1...2 {
            let rank = context.has(3) ? 2 : 3
            try context.requireRank(index, rank...rank, schema.inputs[index].name)
        }
        try context.requireRank(3, 2...2, "position_ids")
        try context.passThrough()
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let x = try context.input(0)
        let layout = try HeadLayout(x.shape, heads: context.node.int("num_heads"), "X")
        let width = context.node.int("rotary_embedding_dim", default: 0)
        let rotated = width == 0 ? layout.size : width
        guard rotated >= 0, rotated <= layout.size, rotated % 2 == 0 else {
            throw SardonyxError(
                .invalidModel,
                "\(rotated) elements of each head are to be rotated; an even number up to "
                    + "\(layout.size) is wanted")
        }
        let (cosines, sines) = (try context.input(1).shape, try context.input(2).shape)
        let positions = context.has(3) ? try context.input(3).shape : nil
        // Caches and positions may be the same for all batches.
        func fits(_ shape: [Int]) -> Bool {
            shape.count >= 2 && shape[1] == layout.rows && (shape[0] == layout.batch || shape[0] == 1)
        }
        guard cosines == sines, cosines.last == rotated / 2,
            positions.map({ $0.count == 2 && fits($0) && cosines.count == 2 }) ?? (cosines.count == 3 && fits(cosines))
        else {
            throw SardonyxError(
                .invalidModel,
                "the caches have the shapes \(cosines) and \(sines) and the positions "
                    + "\(positions ?? []); X has \(layout.batch) × \(layout.rows) positions of \(rotated / 2) pairs")
        }
        let form = RotaryForm(
            layout: layout, half: rotated / 2, isInterleaved: context.node.flag("interleaved"),
            cacheRows: cosines[0], hasPositions: positions != nil,
            isShared: (positions ?? cosines)[0] == 1 && layout.batch != 1)
        return try x.dataType.visitReal(form)
    }

    static let derivative: Derivative? = Derivative { d in
        if d.wants(1) || d.wants(2) { try setCaches(d) }
        // A rotation back.
        try d.set(0) {
            try d.dy().apply("RotaryEmbedding", d.x(1), -d.x(2), d.optionalInput(3), with: d.node.attributes)
        }
    }

    /// The gradients of the caches: sums over the heads, at the positions.
    private static func setCaches(_ d: Derivation) throws {
        let x = try d.x()
        let width = try d.x(1).extents().apply("Gather", x.integers([-1]))
        let isInterleaved = d.node.flag("interleaved")
        func halves(_ term: Term) throws -> (first: Term, second: Term) {
            let whole = try term.unpacked(term.integers([max(d.node.int("num_heads", default: 1), 1)]))
            let (axis, end) = (x.integers([3]), try width * x.integers([2]))
            func part(_ start: Term, _ end: Term) throws -> Term {
                try whole.apply("Slice", start, end, axis, x.integers([isInterleaved ? 2 : 1]))
            }
            let start = x.integers([0])
            return isInterleaved
                ? (try part(start, end), try part(x.integers([1]), end))
                : (try part(start, width), try part(width, end))
        }
        let (own, back) = (try halves(x), try halves(d.dy()))
        for (index, products) in [
            (1, { try own.first * back.first + own.second * back.second }),
            (2, { try own.first * back.second - own.second * back.first }),
        ] as [(Int, () throws -> Term)] {
            try d.set(index) {
                let cache = try d.x(index)
                let sum = try products().sum([1]).squeezed([1])
                guard let positions = d.optionalInput(3) else { return try sum.summed(like: cache) }
                let rows = try cache.apply("Gather", positions)
                return try cache.zeros().apply(
                    "ScatterND", positions.unsqueezed([2]), sum.summed(like: rows), with: ["reduction": .string("add")])
            }
        }
    }

    static let examples = [
        Example(
            "a quarter turn at position 1",
            inputs: [
                Tensor(shape: [1, 1, 2, 2], scalars: [1, 2, 3, 4] as [Float]),
                Tensor(shape: [2, 1], scalars: [1, 0] as [Float]), Tensor(shape: [2, 1], scalars: [0, 1] as [Float]),
                Tensor(shape: [1, 2], scalars: [0, 1] as [Int64]),
            ],
            outputs: [Tensor(shape: [1, 1, 2, 2], scalars: [1, 2, -4, 3] as [Float])]),
        Example(
            "neighbours of packed heads, the last elements stay",
            attributes: ["num_heads": .int(2), "interleaved": .int(1), "rotary_embedding_dim": .int(2)],
            inputs: [
                Tensor(shape: [1, 1, 6], scalars: [1, 2, 3, 4, 5, 6] as [Float]),
                Tensor(shape: [1, 1, 1], scalars: [0] as [Float]), Tensor(shape: [1, 1, 1], scalars: [1] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 1, 6], scalars: [-2, 1, 3, -5, 4, 6] as [Float])]),
    ]
}

private struct RotaryForm: RealVisitor {
    let layout: HeadLayout
    /// The number of pairs.
    let half: Int
    let isInterleaved: Bool
    let cacheRows: Int
    let hasPositions: Bool
    /// Whether all batches have the same positions.
    let isShared: Bool

    func visit<T: Real>(_ type: T.Type) throws -> Kernel {
        let form = self
        let count = layout.batch * layout.rows
        let loop = ParallelLoop(count: count, grain: max(1, 8192 / max(1, layout.heads * layout.size))) {
            frame, range in
            for position in range {
                let (batch, row) = position.quotientAndRemainder(dividingBy: form.layout.rows)
                form.rotate(frame, batch, row, T.self)
            }
        }
        return Kernel { frame in
            try form.checkPositions(frame)
            loop.run(frame)
        }
    }

    private func checkPositions(_ frame: Frame) throws {
        guard hasPositions else { return }
        let positions = frame.input(3, as: Int64.self)
        let count = (isShared ? 1 : layout.batch) * layout.rows
        for index in 0..<count where positions[index] < -Int64(cacheRows) || positions[index] >= Int64(cacheRows) {
            throw SardonyxError(
                .invalidValue, "position_ids holds \(positions[index]); the caches have \(cacheRows) rows")
        }
    }

    private func rotate<T: Real>(_ frame: Frame, _ batch: Int, _ row: Int, _ type: T.Type) {
        var cacheRow = (isShared ? 0 : batch) * layout.rows + row
        if hasPositions {
            let position = Int(frame.input(3, as: Int64.self)[cacheRow])
            cacheRow = position < 0 ? position + cacheRows : position
        }
        let cosines = frame.input(1, as: T.self) + cacheRow * half
        let sines = frame.input(2, as: T.self) + cacheRow * half
        let (step, distance) = isInterleaved ? (2, 1) : (1, half)
        for head in 0..<layout.heads {
            let offset = layout.offset(batch, head, row)
            let x = frame.input(0, as: T.self) + offset
            let y = frame.output(0, as: T.self) + offset
            for pair in 0..<half {
                let (a, b) = (x[pair * step].wide, x[pair * step + distance].wide)
                let (c, s) = (cosines[pair].wide, sines[pair].wide)
                y[pair * step] = T(wide: c * a - s * b)
                y[pair * step + distance] = T(wide: s * a + c * b)
            }
            (y + 2 * half).update(from: x + 2 * half, count: layout.size - 2 * half)
        }
    }
}
