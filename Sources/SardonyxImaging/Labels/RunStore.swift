import Synchronization

/// A label volume held as runs while they are few, as those of organs are, and in another store once they are many.
///
/// Memory: 8 bytes a run, 4 a row and 64 more of each slice that has runs, and 24 a slice, at most `byteLimit`; beside that
/// while a slice is read or written at most 40 bytes a run of it, or of those that there is room for, and 2 a voxel where
/// it comes from or goes to the other store.
///
/// Slices may be read from several threads at once while none is written, if the other store's may: reading writes
/// nothing there.
public final class RunStore: SliceStore {
    /// 8 MiB: a million runs.
    public static let defaultByteLimit = 8 << 20

    /// Voxels along i, j, k.
    public let dims: SIMD3<Int>
    private let byteLimit: Int
    private let makeStore: () throws -> any SliceStore
    private let lock = Mutex(())
    // The rest is read and written with the lock held.
    private var store: (any SliceStore)?
    /// One a slice, `nil` where the store has it (all 0 when there is none); empty when none is held any more.
    private var slices: [PackedRuns?] = []
    private var holds = true
    private var byteCount = 0

    /// An empty volume: 0 where nothing is written.
    ///
    /// - Parameters:
    ///   - dims: Voxels along i, j, k.
    ///   - byteLimit: Bytes that runs may take.
    ///   - spill: Makes a store of zeros of the same dimensions; called when runs take more, until it succeeds.
    /// - Throws: `ImagingError` `.tooLarge` for an axis beyond 2³¹ - 1; what `spill` throws, if a table of the slices
    ///   alone takes more.
    public init(
        dims: SIMD3<Int>, byteLimit: Int = RunStore.defaultByteLimit, spill: @escaping () throws -> any SliceStore
    ) throws {
        (self.dims, self.byteLimit, makeStore) = (dims, byteLimit, spill)
        try RunStore.checkSize(dims)
        try prepare()
    }

    /// The labels of another store, whose slices are read once. What is written stays here until the runs take too much
    /// or `flush` is called.
    ///
    /// - Parameters:
    ///   - store: Has the labels; nobody else writes to it meanwhile.
    ///   - byteLimit: Bytes that runs may take.
    /// - Throws: `ImagingError` `.tooLarge` for an axis beyond 2³¹ - 1.
    public init(holding store: any SliceStore, byteLimit: Int = RunStore.defaultByteLimit) throws {
        (dims, self.byteLimit, makeStore) = (store.dims, byteLimit, { store })
        try RunStore.checkSize(store.dims)
        self.store = store
        try prepare()
    }

    private func prepare() throws {
        byteCount = dims.z * MemoryLayout<PackedRuns?>.stride
        guard byteCount <= byteLimit else { return try moveOut() }
        slices = [PackedRuns?](repeating: nil, count: dims.z)
    }

    /// Whether the labels are held as runs, rather than in the other store.
    public var isHeld: Bool { locked { holds } }

    /// Bytes that the runs take now.
    public var heldByteCount: Int { locked { byteCount } }

    /// Fills `buffer` with slice `k`; traps when that is outside the volume.
    ///
    /// - Throws: what the other store throws.
    public func read(slice k: Int, into buffer: UnsafeMutableBufferPointer<UInt16>) throws {
        precondition(buffer.count >= dims.x * dims.y, "room for a slice")
        switch try find(k) {
        case .held(let runs):
            guard let base = buffer.baseAddress else { return }
            runs.fill(base, columns: 0..<dims.x, rows: 0..<dims.y)
        case .stored(let store): try store.read(slice: k, into: buffer)
        }
    }

    /// The runs of slice `k`, in the place of those that `runs` holds.
    ///
    /// - Throws: what the other store throws.
    public func read(slice k: Int, into runs: inout LabelRuns) throws {
        precondition(runs.width == dims.x && runs.height == dims.y, "runs of the store's slices")
        switch try find(k) {
        case .held(let packed): packed.unpack(into: &runs)
        case .stored(let store): try store.read(slice: k, into: &runs)
        }
    }

    /// Copies the labels of a box inside the volume, i fastest, to `values`, which has room for them.
    ///
    /// - Throws: what the other store throws.
    public func read(_ box: VoxelBox, into values: UnsafeMutablePointer<UInt16>) throws {
        precondition(all((box.lower .>= 0) .& (box.upper .<= dims)), "the box lies in the volume")
        if box.isEmpty { return }
        let plane = box.size.x * box.size.y
        for k in box.lower.z..<box.upper.z {
            let target = values + (k - box.lower.z) * plane
            switch try find(k) {
            case .held(let runs):
                runs.fill(target, columns: box.lower.x..<box.upper.x, rows: box.lower.y..<box.upper.y)
            case .stored(let store):
                var rest = box
                // Once a slice is stored, all are.
                rest.lower.z = k
                return try store.read(rest, into: target)
            }
        }
    }

