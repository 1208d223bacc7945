/// Which neighbours connect voxels of one label.
public enum Connectivity: Int, Sendable, CaseIterable {
    /// Those that share a face, as `scipy.ndimage.label` does.
    case faces = 6
    /// Those that share a face, an edge or a corner, as `skimage.measure.label` does.
    case full = 26
}

/// The connected parts of each label of a volume that comes slice by slice; parts of different labels never join.
///
/// Two passes over the same slices: `add` each of them in order, `finish`, then `relabel` each of them in order.
/// Memory: 16 bytes a run of two slices (three where the background is tracked), 4 bytes for each provisional number (a
/// run that touches no earlier one gets a new number) and 68 bytes for each part that is alive at once; the last two are
/// held to `tableLimit`. While a table grows it may take up to three times its size.
public struct StreamingComponents: Sendable {
    /// One connected part.
    public struct Part: Sendable, Equatable {
        /// Number of voxels.
        public fileprivate(set) var size: Int
        /// The first of its voxels in memory order, i + dims.x · (j + dims.y · k).
        public fileprivate(set) var first: Int
        /// Its bounding box: the least i, j, k.
        public fileprivate(set) var lower: SIMD3<Int32>
        /// Its bounding box: the greatest i, j, k.
        public fileprivate(set) var upper: SIMD3<Int32>
        /// The label of the voxels whose faces touch a part of the background: `none`, one label, or `several`.
        var neighbour: Int32
        /// The label of its voxels.
        public let label: UInt16

        static let none: Int32 = -1
        static let several: Int32 = -2
    }

    /// What parts are made of.
    enum Tracking: Sendable, Equatable {
        /// Voxels of these labels, of every label but 0 when empty.
        case labels(Set<UInt16>)
        /// Voxels of label 0; what else they touch is noted.
        case background
    }

    private let dims: SIMD3<Int>
    private let connectivity: Connectivity
    private let isBackground: Bool
    /// One flag a label; empty means all.
    private var isTracked: [Bool] = []
    private let tableLimit: Int
    private(set) var current: LabelRuns
    private var earlier: LabelRuns
    /// A slice without its background, where that is tracked.
    private var labelled: LabelRuns?
    private var k = 0
    private var provisional = 0
    /// For each provisional number: an earlier one of its part, or ~slot if it is the part's first; after `finish`
    /// the part's index.
    private var table: [Int32] = []
    private var slots: [Part] = []
    private var freeSlots: [Int32] = []
    private var isFinished = false

    /// Parts in the order of their first voxels; set by `finish`.
    public private(set) var parts: [Part] = []

    /// - Parameters:
    ///   - dims: Voxels along i, j, k.
    ///   - connectivity: Which neighbours connect.
    ///   - labels: The labels whose parts are sought; empty means all but 0.
    ///   - tableLimit: Bytes that the tables of numbers and parts may take.
    public init(
        dims: SIMD3<Int>, connectivity: Connectivity = .faces, labels: Set<UInt16> = [],
        tableLimit: Int = StreamingComponents.defaultTableLimit
    ) {
        self.init(dims: dims, connectivity: connectivity, tracking: .labels(labels), tableLimit: tableLimit)
    }

    /// 128 MiB: about two million parts.
    public static let defaultTableLimit = 128 << 20

    init(dims: SIMD3<Int>, connectivity: Connectivity, tracking: Tracking, tableLimit: Int) {
        precondition((0..<3).allSatisfy { dims[$0] > 0 && dims[$0] <= Int32.max }, "each dimension is 1 to 2³¹ - 1")
        self.dims = dims
        self.connectivity = connectivity
        self.tableLimit = tableLimit
        isBackground = tracking == .background
        if case .labels(let labels) = tracking, !labels.isEmpty {
            isTracked = (0...UInt16.max).map { labels.contains($0) && $0 != 0 }
        }
        current = LabelRuns(width: dims.x, height: dims.y)
        earlier = current
    }

    /// First pass: the next slice, dims.x · dims.y labels, i fastest.
    ///
    /// - Throws: `ImagingError` `.tooLarge` when the tables pass the limit.
    public mutating func add(_ slice: UnsafeBufferPointer<UInt16>) throws {
        next()
        current.scan(slice, background: isBackground)
        try number(collects: true)
    }

