import SardonyxGraph

/// Attention in float or double: every chunk computes some queries of one head.
struct AttentionWork<T: ProductElement>: Sendable {
    /// What the optional last output holds.
    enum Trace: Int { case products, capped, biased, probabilities }

    let geometry: AttentionGeometry
    private let scale: Double
    private let cap: T
    private let isCausal: Bool
    /// How many keys before and after its own position a query attends to.
    private let left: Int?
    private let right: Int?
    private let trace: Trace

    private let mask: Int?
    private let isBooleanMask: Bool
    private let maskStrides: (batch: Int, head: Int, row: Int)
    private let maskLength: Int
    private let lengths: Int?
    private let pastSlots: (key: Int, value: Int)?
    private let presentKey: Int?
    private let presentValue: Int?
    private let traceSlot: Int?

    private let copies: (pastKey: StridedCopy, key: StridedCopy, pastValue: StridedCopy, value: StridedCopy)
    /// Rows of queries that a chunk computes.
    private let rows: Int
    private let blocks: Int
    private let keysOffset: Int
    private let valuesOffset: Int
    private let workersOffset: Int
    private let workerStride: Int
    private let productOffset: Int
    private let byteCount: Int

    init(_ context: PreparationContext, _ geometry: AttentionGeometry) throws {
        let node = context.node
        self.geometry = geometry
        scale = node.float("scale").map(Double.init) ?? 1 / Double(geometry.query.size).squareRoot()
        cap = T(node.float("softcap", default: 0))
        isCausal = node.flag("is_causal")
        left = Self.window(node, "left_window_size")
        right = Self.window(node, "right_window_size")
        trace = Trace(rawValue: node.int("qk_matmul_output_mode", default: 0)) ?? .products

        mask = context.inputSlot(3)
        isBooleanMask = context.has(3) ? try context.input(3).dataType == .bool : false
        maskStrides = geometry.maskStrides
        maskLength = geometry.mask?.last ?? geometry.total
        lengths = context.inputSlot(6)
        pastSlots = context.has(4) ? (4, 5) : nil
        presentKey = context.outputSlot(1)
        presentValue = context.outputSlot(2)
        traceSlot = context.outputSlot(3)

        let size = MemoryLayout<T>.stride
        let (key, value) = (geometry.key, geometry.value)
        let pastKey = HeadLayout(
            batch: key.batch, heads: key.heads, rows: geometry.past, size: key.size, isPacked: false)
        let pastValue = HeadLayout(
            batch: value.batch, heads: value.heads, rows: geometry.past, size: value.size, isPacked: false)
        copies = (
            try pastKey.copy(into: geometry.total, at: 0, elementSize: size),
            try key.copy(into: geometry.total, at: geometry.past, elementSize: size),
            try pastValue.copy(into: geometry.total, at: 0, elementSize: size),
            try value.copy(into: geometry.total, at: geometry.past, elementSize: size)
        )

        // Small blocks where there are few heads, so that every thread has some.
        let (queries, heads) = (geometry.query.rows, geometry.query.batch * geometry.query.heads)
        rows = max(1, min(queries, heads * ((queries + 127) / 128) >= 8 ? 128 : 32))
        blocks = (queries + rows - 1) / rows

        var layout = Workspace.Layout()
        let joins = context.has(4)
        let keyCount = key.batch * key.heads * geometry.total * key.size
        let valueCount = value.batch * value.heads * geometry.total * value.size
        keysOffset = layout.reserve(joins && presentKey == nil ? keyCount : 0, of: T.self)
        valuesOffset = layout.reserve(joins && presentValue == nil ? valueCount : 0, of: T.self)
        workersOffset = layout.byteCount
        var own = Workspace.Layout()
        _ = own.reserve(rows * geometry.total, of: T.self)
        productOffset = own.byteCount
        let products = [rows, max(1, queries % rows)].flatMap {
            [
                Self.scores($0, geometry, keyStride: geometry.key.rowStride, scale: 1),
                Self.mixture($0, geometry, valueStride: geometry.value.rowStride),
            ]
        }
        let product = products.map { T.workspaceByteCount($0, workers: 1) }.max() ?? 0
        guard product < 1 << 48 else { throw SardonyxError(.memory, "the attention is too large") }
        _ = own.reserve(product)
        workerStride = own.byteCount
        byteCount = workersOffset + workerStride * max(context.workers, 1)
    }