    /// Fills `bytes` (dims.x · dims.y of them, i fastest) with slice `k`.
    ///
    /// - Throws: `ImagingError` `.mismatch` for a label above 255; what the other store throws.
    public func readBytes(slice k: Int, into bytes: UnsafeMutableBufferPointer<UInt8>) throws {
        precondition(bytes.count >= dims.x * dims.y, "room for a slice")
        guard let base = bytes.baseAddress else { return }
        var most: UInt16 = 0
        switch try find(k) {
        case .held(let runs):
            most = runs.most
            if most <= UInt8.max { runs.fill(base, columns: 0..<dims.x, rows: 0..<dims.y) }
        case .stored(let store):
            try withSlice { slice in
                try store.read(slice: k, into: slice)
                for index in slice.indices {
                    most = max(most, slice[index])
                    bytes[index] = UInt8(truncatingIfNeeded: slice[index])
                }
            }
        }
        guard most <= UInt8.max else {
            throw ImagingError(
                .mismatch, problem: "label \(most) does not fit a byte", remedy: "write labels of 16 bits")
        }
    }

    /// Replaces slice `k` by `buffer`; traps when that is outside the volume.
    ///
    /// - Throws: what `spill` and the other store throw; the labels are then what they were.
    public func write(slice k: Int, from buffer: UnsafeBufferPointer<UInt16>) throws {
        precondition((0..<dims.z).contains(k), "the slice lies in the volume")
        try locked {
            if holds {
                var runs = LabelRuns(width: dims.x, height: dims.y)
                if runs.scan(buffer, most: room(k)), hold(k, PackedRuns(runs, isChanged: true)) { return }
                try moveOut()
            }
            try store!.write(slice: k, from: buffer)
        }
    }

    /// Replaces slice `k` by the voxels of runs; traps when that is outside the volume.
    ///
    /// - Throws: what `spill` and the other store throw; the labels are then what they were.
    public func write(slice k: Int, from runs: LabelRuns) throws {
        precondition((0..<dims.z).contains(k), "the slice lies in the volume")
        precondition(runs.width == dims.x && runs.height == dims.y, "runs of the store's slices")
        try locked {
            if holds {
                if runs.runs.count <= room(k), hold(k, PackedRuns(runs, isChanged: true)) { return }
                try moveOut()
            }
            try store!.write(slice: k, from: runs)
        }
    }

    /// Writes what has changed to the store whose labels these are.
    ///
    /// - Throws: what that store throws.
    public func flush() throws {
        try locked { if let store { try writeChanges(to: store) } }
    }

    private func locked<R, Failure: Error>(_ body: () throws(Failure) -> R) throws(Failure) -> R {
        // The lock hands out only what may be sent elsewhere.
        var result: R?
        try lock.withLock { _ throws(Failure) in result = try body() }
        return result!
    }

    private enum Found {
        case held(PackedRuns)
        case stored(any SliceStore)
    }

    /// Where slice `k` is; holds it from now on if there is room.
    private func find(_ k: Int) throws -> Found {
        precondition((0..<dims.z).contains(k), "the slice lies in the volume")
        let (found, holds) = locked { () -> (Found, Bool) in
            if self.holds, let runs = slices[k] { return (.held(runs), true) }
            return (store.map { .stored($0) } ?? .held(PackedRuns.none), self.holds)
        }
        guard holds, case .stored(let store) = found else { return found }
        // Several threads may search slices at once.
        var runs = LabelRuns(width: dims.x, height: dims.y)
        try store.read(slice: k, into: &runs)
        guard runs.runs.count <= locked({ self.holds ? room(k) : 0 }) else { return .stored(store) }
        let packed = PackedRuns(runs, isChanged: false)
        return locked {
            if self.holds, let earlier = slices[k] { return .held(earlier) }
            if self.holds { _ = hold(k, packed) }
            return .held(packed)
        }
    }

    /// How many runs slice `k` may have.
    private func room(_ k: Int) -> Int {
        (byteLimit - byteCount + (slices[k]?.byteCount ?? 0)) / PackedRuns.runBytes
    }

    /// Holds the runs of a slice where there is room for them.
    private func hold(_ k: Int, _ runs: PackedRuns) -> Bool {
        let needed = byteCount - (slices[k]?.byteCount ?? 0) + runs.byteCount
        guard needed <= byteLimit else { return false }
        slices[k] = runs
        byteCount = needed
        return true
    }