    /// First pass: the runs of the next slice, without those of label 0.
    ///
    /// - Throws: `ImagingError` `.tooLarge` when the tables pass the limit.
    public mutating func add(_ runs: LabelRuns) throws {
        next()
        current.take(runs, background: isBackground)
        try number(collects: true)
    }

    /// First pass: the next slice, from a store.
    ///
    /// - Throws: as with runs; what the store throws.
    mutating func add(from store: some SliceStore) throws {
        next()
        try read(store)
        try number(collects: true)
    }

    /// Ends the first pass after the last slice: `parts` is set.
    public mutating func finish() {
        precondition(!isFinished && k == dims.z, "every slice first")
        for n in table.indices {
            if table[n] < 0 {
                parts.append(slots[Int(~table[n])])
                table[n] = Int32(parts.count - 1)
            } else {
                // An earlier number of the part, which has its index already.
                table[n] = table[Int(table[n])]
            }
        }
        slots = []
        freeSlots = []
        isFinished = true
        k = 0
        provisional = 0
    }

    /// Second pass: the same slices again. Calls `body` for each run of a part: row j, voxels start..<end along i, and
    /// the index of its part in `parts`. May be repeated from the first slice on after the last.
    public mutating func relabel(
        _ slice: UnsafeBufferPointer<UInt16>, _ body: (_ j: Int, _ run: Range<Int>, _ part: Int) throws -> Void
    ) throws {
        next()
        current.scan(slice, background: isBackground)
        try number(collects: false)
        for j in 0..<dims.y {
            for run in current.runs[current.rows[j]..<current.rows[j + 1]] where run.number >= 0 {
                try body(j, Int(run.start)..<Int(run.end), Int(run.number))
            }
        }
    }

    /// Second pass: afterwards `current` holds the slice's runs, their `number` the index of their part or -1.
    mutating func relabel(_ runs: LabelRuns) throws {
        next()
        current.take(runs, background: isBackground)
        try number(collects: false)
    }

    /// Second pass: the next slice, from a store.
    mutating func relabel(from store: some SliceStore) throws {
        next()
        try read(store)
        try number(collects: false)
    }

    /// Makes `current` the slice before, for the next to take its place.
    private mutating func next() {
        if k == dims.z, isFinished {
            k = 0
            provisional = 0
        }
        precondition(k < dims.z, "each slice once")
        swap(&current, &earlier)
    }

    private mutating func read(_ store: some SliceStore) throws {
        guard isBackground else { return try store.read(slice: k, into: &current) }
        if labelled == nil { labelled = LabelRuns(width: dims.x, height: dims.y) }
        try store.read(slice: k, into: &labelled!)
        current.take(labelled!, background: true)
    }

    /// Gives each run a provisional number: that of the first earlier run of its part that it touches, else a new one.
    /// Both passes see the same new numbers in the same order; only the first joins parts and counts, and the second
    /// gives the part's index in the number's stead.
    private mutating func number(collects: Bool) throws {
        precondition(isFinished != collects, "every slice first, then finish, then relabel")
        defer { k += 1 }
        if current.runs.isEmpty { return }
        for j in 0..<dims.y {
            let row = current.rows[j]..<current.rows[j + 1]
            if row.isEmpty { continue }
            if j > 0 { link(row, current.rows[j - 1]..<row.lowerBound, inEarlierSlice: false, collects) }
            if k > 0 {
                let reach = connectivity == .full ? 1 : 0
                for other in max(0, j - reach)...min(dims.y - 1, j + reach) {
                    link(row, earlier.rows[other]..<earlier.rows[other + 1], inEarlierSlice: true, collects)
                }
            }
            for r in row where current.runs[r].number < 0 && tracks(current.runs[r].label) {
                current.runs[r].number = collects ? Int32(provisional) : table[provisional]
                provisional += 1
                if collects { try open(current.runs[r], j) }
            }
            if collects { count(row, j) }
        }
    }

    private func tracks(_ label: UInt16) -> Bool {
        isBackground ? label == 0 : isTracked.isEmpty || isTracked[Int(label)]
    }

    /// Connects the runs of a row with those of an earlier one.
    private mutating func link(_ row: Range<Int>, _ others: Range<Int>, inEarlierSlice: Bool, _ collects: Bool) {
        let reach: Int32 = connectivity == .full ? 1 : 0
        var first = others.lowerBound
        for a in row {
            let run = current.runs[a]
            guard tracks(run.label) else { continue }
            var number = run.number
            var b = first
            while b < others.upperBound {
                let other = inEarlierSlice ? earlier.runs[b] : current.runs[b]
                if other.start >= run.end + reach { break }
                if other.end + reach <= run.start {
                    // It lies before all that follow, too.
                    first = b + 1
                } else if other.label == run.label {
                    if number < 0 {
                        number = other.number
                    } else if collects, number != other.number {
                        join(number, other.number)
                    }
                }
                b += 1
            }
            current.runs[a].number = number
        }
    }

