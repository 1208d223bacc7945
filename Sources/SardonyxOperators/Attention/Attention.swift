import SardonyxGraph

/// Y[b, h, i, :] = Σⱼ softmaxⱼ(cap(scale · Q[b, h, i, :] · K[b, g, j, :]) + mask[b, h, i, j]) · V[b, g, j, :], where a group of
/// query heads h shares one head g of keys and values, and keys and values of a cache come before the given ones.
///
/// With three axes, Q, K and V pack their heads into the last one. Computed in float or double; half types round once.
/// <https://onnx.ai/onnx/operators/onnx__Attention.html>
enum Attention: Operator {
    static let schema = Schema(
        "Attention", versions: [23, 24, 25],
        inputs: [
            Parameter("Q", "T1", .floats), Parameter("K", "T1", .floats), Parameter("V", "T2", .floats),
            Parameter("attn_mask", "U", .numbers + [.bool], .optional), Parameter("past_key", "T1", .floats, .optional),
            Parameter("past_value", "T2", .floats, .optional),
            Parameter("nonpad_kv_seqlen", "tensor(int64)", [.int64], .optional),
        ],
        outputs: [
            Parameter("Y", "T1", .floats), Parameter("present_key", "T1", .floats, .optional),
            Parameter("present_value", "T2", .floats, .optional),
            Parameter("qk_matmul_output", "T1", .floats, .optional),
        ],
        attributes: [
            AttributeSpec("right_window_size", .int), AttributeSpec("left_window_size", .int),
            AttributeSpec("qk_matmul_output_mode", .int), AttributeSpec("softcap", .float),
            AttributeSpec("softmax_precision", .int), AttributeSpec("kv_num_heads", .int),
            AttributeSpec("q_num_heads", .int), AttributeSpec("scale", .float), AttributeSpec("is_causal", .int),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        try checkAttributes(context)
        let (type, valueType) = (try context.dataType(0), try context.dataType(2))
        for index in [4, 5] { try context.requireRank(index, 4...4, schema.inputs[index].name) }
        guard let q = context.shape(0), let k = context.shape(1), let v = context.shape(2), q.count == k.count,
            k.count == v.count, q.count == 3 || q.count == 4
        else {
            for index in 0..<3 { try context.requireRank(index, 3...4, schema.inputs[index].name) }
            context.set(0, type, context.unknownShape(context.rank(0)))
            context.set(1, type, context.unknownShape(4))
            context.set(2, valueType, context.unknownShape(4))
            return context.set(3, type, context.unknownShape(4))
        }
        let node = context.node
        if let query = q.fixed, let key = k.fixed, let value = v.fixed {
            func known(_ index: Int) -> [Int]? { context.shape(index)?.fixed }
            let isKnown = [3, 4, 5].allSatisfy { !context.has($0) || known($0) != nil }
            if isKnown {
                _ = try AttentionGeometry(
                    query: query, key: key, value: value, mask: known(3), pastKey: known(4), pastValue: known(5),
                    node: node)
            }
        }
        let isPacked = q.count == 3
        let heads = isPacked ? node.int("q_num_heads").map(Dimension.fixed) ?? .unknown : q[1]
        let groups = isPacked ? node.int("kv_num_heads").map(Dimension.fixed) ?? .unknown : k[1]
        let (queries, keys) = isPacked ? (q[1], k[1]) : (q[2], k[2])
        let past = context.has(4) ? context.shape(4)?[2] ?? .unknown : .fixed(0)
        let total = past + keys
        let keySize = isPacked ? k[2] / groups : k[3]
        let valueSize = isPacked ? v[2] / groups : v[3]
        context.set(0, type, isPacked ? [q[0], queries, heads * valueSize] : [q[0], heads, queries, valueSize])
        context.set(1, type, [k[0], groups, total, keySize])
        context.set(2, valueType, [v[0], groups, total, valueSize])
        context.set(3, type, [q[0], heads, queries, total])
    }

    private static func checkAttributes(_ context: InferenceContext) throws {
        let node = context.node
        for name in ["left_window_size", "right_window_size"] where node.int(name, default: -1) < -1 {
            throw SardonyxError(.invalidModel, "'\(name)' is \(node.int(name, default: -1)); it must be -1 or more")
        }
        guard (0...3).contains(node.int("qk_matmul_output_mode", default: 0)) else {
            throw SardonyxError(.invalidModel, "'qk_matmul_output_mode' must be 0, 1, 2 or 3")
        }
        if let precision = try node.dataType("softmax_precision"), !TypeSet.floats.contains(precision) {
            throw SardonyxError(
                .invalidModel, "'softmax_precision' is \(precision.name); a floating-point type is wanted")
        }
        guard context.has(4) == context.has(5) else {
            throw SardonyxError(.invalidModel, "past_key and past_value must be given together")
        }
        if context.has(6), context.has(4) {
            throw SardonyxError(.invalidModel, "nonpad_kv_seqlen cannot be given together with past_key")
        }
        if context.has(6), let length = context.shape(6)?.fixed, let batch = context.shape(0)?.first?.value,
            length != [batch]
        {
            throw SardonyxError(.invalidModel, "nonpad_kv_seqlen has the shape \(length); [\(batch)] is wanted")
        }
    }

    /// The type to compute in.
    private static func computeType(_ query: DataType, _ value: DataType) -> DataType {
        query == .double || value == .double ? .double : .float
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        if context.inputs.contains(where: { $0?.dataType.isHalfWidth ?? false }) {
            return try context.throughFloat(prepare)
        }
        let (query, key, value) = (try context.input(0), try context.input(1), try context.input(2))
        let mask = context.has(3) ? try context.input(3) : nil
        guard query.dataType == value.dataType, mask.map({ [.bool, query.dataType].contains($0.dataType) }) ?? true
        else {
            throw SardonyxError(.unsupported, "operands of several types are converted when they come")
        }
        let geometry = try AttentionGeometry(
            query: query.shape, key: key.shape, value: value.shape, mask: mask?.shape,
            pastKey: context.has(4) ? try context.input(4).shape : nil,
            pastValue: context.has(5) ? try context.input(5).shape : nil, node: context.node)
        return query.dataType == .double
            ? try AttentionWork<Double>(context, geometry).kernel()
            : try AttentionWork<Float>(context, geometry).kernel()
    }

    /// Operands of several types are converted to the one to compute in, and the results back.
    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let (query, value) = (try context.tensor(0).dataType, try context.tensor(2).dataType)
        let mask = try context.optionalTensor(3)?.dataType ?? .bool
        let type = computeType(query, value)
        func fits(_ own: DataType) -> Bool { own == type || type == .float && own.isHalfWidth }
        if fits(query), fits(value), mask == .bool || fits(mask) { return try evaluatePlanned(context) }
        let inputs = try context.inputs.enumerated().map { index, datum -> Datum? in
            guard case .tensor(let tensor)? = datum, index < 6, tensor.dataType != .bool else { return datum }
            return .tensor(try tensor.converted(to: type))
        }
        let results = try evaluatePlanned(
            EvaluationContext(
                node: context.node, inputs: inputs, outputTypes: context.outputTypes, environment: context.environment,
                operatorType: context.operatorType))
        return try results.enumerated().map { index, datum in
            guard case .tensor(let tensor)? = datum else { return datum }
            return .tensor(try tensor.converted(to: index == 2 ? value : query))
        }
    }

