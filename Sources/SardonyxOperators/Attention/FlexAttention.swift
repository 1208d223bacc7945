import SardonyxGraph

/// Y[b, h, i, :] = Σⱼ prob_mod(softmaxⱼ(score_mod(scale · Q[b, h, i, :] · K[b, g, j, :]))) · V[b, g, j, :], with subgraphs that
/// change all scores and all probabilities at once; a group of query heads h shares one head g of keys and values.
///
/// Scores and probabilities have the type `softmax_precision`, which is float for half types unless given.
/// <https://onnx.ai/onnx/operators/onnx_aionnxpreview_FlexAttention.html>
enum FlexAttention: Operator {
    static let schema = Schema(
        "FlexAttention", domain: "ai.onnx.preview", versions: [1],
        inputs: [Parameter("Q", "T1", .floats), Parameter("K", "T1", .floats), Parameter("V", "T1", .floats)],
        outputs: [Parameter("Y", "T1", .floats)],
        attributes: [
            AttributeSpec("prob_mod", .graph), AttributeSpec("score_mod", .graph),
            AttributeSpec("softmax_precision", .int), AttributeSpec("scale", .float),
        ])

    static let execution = Execution.dynamic

    private static func precision(_ node: Node, _ type: DataType) throws -> DataType {
        let precision = try node.dataType("softmax_precision") ?? (type == .double ? .double : .float)
        guard TypeSet.floats.contains(precision) else {
            throw SardonyxError(
                .invalidModel, "'softmax_precision' is \(precision.name); a floating-point type is wanted")
        }
        return precision
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        let precision = try precision(context.node, type)
        for index in 0..<3 { try context.requireRank(index, 4...4, schema.inputs[index].name) }
        let (q, k, v) = (context.shape(0), context.shape(1), context.shape(2))
        if let query = q?.fixed, let key = k?.fixed, let value = v?.fixed {
            _ = try geometry(context.node, query, key, value)
        }
        let scores = SymbolicShape([q?[0], q?[1], q?[2], k?[2]].map { $0 ?? .unknown })
        for name in ["score_mod", "prob_mod"] {
            guard let body = context.node.subgraph(name) else { continue }
            guard body.graph.inputs.count == 1, body.graph.outputs.count == 1 else {
                throw SardonyxError(.invalidModel, "'\(name)' must take one tensor and give one")
            }
            _ = try context.infer(body, inputs: [.tensor(precision, scores)])
        }
        context.set(0, type, [q?[0], q?[1], q?[2], v?[3]].map { $0 ?? .unknown })
    }

    private static func geometry(_ node: Node, _ q: [Int], _ k: [Int], _ v: [Int]) throws -> AttentionGeometry {
        try AttentionGeometry(query: q, key: k, value: v, mask: nil, pastKey: nil, pastValue: nil, node: node)
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let (query, key, value) = (try context.tensor(0), try context.tensor(1), try context.tensor(2))
        guard query.shape.count == 4 else {
            throw SardonyxError(.invalidInput, "Q must have 4 axes; its shape is \(query.shape)")
        }
        let geometry = try geometry(context.node, query.shape, key.shape, value.shape)
        let precision = try precision(context.node, query.dataType)
        let computed =
            precision == .double || query.dataType == .double
            ? try Stages<Double>(context, geometry).run(query, key, value, precision)
            : try Stages<Float>(context, geometry).run(query, key, value, precision)
        return [.tensor(try computed.converted(to: query.dataType))]
    }

    /// The products and the softmax in float or double, head by head on all threads.
    private struct Stages<T: ProductElement> {
        let context: EvaluationContext
        let geometry: AttentionGeometry
        let scale: Double

        init(_ context: EvaluationContext, _ geometry: AttentionGeometry) {
            self.context = context
            self.geometry = geometry
            scale = context.node.float("scale").map(Double.init) ?? 1 / Double(geometry.query.size).squareRoot()
        }

        func run(_ query: Tensor, _ key: Tensor, _ value: Tensor, _ precision: DataType) throws -> Tensor {
            let (q, k, v) = (geometry.query, geometry.key, geometry.value)
            let (rows, total) = (q.rows, geometry.total)
            var scores = try multiply(
                StridedProduct(
                    m: rows, n: total, k: q.size, lda: q.size, ldb: k.size, ldc: total, isTransposedB: true,
                    alpha: scale),
                query, q.headStride, key, k.headStride)
            scores = try modified(scores, "score_mod", precision)
            try scores.withUnsafeMutableBytes { bytes in
                let x = bytes.bindMemory(to: T.self).baseAddress.unsafelyUnwrapped
                for row in 0..<(total == 0 ? 0 : q.batch * q.heads * rows) { T.softmax(x + row * total, count: total) }
            }
            let probabilities = try modified(scores, "prob_mod", precision)
            return try multiply(
                StridedProduct(m: rows, n: v.size, k: total, lda: total, ldb: v.size, ldc: v.size), probabilities,
                rows * total, value, v.headStride)
        }