    private mutating func root(_ number: Int32) -> Int {
        var n = Int(number)
        while table[n] >= 0 {
            let next = Int(table[n])
            if table[next] >= 0 { table[n] = table[next] }
            n = next
        }
        return n
    }

    private mutating func join(_ a: Int32, _ b: Int32) {
        let (p, q) = (root(a), root(b))
        if p == q { return }
        // The smaller number wins: it is the one that comes first in memory.
        let (winner, loser) = (min(p, q), max(p, q))
        let (slot, freed) = (Int(~table[winner]), Int(~table[loser]))
        let gone = slots[freed]
        slots[slot].size += gone.size
        slots[slot].lower = pointwiseMin(slots[slot].lower, gone.lower)
        slots[slot].upper = pointwiseMax(slots[slot].upper, gone.upper)
        note(gone.neighbour, slot)
        freeSlots.append(Int32(freed))
        table[loser] = Int32(winner)
    }

    /// A new number and, for now, a part of its own.
    private mutating func open(_ run: LabelRun, _ j: Int) throws {
        let (numbers, alive) = (table.count + 1, slots.count + (freeSlots.isEmpty ? 1 : 0))
        guard numbers * 4 + alive * (MemoryLayout<Part>.stride + 4) <= tableLimit, numbers < Int32.max else {
            throw ImagingError(
                .tooLarge,
                problem: "the labels fall into so many parts (\(slots.count - freeSlots.count) by slice \(k)) that "
                    + "their table passes \(Format.bytes(UInt64(max(0, tableLimit))))",
                remedy: "smooth the labels, or look at why they are so scattered")
        }
        let at = SIMD3(run.start, Int32(j), Int32(k))
        let part = Part(
            size: 0, first: Int(run.start) + dims.x * (j + dims.y * k), lower: at, upper: at, neighbour: Part.none,
            label: run.label)
        if let slot = freeSlots.popLast() {
            slots[Int(slot)] = part
            table.append(~slot)
        } else {
            table.append(~Int32(slots.count))
            slots.append(part)
        }
    }

    private mutating func count(_ row: Range<Int>, _ j: Int) {
        for r in row where current.runs[r].number >= 0 {
            let run = current.runs[r]
            let slot = Int(~table[root(run.number)])
            slots[slot].size += Int(run.end - run.start)
            slots[slot].lower = pointwiseMin(slots[slot].lower, SIMD3(run.start, Int32(j), Int32(k)))
            slots[slot].upper = pointwiseMax(slots[slot].upper, SIMD3(run.end - 1, Int32(j), Int32(k)))
        }
        guard isBackground else { return }
        for r in row.dropFirst() { touch(current.runs[r - 1], current.runs[r]) }
        if j > 0 { noteNeighbours(row, current, current.rows[j - 1]..<row.lowerBound) }
        if k > 0 { noteNeighbours(row, earlier, earlier.rows[j]..<earlier.rows[j + 1]) }
    }

    /// Rows of background tracking hold every voxel, so the runs that overlap follow each other.
    private mutating func noteNeighbours(_ row: Range<Int>, _ runs: LabelRuns, _ others: Range<Int>) {
        var (a, b) = (row.lowerBound, others.lowerBound)
        while a < row.upperBound, b < others.upperBound {
            let (one, two) = (current.runs[a], runs.runs[b])
            touch(one, two)
            if one.end <= two.end { a += 1 }
            if two.end <= one.end { b += 1 }
        }
    }

    private mutating func touch(_ a: LabelRun, _ b: LabelRun) {
        guard (a.label == 0) != (b.label == 0) else { return }
        let (part, other) = a.label == 0 ? (a.number, b.label) : (b.number, a.label)
        note(Int32(other), Int(~table[root(part)]))
    }

    private mutating func note(_ neighbour: Int32, _ slot: Int) {
        if neighbour == Part.none || neighbour == slots[slot].neighbour { return }
        slots[slot].neighbour = slots[slot].neighbour == Part.none ? neighbour : Part.several
    }
}
