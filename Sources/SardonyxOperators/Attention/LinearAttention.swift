import SardonyxGraph

/// S ← exp(gₜ) · S + kₜ ⊗ βₜ(vₜ - exp(gₜ) · Sᵀkₜ), oₜ = scale · Sᵀqₜ for every position t and head of keys: attention whose
/// cost is linear in the length, by a state S of head size × value size.
///
/// `update_rule` says which parts there are: without "gated" gₜ = 0, without "delta" the last part is kₜ ⊗ vₜ.
/// <https://onnx.ai/onnx/operators/onnx__LinearAttention.html>
enum LinearAttention: Operator {
    private static let types: TypeSet = [.bfloat16, .float, .float16]

    static let schema = Schema(
        "LinearAttention", versions: [27],
        inputs: [
            Parameter("query", "T", types), Parameter("key", "T", types), Parameter("value", "T", types),
            Parameter("past_state", "S", types, .optional), Parameter("decay", "T", types, .optional),
            Parameter("beta", "T", types, .optional),
        ],
        outputs: [Parameter("output", "T", types), Parameter("present_state", "S", types)],
        attributes: [
            AttributeSpec("chunk_size", .int), AttributeSpec("kv_num_heads", .int, required: true),
            AttributeSpec("q_num_heads", .int, required: true), AttributeSpec("scale", .float),
            AttributeSpec("update_rule", .string),
        ])

    private static func heads(_ node: Node) throws -> (query: Int, key: Int) {
        let (query, key) = (node.int("q_num_heads", default: 0), node.int("kv_num_heads", default: 0))
        guard query > 0, key > 0, query % key == 0 else {
            throw SardonyxError(
                .invalidModel, "q_num_heads is \(query) and kv_num_heads \(key); a positive multiple is wanted")
        }
        return (query, key)
    }

    /// Whether the update rule has a decay, and a correction.
    private static func rule(_ node: Node) throws -> (isGated: Bool, corrects: Bool) {
        switch node.string("update_rule", default: "gated_delta") {
        case "linear": return (false, false)
        case "gated": return (true, false)
        case "delta": return (false, true)
        case "gated_delta": return (true, true)
        case let name:
            throw SardonyxError(
                .invalidModel, "'update_rule' is \(name); it may be linear, gated, delta or gated_delta")
        }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let (queryHeads, keyHeads) = try heads(context.node)
        let (isGated, corrects) = try rule(context.node)
        guard context.has(4) == isGated, context.has(5) == corrects else {
            throw SardonyxError(
                .invalidModel,
                "the update rule \(context.node.string("update_rule", default: "gated_delta")) takes "
                    + "\(isGated ? "a" : "no") decay and \(corrects ? "a" : "no") beta")
        }
        for index in [0, 1, 2, 4, 5] { try context.requireRank(index, 3...3, schema.inputs[index].name) }
        try context.requireRank(3, 4...4, "past_state")
        let type = try context.dataType(0)
        let stateType = context.has(3) ? try context.dataType(3) : type
        let (query, value) = (context.shape(0), context.shape(2))
        let valueSize = value.map { $0[2] / .fixed(keyHeads) } ?? .unknown
        let keySize = query.map { $0[2] / .fixed(queryHeads) } ?? .unknown
        let batch = query?[0] ?? .unknown
        context.set(0, type, [batch, query?[1] ?? .unknown, .fixed(queryHeads) * valueSize])
        context.set(1, stateType, [batch, .fixed(keyHeads), keySize, valueSize])
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        if context.inputs.contains(where: { $0?.dataType.isHalfWidth ?? false }) {
            return try context.throughFloat(prepare)
        }
        let node = context.node
        let (queryHeads, keyHeads) = try heads(node)
        let (isGated, corrects) = try rule(node)
        let query = try HeadLayout(try context.input(0).shape, heads: queryHeads, "query")
        let key = try HeadLayout(try context.input(1).shape, heads: keyHeads, "key")
        let value = try HeadLayout(try context.input(2).shape, heads: keyHeads, "value")
        let positions = [query.batch, query.rows]
        guard [key.batch, key.rows] == positions, [value.batch, value.rows] == positions, key.size == query.size else {
            throw SardonyxError(
                .invalidModel,
                "query, key and value do not fit: the shapes are \(try context.input(0).shape), "
                    + "\(try context.input(1).shape) and \(try context.input(2).shape)")
        }
        /// The last extent of a gate, which goes along all positions.
        func width(_ input: Int, _ allowed: [Int]) throws -> Int {
            let shape = try context.input(input).shape
            guard Array(shape.dropLast()) == positions, let last = shape.last, allowed.contains(last) else {
                throw SardonyxError(
                    .invalidModel,
                    "\(schema.inputs[input].name) has the shape \(shape); \(positions) and then one of "
                        + "\(allowed) are wanted")
            }
            return last
        }
        if context.has(3) {
            let (shape, wanted) = (try context.input(3).shape, [query.batch, keyHeads, key.size, value.size])
            guard shape == wanted else {
                throw SardonyxError(.invalidModel, "past_state has the shape \(shape); \(wanted) is wanted")
            }
        }
        let given = node.float("scale", default: 0)
        return LinearAttentionWork(
            query: query, key: key, value: value,
            scale: given == 0 ? Float(1 / Double(key.size).squareRoot()) : given,
            decayWidth: isGated ? try width(4, [keyHeads, keyHeads * key.size]) : 0,
            betaWidth: corrects ? try width(5, [keyHeads, 1]) : 0,
            pastSlot: context.inputSlot(3), stateSlot: context.outputSlot(1), workers: context.workers
        ).kernel()
    }

