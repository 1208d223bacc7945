import SardonyxGraph

/// Where the rows of a tensor of heads lie: x[batch, head, row, …], or x[batch, row, head · …] with the heads packed into
/// the last axis. Strides count elements.
struct HeadLayout: Sendable {
    let batch: Int
    let heads: Int
    let rows: Int
    let size: Int
    let batchStride: Int
    let headStride: Int
    let rowStride: Int

    /// - Parameter heads: how many heads a tensor of three axes packs.
    init(_ shape: [Int], heads: Int?, _ name: String) throws(SardonyxError) {
        if shape.count == 4 {
            self.init(batch: shape[0], heads: shape[1], rows: shape[2], size: shape[3], isPacked: false)
            return
        }
        guard shape.count == 3, let heads, heads > 0, shape[2] % heads == 0 else {
            throw SardonyxError(
                .invalidModel,
                "\(name) must have 4 axes, or 3 of which the last packs \(heads ?? 0) heads; "
                    + "its shape is \(shape)")
        }
        self.init(batch: shape[0], heads: heads, rows: shape[1], size: shape[2] / heads, isPacked: true)
    }

    init(batch: Int, heads: Int, rows: Int, size: Int, isPacked: Bool) {
        (self.batch, self.heads, self.rows, self.size) = (batch, heads, rows, size)
        batchStride = heads * rows * size
        headStride = isPacked ? size : rows * size
        rowStride = isPacked ? heads * size : size
    }

    func offset(_ batch: Int, _ head: Int, _ row: Int) -> Int {
        batch * batchStride + head * headStride + row * rowStride
    }

    /// A copy of all heads into [batch, head, total, size], from row `position` on.
    func copy(into total: Int, at position: Int, elementSize: Int) throws(SardonyxError) -> StridedCopy {
        try StridedCopy(
            shape: [batch, heads, rows, size], from: [batchStride, headStride, rowStride, 1],
            to: [heads * total * size, total * size, size, 1], elementSize: elementSize, targetOffset: position * size)
    }
}

/// The extents of an attention: queries of one group of heads attend to the keys of one head.
struct AttentionGeometry: Sendable {
    let query: HeadLayout
    let key: HeadLayout
    let value: HeadLayout
    let output: HeadLayout
    /// Rows of the caches before the keys and values.
    let past: Int
    let total: Int
    let mask: [Int]?

    var groupSize: Int { query.heads / max(key.heads, 1) }
    /// The shape of the products of queries and keys.
    var scores: [Int] { [query.batch, query.heads, query.rows, total] }

    init(
        query: [Int], key: [Int], value: [Int], mask: [Int]?, pastKey: [Int]?, pastValue: [Int]?, node: Node
    ) throws(SardonyxError) {
        let (queryHeads, keyHeads) = (node.int("q_num_heads"), node.int("kv_num_heads"))
        guard query.checkedElementCount != nil, key.checkedElementCount != nil, value.checkedElementCount != nil,
            query.count == key.count, key.count == value.count
        else {
            throw SardonyxError(
                .invalidModel, "Q, K and V must have the same number of axes; the shapes are \(query), \(key), \(value)"
            )
        }
        let q = try HeadLayout(query, heads: queryHeads, "Q")
        let k = try HeadLayout(key, heads: keyHeads, "K")
        let v = try HeadLayout(value, heads: keyHeads, "V")
        guard q.batch == k.batch, k.batch == v.batch, q.size == k.size, k.rows == v.rows, k.heads == v.heads,
            k.heads > 0 ? q.heads % k.heads == 0 : q.heads == 0
        else {
            throw SardonyxError(
                .invalidModel,
                "Q, K and V do not fit: the shapes are \(query), \(key) and \(value), with \(q.heads), "
                    + "\(k.heads) and \(v.heads) heads")
        }
        let past = pastKey.map { $0.count == 4 ? $0[2] : 0 } ?? 0
        let (total, overflow) = past.addingReportingOverflow(k.rows)
        if let pastKey, pastKey != [k.batch, k.heads, past, k.size] {
            throw SardonyxError(
                .invalidModel, "past_key has the shape \(pastKey); [\(k.batch), \(k.heads), past, \(k.size)] is wanted")
        }
        if (pastKey == nil) != (pastValue == nil) || pastValue.map({ $0 != [v.batch, v.heads, past, v.size] }) ?? false
        {
            throw SardonyxError(
                .invalidModel,
                "past_value has the shape \(pastValue ?? []); with past_key of \(pastKey ?? []) it must "
                    + "be [\(v.batch), \(v.heads), \(past), \(v.size)]")
        }
        guard !overflow, [q.batch, q.heads, q.rows, total].checkedElementCount != nil,
            [q.batch, q.heads, q.rows, v.size].checkedElementCount != nil,
            [k.batch, k.heads, total, max(k.size, v.size)].checkedElementCount != nil
        else {
            throw SardonyxError(.invalidModel, "the attention of \(q.rows) to \(past) and \(k.rows) rows is too large")
        }
        (self.query, self.key, self.value, self.past, self.total, self.mask) = (q, k, v, past, total, mask)
        output = HeadLayout(
            batch: q.batch, heads: q.heads, rows: q.rows, size: v.size, isPacked: query.count == 3)
        if let mask { try check(mask) }
    }

    private func check(_ mask: [Int]) throws(SardonyxError) {
        let extents = [query.batch, query.heads, query.rows]
        guard (1...4).contains(mask.count), let length = mask.last, length <= total,
            zip(mask.dropLast().reversed(), extents.reversed()).allSatisfy({ $0 == 1 || $0 == $1 })
        else {
            throw SardonyxError(.invalidModel, "attn_mask has the shape \(mask), which does not broadcast to \(scores)")
        }
    }

    /// Strides of the mask between batches, heads and queries.
    var maskStrides: (batch: Int, head: Int, row: Int) {
        guard let mask else { return (0, 0, 0) }
        let strides =
            [Int](repeating: 0, count: 4 - mask.count)
            + zip(mask, mask.rowMajorStrides).map { $0 == 1 ? 0 : $1 }
        return (strides[0], strides[1], strides[2])
    }
}