    static let derivative: Derivative? = Derivative { d in
        let (q, k, v) = (try d.x(0), try d.x(1), try d.x(2))
        guard try q.dataType() == v.dataType() else { return try d.differentiate { try Self.inOneType(d) } }
        let dy = try d.gradient(0) ?? d.y().zeros()
        // The node itself tells the weights, and the keys and values with those of the cache before them.
        var attributes = d.node.attributes
        attributes["qk_matmul_output_mode"] = .int(3)
        let results = try d.builder.add("Attention", d.node.inputs, attributes, outputs: 4).map(d.term)
        let (keys, values) = (results[1], results[2])
        // Query heads that share a head of keys are rows of it: [batch, key heads, rows, …].
        let shared = try keys.extents(0..<2).joined([q.integers([-1])])
        func rows(_ x: Term, _ size: Term) throws -> Term { try x.reshaped(to: shared.joined([size])) }
        let heads = try d.node.int("q_num_heads").map { q.integers([$0]) } ?? q.extents(1..<2)
        let queries = try rows(q.unpacked(heads), keys.extents(3..<4))
        let weights = try rows(results[3], keys.extents(2..<3))
        let gradient = try rows(dy.unpacked(heads), values.extents(3..<4))

        // The last output's gradient joins where the node takes the output from.
        let stage = d.node.int("qk_matmul_output_mode", default: 0)
        let traced = try d.gradient(3).map { try rows($0, keys.extents(2..<3)) }
        func joined(_ gradient: Term, at place: Int) throws -> Term {
            guard place == stage, let traced else { return gradient }
            return try gradient + traced
        }
        let byWeight = try joined(gradient.apply("MatMul", values.matrixTransposed()), at: 3) * weights
        var byScore = try byWeight - weights * byWeight.sum([3])
        if stage == 2, let traced {
            let isVisible = try rows(d.y(3), keys.extents(2..<3)).isGreater(than: -Double.infinity)
            byScore = try byScore + traced.kept(where: isVisible)
        }
        if d.wants(3) {
            let mask = try d.x(3)
            let whole = try byScore.reshaped(like: results[3]).apply(
                "Slice", mask.integers([0]), mask.extents().apply("Gather", mask.integers([-1])), mask.integers([-1]))
            d.gradients[3] = try whole.summed(like: mask).converted(to: mask).id
        }
        let scale =
            try d.node.float("scale").map { try q.number(Double($0)) }
            ?? 1 / keys.extents(3..<4).converted(to: q).sqrt()
        var byProduct = try joined(byScore, at: 1)
        let cap = Double(d.node.float("softcap", default: 0))
        if cap > 0 {
            let scores = try queries.apply("MatMul", keys.matrixTransposed()) * scale
            byProduct = try byProduct * (1 - (scores / cap).tanh().squared())
        }
        byProduct = try joined(byProduct, at: 0) * scale
        try d.set(0) {
            try byProduct.apply("MatMul", keys).reshaped(
                to: keys.extents(0..<1).joined([heads, q.integers([-1]), keys.extents(3..<4)])
            ).packed(like: q)
        }
        let byKeys = try byProduct.matrixTransposed().apply("MatMul", queries)
        let byValues = try weights.matrixTransposed().apply("MatMul", gradient)
        for (input, past, whole) in [(1, 4, byKeys), (2, 5, byValues)] {
            let all = try d.gradient(input).map { try whole + $0 } ?? whole
            guard let cache = d.optionalInput(past) else {
                try d.set(input) { try all.packed(like: d.x(input)) }
                continue
            }
            let (start, length, axis) = (q.integers([0]), try cache.extents(2..<3), q.integers([2]))
            try d.set(past) { try all.apply("Slice", start, length, axis) }
            try d.set(input) {
                try all.apply("Slice", length, q.integers([Int(Int32.max)]), axis).packed(like: d.x(input))
            }
        }
    }