    /// A scan over the positions; every head of keys has its queries as rows.
    static let derivative: Derivative? = .definition { d in
        let (query, key, value) = (try d.x(0), try d.x(1), try d.x(2))
        let (queryHeads, keyHeads) = try heads(d.node)
        let group = queryHeads / keyHeads
        // Positions first: [positions, batch, heads, …].
        func byPosition(_ x: Term, _ extents: [Int]) throws -> Term {
            let shape = try x.extents(0..<2).joined([x.integers(extents)])
            return try x.reshaped(to: shape).transposed([1, 0] + Array(2..<2 + extents.count))
        }
        let q = try byPosition(query, [keyHeads, group, -1])
        let k = try byPosition(key, [keyHeads, 1, -1])
        let v = try byPosition(value, [keyHeads, 1, -1])
        let size = try k.extents(4..<5)
        let decay = try d.optionalInput(4).map { try byPosition($0.exp(), [keyHeads, -1, 1]) }
        let beta = try d.optionalInput(5).map { try byPosition($0, [-1, 1, 1]) }
        let past = try d.optionalInput(3).map { try $0.converted(to: query) }
        let extents = try query.extents(0..<1).joined([query.integers([keyHeads]), size, v.extents(4..<5)])
        let scan = ScanTerms(
            states: [try past ?? query.filled(0, extents)], slices: [q, k, v] + [decay, beta].compactMap { $0 },
            shared: [])
        let made = try scan.run(d.builder) { states, slices, _ in
            let (q, k, v) = (slices[0], slices[1], slices[2])
            let state = try decay == nil ? states[0] : states[0] * slices[3]
            let update = try beta == nil ? v : (v - k.apply("MatMul", state)) * slices[slices.count - 1]
            let next = try state + k.matrixTransposed() * update
            return ([next], [try q.apply("MatMul", next)])
        }
        let given = Double(d.node.float("scale", default: 0))
        let scale = try given == 0 ? 1 / size.converted(to: query).sqrt() : query.number(given)
        let y = try (made.results[0] * scale).transposed([1, 0, 2, 3, 4]).reshaped(like: d.y())
        return [y, try d.optionalInput(3).map { try made.states[0].converted(to: $0) } ?? made.states[0]]
    }

    static let examples = [
        Example(
            "running sums of key times value",
            attributes: [
                "q_num_heads": .int(1), "kv_num_heads": .int(1), "update_rule": .string("linear"), "scale": .float(2),
            ],
            inputs: [
                Tensor(shape: [1, 2, 1], scalars: [1, 3] as [Float]),
                Tensor(shape: [1, 2, 1], scalars: [2, 4] as [Float]),
                Tensor(shape: [1, 2, 1], scalars: [5, 7] as [Float]),
            ],
            outputs: [
                Tensor(shape: [1, 2, 1], scalars: [20, 228] as [Float]),
                Tensor(shape: [1, 1, 1, 1], scalars: [38] as [Float]),
            ]),
        Example(
            "corrected by half of what the state gets wrong",
            attributes: [
                "q_num_heads": .int(1), "kv_num_heads": .int(1), "update_rule": .string("delta"), "scale": .float(1),
            ],
            inputs: [
                Tensor(shape: [1, 1, 1], scalars: [1] as [Float]), Tensor(shape: [1, 1, 1], scalars: [1] as [Float]),
                Tensor(shape: [1, 1, 1], scalars: [6] as [Float]),
                Tensor(shape: [1, 1, 1, 1], scalars: [2] as [Float]),
                nil, Tensor(shape: [1, 1, 1], scalars: [0.5] as [Float]),
            ],
            outputs: [
                Tensor(shape: [1, 1, 1], scalars: [4] as [Float]),
                Tensor(shape: [1, 1, 1, 1], scalars: [4] as [Float]),
            ]),
    ]
}