    /// A bound of the window; nothing when it is open. Beyond 2⁴⁰ positions all are open.
    private static func window(_ node: Node, _ name: String) -> Int? {
        node.int(name).flatMap { $0 < 0 || $0 > 1 << 40 ? nil : $0 }
    }

    private static func scores(
        _ rows: Int, _ g: AttentionGeometry, keyStride: Int, scale: Double
    ) -> StridedProduct {
        StridedProduct(
            m: rows, n: g.total, k: g.query.size, lda: g.query.rowStride, ldb: keyStride, ldc: g.total,
            isTransposedB: true, alpha: scale)
    }

    private static func mixture(_ rows: Int, _ g: AttentionGeometry, valueStride: Int) -> StridedProduct {
        StridedProduct(
            m: rows, n: g.value.size, k: g.total, lda: g.total, ldb: valueStride, ldc: g.output.rowStride)
    }

    func kernel() -> Kernel {
        let work = self
        let chunks = geometry.query.batch * geometry.query.heads * blocks
        let loop = ParallelLoop(chunks: chunks) { frame, chunk, worker in work.run(frame, chunk, worker) }
        var kernel = Kernel { frame in
            try work.checkLengths(frame)
            work.join(frame)
            loop.run(frame)
        }
        kernel.workspaceByteCount = byteCount
        kernel.multiplyAdds = geometry.scores.elementCount &* (geometry.query.size &+ geometry.value.size)
        return kernel
    }

    private func checkLengths(_ frame: Frame) throws {
        guard let lengths = frame.input(slot: lengths, as: Int64.self) else { return }
        for batch in 0..<geometry.query.batch where lengths[batch] < 0 || lengths[batch] > Int64(geometry.total) {
            throw SardonyxError(
                .invalidValue, "nonpad_kv_seqlen is \(lengths[batch]) for a cache of \(geometry.total) rows")
        }
    }

    // MARK: Caches

    private func keys(_ frame: Frame) -> UnsafeMutablePointer<T> {
        frame.output(slot: presentKey) ?? frame.scratch(keysOffset)
    }

    private func values(_ frame: Frame) -> UnsafeMutablePointer<T> {
        frame.output(slot: presentValue) ?? frame.scratch(valuesOffset)
    }

    /// Puts the new keys and values behind those of the cache.
    private func join(_ frame: Frame) {
        if pastSlots != nil || presentKey != nil {
            let target = keys(frame)
            if let pastSlots { copies.pastKey.run(frame.input(pastSlots.key, as: T.self), target, pool: frame.pool) }
            copies.key.run(frame.input(1, as: T.self), target, pool: frame.pool)
        }
        if pastSlots != nil || presentValue != nil {
            let target = values(frame)
            if let pastSlots {
                copies.pastValue.run(frame.input(pastSlots.value, as: T.self), target, pool: frame.pool)
            }
            copies.value.run(frame.input(2, as: T.self), target, pool: frame.pool)
        }
    }

    /// The rows of a head's keys or values: the joined ones, or the input as it is.
    private func rows(
        _ frame: Frame, _ input: Int, _ layout: HeadLayout, _ joined: (Frame) -> UnsafeMutablePointer<T>, _ batch: Int,
        _ head: Int
    ) -> (start: UnsafePointer<T>, stride: Int) {
        if pastSlots == nil { return (frame.input(input) + layout.offset(batch, head, 0), layout.rowStride) }
        return (
            UnsafePointer(joined(frame)) + (batch * layout.heads + head) * geometry.total * layout.size, layout.size
        )
    }

    // MARK: Queries