    /// The node with operands of the type to compute in, and its results converted back.
    private static func inOneType(_ d: Derivation) throws -> [Term?] {
        let (query, value) = (try d.x(0).dataType(), try d.x(2).dataType())
        let type = computeType(query, value)
        func cast(_ x: Term, _ type: DataType) throws -> Term {
            x.type.dataType == type ? x : try x.apply("Cast", with: ["to": .int(Int64(type.rawValue))])
        }
        let inputs = try d.node.inputs.enumerated().map { index, id -> ValueID? in
            guard let id, index < 6, d.term(id).type.dataType != .bool else { return id }
            return try cast(d.term(id), type).id
        }
        let outputs = try d.builder.add("Attention", inputs, d.node.attributes, outputs: d.node.outputs.count)
        return try outputs.enumerated().map { try cast(d.term($1), $0 == 2 ? value : query) }
    }

    static let examples = [
        Example(
            "the second query sees both keys", attributes: ["is_causal": .int(1)],
            inputs: [
                Tensor(shape: [1, 1, 2, 1], scalars: [1, 0] as [Float]),
                Tensor(shape: [1, 1, 2, 1], scalars: [3, 5] as [Float]),
                Tensor(shape: [1, 1, 2, 2], scalars: [1, 2, 3, 4] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 1, 2, 2], scalars: [1, 2, 2, 3] as [Float])], tolerance: 1e-6),
        Example(
            "a cache before, two heads packed, nothing allowed to the second",
            attributes: ["q_num_heads": .int(2), "kv_num_heads": .int(1)],
            inputs: [
                Tensor(shape: [1, 1, 2], scalars: [0, 0] as [Double]),
                Tensor(shape: [1, 1, 1], scalars: [1] as [Double]),
                Tensor(shape: [1, 1, 1], scalars: [4] as [Double]),
                Tensor(shape: [2, 1, 2], scalars: [true, true, false, false]),
                Tensor(shape: [1, 1, 1, 1], scalars: [7] as [Double]),
                Tensor(shape: [1, 1, 1, 1], scalars: [2] as [Double]),
            ],
            outputs: [
                Tensor(shape: [1, 1, 2], scalars: [3, 0] as [Double]),
                Tensor(shape: [1, 1, 2, 1], scalars: [7, 1] as [Double]),
                Tensor(shape: [1, 1, 2, 1], scalars: [2, 4] as [Double]),
            ], tolerance: 1e-12),
    ]
}

extension Term {
    /// Heads of an attention's operand on an axis of their own: [batch, heads, rows, size].
    func unpacked(_ heads: Term) throws -> Term {
        guard try rank() == 3 else { return self }
        return try reshaped(to: extents(0..<2).joined([heads, integers([-1])])).transposed([0, 2, 1, 3])
    }

    /// The other way round, where the operand packs its heads.
    fileprivate func packed(like operand: Term) throws -> Term {
        guard try operand.rank() == 3 else { return self }
        return try transposed([0, 2, 1, 3]).reshaped(like: operand)
    }
}