        /// The subgraph's result on a tensor, or the tensor itself, both rounded to the precision of the softmax.
        private func modified(_ tensor: Tensor, _ name: String, _ precision: DataType) throws -> Tensor {
            var result = try tensor.converted(to: precision)
            if context.node.subgraph(name) != nil {
                guard let changed = try context.environment.run(name, inputs: [.tensor(result)]).first?.tensor,
                    changed.shape == tensor.shape
                else { throw SardonyxError(.invalidValue, "'\(name)' must give a tensor of the shape \(tensor.shape)") }
                result = changed
            }
            return try result.converted(to: T.dataType).aligned()
        }

        /// One product for every head of queries: the result has the shape [batch, heads, m, n].
        private func multiply(
            _ product: StridedProduct, _ a: Tensor, _ strideA: Int, _ b: Tensor, _ strideB: Int
        ) throws -> Tensor {
            let (a, b) = (try a.converted(to: T.dataType).aligned(), try b.converted(to: T.dataType).aligned())
            let heads = geometry.query.heads
            let result = try context.environment.allocate(
                T.dataType, [geometry.query.batch, heads, product.m, product.n])
            let byteCount = T.workspaceByteCount(product, workers: context.environment.workers)
            guard byteCount < 1 << 48 else { throw SardonyxError(.memory, "the attention is too large") }
            let workspace = try TensorStorage(byteCount: byteCount)
            withExtendedLifetime((a, b, result, workspace)) {
                // SAFETY: the tensors hold T, aligned, with the extents of the geometry.
                let x = a.storage.base.assumingMemoryBound(to: T.self)
                let y = b.storage.base.assumingMemoryBound(to: T.self)
                let z = result.storage.base.assumingMemoryBound(to: T.self)
                for head in 0..<geometry.query.batch * heads {
                    let (batch, own) = head.quotientAndRemainder(dividingBy: heads)
                    let shared = batch * geometry.key.heads + own / geometry.groupSize
                    T.multiply(
                        product, x + head * strideA, y + shared * strideB, z + head * product.m * product.n,
                        pool: context.environment.pool, workspace: workspace.base)
                }
            }
            return result
        }
    }

    static let derivative: Derivative? = .definition { d in
        let (q, k, v) = (try d.x(0), try d.x(1), try d.x(2))
        let rounding = try Self.precision(d.node, q.dataType())
        let computed: DataType = try rounding == .double || q.dataType() == .double ? .double : .float
        func cast(_ x: Term, _ type: DataType) throws -> Term {
            x.type.dataType == type ? x : try x.apply("Cast", with: ["to": .int(Int64(type.rawValue))])
        }
        func modified(_ x: Term, _ name: String) throws -> Term {
            var result = try cast(x, rounding)
            if let body = d.node.subgraph(name) { result = d.term(try d.builder.inline(body, [result.id])[0]) }
            return try cast(result, computed)
        }
        // Query heads that share a head of keys are rows of it.
        let shared = try k.extents(0..<2).joined([q.integers([-1])])
        let rows = try cast(q, computed).reshaped(to: shared.joined([q.extents(3..<4)]))
        let scale =
            try d.node.float("scale").map { try rows.number(Double($0)) } ?? 1
            / q.extents(3..<4).converted(to: rows).sqrt()
        let keys = try k.extents(2..<3)
        let scores = try (rows.apply("MatMul", cast(k, computed).matrixTransposed()) * scale).reshaped(
            to: q.extents(0..<3).joined([keys]))
        let weights = try modified(
            modified(scores, "score_mod").apply("Softmax", with: ["axis": .int(-1)]), "prob_mod")
        let y = try weights.reshaped(to: shared.joined([keys])).apply("MatMul", cast(v, computed))
        return [try cast(y.reshaped(like: d.y()), q.dataType())]
    }

    static let examples = [
        Example(
            "equal scores, two heads that share one",
            inputs: [
                Tensor(shape: [1, 2, 1, 1], scalars: [0, 0] as [Float]),
                Tensor(shape: [1, 1, 2, 1], scalars: [1, 2] as [Float]),
                Tensor(shape: [1, 1, 2, 1], scalars: [3, 5] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 2, 1, 1], scalars: [4, 4] as [Float])], tolerance: 1e-6)
    ]
}