/// The recurrence in float; every chunk is one head of keys with the heads of queries that share it.
private struct LinearAttentionWork: Sendable {
    let query: HeadLayout
    let key: HeadLayout
    let value: HeadLayout
    let scale: Float
    /// Extents of the gates; 0 without them.
    let decayWidth: Int
    let betaWidth: Int
    let pastSlot: Int?
    let stateSlot: Int?
    let workers: Int

    private var stateCount: Int { key.size * value.size }

    func kernel() -> Kernel {
        let work = self
        var layout = Workspace.Layout()
        let states = layout.reserve(stateSlot == nil ? stateCount * max(1, workers) : 0, of: Float.self)
        let corrections = layout.byteCount
        var own = Workspace.Layout()
        _ = own.reserve(value.size, of: Float.self)
        let stride = own.byteCount
        let loop = ParallelLoop(chunks: key.batch * key.heads) { frame, chunk, worker in
            let state =
                frame.output(slot: work.stateSlot, as: Float.self).map { $0 + chunk * work.stateCount }
                ?? frame.scratch(states, as: Float.self) + worker * work.stateCount
            work.run(frame, chunk, state, frame.scratch(corrections + worker * stride))
        }
        var kernel = Kernel { loop.run($0) }
        kernel.workspaceByteCount = corrections + stride * max(1, workers)
        kernel.multiplyAdds = key.batch &* key.rows &* stateCount &* (query.heads &+ 2 &* key.heads)
        return kernel
    }

    private func run(
        _ frame: Frame, _ chunk: Int, _ state: UnsafeMutablePointer<Float>, _ update: UnsafeMutablePointer<Float>
    ) {
        let (batch, head) = chunk.quotientAndRemainder(dividingBy: key.heads)
        if let past = frame.input(slot: pastSlot, as: Float.self) {
            state.update(from: past + chunk * stateCount, count: stateCount)
        } else {
            state.update(repeating: 0, count: stateCount)
        }
        for t in 0..<key.rows {
            let position = batch * key.rows + t
            if decayWidth > 0 { decay(frame, position, head, state) }
            let k = frame.input(1, as: Float.self) + key.offset(batch, head, t)
            let v = frame.input(2, as: Float.self) + value.offset(batch, head, t)
            update.update(from: v, count: value.size)
            if betaWidth > 0 {
                let beta = frame.input(5, as: Float.self)[position * betaWidth + (betaWidth == 1 ? 0 : head)]
                for d in 0..<key.size { add(-k[d], state + d * value.size, to: update) }
                for m in 0..<value.size { update[m] *= beta }
            }
            for d in 0..<key.size { add(k[d], update, to: state + d * value.size) }
            read(frame, batch, head, t, state)
        }
    }

    private func decay(_ frame: Frame, _ position: Int, _ head: Int, _ state: UnsafeMutablePointer<Float>) {
        let gates = frame.input(4, as: Float.self) + position * decayWidth
        if decayWidth == key.heads {
            let factor = Float.exp(gates[head])
            for i in 0..<stateCount { state[i] *= factor }
        } else {
            for d in 0..<key.size {
                let factor = Float.exp(gates[head * key.size + d])
                for m in 0..<value.size { state[d * value.size + m] *= factor }
            }
        }
    }

    private func read(_ frame: Frame, _ batch: Int, _ head: Int, _ t: Int, _ state: UnsafePointer<Float>) {
        let groupSize = query.heads / key.heads
        for queryHead in head * groupSize..<(head + 1) * groupSize {
            let q = frame.input(0, as: Float.self) + query.offset(batch, queryHead, t)
            let y =
                frame.output(0, as: Float.self)
                + ((batch * query.rows + t) * query.heads + queryHead) * value.size
            y.update(repeating: 0, count: value.size)
            for d in 0..<key.size { add(q[d], state + d * value.size, to: y) }
            for m in 0..<value.size { y[m] *= scale }
        }
    }

    /// y += a · x over a row of values.
    @inline(__always)
    private func add(_ a: Float, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>) {
        for m in 0..<value.size { y[m] += a * x[m] }
    }
}