    private func moveOut() throws {
        if store == nil {
            let made = try makeStore()
            guard made.dims == dims else {
                throw ImagingError(
                    .mismatch, problem: "a store of \(made.dims) for labels of \(dims)",
                    remedy: "spill to a store of the same dimensions")
            }
            store = made
        }
        try writeChanges(to: store!)
        (slices, byteCount, holds) = ([], 0, false)
    }

    private func writeChanges(to store: any SliceStore) throws {
        guard slices.contains(where: { $0?.isChanged ?? false }) else { return }
        try withSlice { slice in
            for k in slices.indices {
                guard let runs = slices[k], runs.isChanged else { continue }
                if let base = slice.baseAddress { runs.fill(base, columns: 0..<dims.x, rows: 0..<dims.y) }
                try store.write(slice: k, from: UnsafeBufferPointer(slice))
                slices[k]!.isChanged = false
            }
        }
    }
}

/// The runs of one slice in 8 bytes each.
private struct PackedRuns {
    private struct Run {
        let start: UInt32
        /// A longer run is cut into several.
        let length, label: UInt16
    }

    private let runs: [Run]
    /// Runs `rows[j]..<rows[j + 1]` lie in row j; empty when there are no runs.
    private let rows: [UInt32]
    /// Whether the other store has something else.
    var isChanged: Bool

    static let runBytes = MemoryLayout<Run>.stride
    static let none = PackedRuns(runs: [], rows: [], isChanged: false)

    private init(runs: [Run], rows: [UInt32], isChanged: Bool) {
        (self.runs, self.rows, self.isChanged) = (runs, rows, isChanged)
    }

    init(_ source: LabelRuns, isChanged: Bool) {
        self.isChanged = isChanged
        let longest = Int32(UInt16.max)
        guard !source.runs.isEmpty else {
            (runs, rows) = ([], [])
            return
        }
        var packed: [Run] = []
        packed.reserveCapacity(source.runs.count)
        var rows = [UInt32](repeating: 0, count: source.height + 1)
        for j in 0..<source.height {
            for run in source.runs[source.rows[j]..<source.rows[j + 1]] where run.label != 0 {
                precondition(0 <= run.start && run.start < run.end && run.end <= source.width, "runs lie in their row")
                var start = run.start
                while run.end - start > longest {
                    packed.append(Run(start: UInt32(start), length: UInt16.max, label: run.label))
                    start += longest
                }
                packed.append(Run(start: UInt32(start), length: UInt16(run.end - start), label: run.label))
            }
            rows[j + 1] = UInt32(clamping: packed.count)
        }
        (runs, self.rows) = (packed, rows)
    }

    /// What an array takes beside its elements.
    private static let arrayHead = 32

    /// So many runs that `rows` cannot count them are more than any limit.
    var byteCount: Int {
        if runs.isEmpty { return 0 }
        guard runs.count <= Int(UInt32.max) else { return .max / 2 }
        return runs.count * PackedRuns.runBytes + rows.count * MemoryLayout<UInt32>.stride + 2 * PackedRuns.arrayHead
    }

    /// The greatest label, 0 without runs.
    var most: UInt16 { runs.reduce(0) { max($0, $1.label) } }

    func unpack(into target: inout LabelRuns) {
        target.removeAll()
        if runs.isEmpty { return }
        if target.width <= Int(UInt16.max) {
            // None has been cut.
            target.runs.append(
                contentsOf: runs.lazy.map {
                    let start = Int32(bitPattern: $0.start)
                    return LabelRun(start: start, end: start &+ Int32($0.length), label: $0.label)
                })
            for j in 0...target.height { target.rows[j] = Int(rows[j]) }
            return
        }
        for j in 0..<target.height {
            for run in runs[Int(rows[j])..<Int(rows[j + 1])] {
                let start = Int32(bitPattern: run.start)
                target.append(start, start &+ Int32(run.length), run.label, row: j)
            }
            target.endRow(j)
        }
    }

    /// Writes the voxels of these columns and rows, one after another.
    ///
    /// SAFETY: `target` has room for them, and they lie in the slice.
    func fill<Scalar: FixedWidthInteger & BitwiseCopyable>(
        _ target: UnsafeMutablePointer<Scalar>, columns: Range<Int>, rows wanted: Range<Int>
    ) {
        target.update(repeating: 0, count: columns.count * wanted.count)
        if runs.isEmpty { return }
        var row = target
        for j in wanted {
            for run in runs[Int(rows[j])..<Int(rows[j + 1])] {
                let start = max(Int(run.start), columns.lowerBound)
                let end = min(Int(run.start) + Int(run.length), columns.upperBound)
                if start >= end { continue }
                (row + (start - columns.lowerBound))
                    .update(repeating: Scalar(truncatingIfNeeded: run.label), count: end - start)
            }
            row += columns.count
        }
    }
}