    private func run(_ frame: Frame, _ chunk: Int, _ worker: Int) {
        let (head, block) = chunk.quotientAndRemainder(dividingBy: blocks)
        let (batch, queryHead) = head.quotientAndRemainder(dividingBy: geometry.query.heads)
        let keyHead = queryHead / geometry.groupSize
        let first = block * rows
        let count = min(rows, geometry.query.rows - first)
        let own = workersOffset + worker * workerStride
        let scores = frame.scratch(own, as: T.self)
        let workspace = UnsafeMutableRawPointer(frame.scratch(own + productOffset, as: UInt8.self))

        let key = rows(frame, 1, geometry.key, keys, batch, keyHead)
        let q = frame.input(0, as: T.self) + geometry.query.offset(batch, queryHead, first)
        T.multiply(
            Self.scores(count, geometry, keyStride: key.stride, scale: scale), q, key.start, scores, pool: nil,
            workspace: workspace)
        for row in 0..<count {
            let query = first + row
            let traced = frame.output(slot: traceSlot, as: T.self).map {
                $0 + (head * geometry.query.rows + query) * geometry.total
            }
            weigh(frame, scores + row * geometry.total, batch, queryHead, query, traced)
        }
        let value = rows(frame, 2, geometry.value, values, batch, keyHead)
        T.multiply(
            Self.mixture(count, geometry, valueStride: value.stride), scores, value.start,
            frame.output(0, as: T.self) + geometry.output.offset(batch, queryHead, first), pool: nil,
            workspace: workspace)
    }

    /// Turns a query's products with all keys into probabilities.
    private func weigh(
        _ frame: Frame, _ x: UnsafeMutablePointer<T>, _ batch: Int, _ head: Int, _ query: Int,
        _ traced: UnsafeMutablePointer<T>?
    ) {
        let total = geometry.total
        if trace == .products { traced?.update(from: x, count: total) }
        if cap > 0 {
            for j in 0..<total { x[j] = T.tanh(x[j] / cap) * cap }
        }
        if trace == .capped { traced?.update(from: x, count: total) }

        let visible = visibleKeys(frame, batch, query)
        for j in 0..<visible.lowerBound { x[j] = -.infinity }
        for j in visible.upperBound..<total { x[j] = -.infinity }
        let isMasked = !addMask(frame, x, visible, batch, head, query)
        if trace == .biased { traced?.update(from: x, count: total) }

        // A query that may attend to nothing gives zeros, whatever its products are.
        if isMasked || (0..<total).allSatisfy({ x[$0] == -.infinity }) {
            x.update(repeating: 0, count: total)
        } else {
            T.softmax(x, count: total)
        }
        if trace == .probabilities { traced?.update(from: x, count: total) }
    }

    /// The keys that causality, the window, padding and the mask's length leave to a query.
    private func visibleKeys(_ frame: Frame, _ batch: Int, _ query: Int) -> Range<Int> {
        var (low, high) = (0, maskLength)
        var position = query + geometry.past
        if let lengths = frame.input(slot: lengths, as: Int64.self) {
            high = min(high, Int(lengths[batch]))
            position = query + Int(lengths[batch]) - geometry.query.rows
        }
        if isCausal { high = min(high, position + 1) }
        if let left { low = max(low, position - left) }
        if let right { high = min(high, position + right + 1) }
        high = max(high, 0)
        return min(low, high)..<high
    }

    /// Adds the mask to what is visible.
    /// - Returns: whether any key is left.
    private func addMask(
        _ frame: Frame, _ x: UnsafeMutablePointer<T>, _ visible: Range<Int>, _ batch: Int, _ head: Int, _ query: Int
    ) -> Bool {
        guard let mask else { return !visible.isEmpty }
        let start = batch * maskStrides.batch + head * maskStrides.head + query * maskStrides.row
        var isAnyLeft = false
        if isBooleanMask {
            let allowed = frame.input(mask, as: UInt8.self) + start
            for j in visible {
                if allowed[j] != 0 { isAnyLeft = true } else { x[j] = -.infinity }
            }
        } else {
            let bias = frame.input(mask, as: T.self) + start
            for j in visible {
                if bias[j] != -.infinity { isAnyLeft = true }
                x[j] += bias[j]
            }
        }
        return isAnyLeft
    }
}
