/// Neighbouring voxels of a row with one label.
public struct LabelRun: Sendable, Equatable {
    /// The first voxel, and the one after the last.
    public internal(set) var start, end: Int32
    /// Whatever its user counts by; -1 at first.
    var number: Int32
    /// The label, not 0 but where the background is asked for.
    public internal(set) var label: UInt16

    init(start: Int32, end: Int32, number: Int32 = -1, label: UInt16) {
        (self.start, self.end, self.number, self.label) = (start, end, number, label)
    }
}

/// The runs of one slice, row by row and left to right, each as long as can be: 16 bytes each, at most one a voxel.
public struct LabelRuns: Sendable {
    /// Voxels of a row, and rows.
    public let width, height: Int
    /// All runs of the slice.
    public internal(set) var runs: [LabelRun] = []
    /// Runs `rows[j]..<rows[j + 1]` lie in row j.
    public internal(set) var rows: [Int]
    /// A slice, where runs come from one that is read.
    private var voxels: [UInt16] = []

    /// No runs. `width` is at most 2³¹ - 1.
    public init(width: Int, height: Int) {
        precondition((0...Int(Int32.max)).contains(width), "places in a row count in 32 bits")
        (self.width, self.height) = (width, height)
        rows = [Int](repeating: 0, count: height + 1)
    }

    /// Forgets all runs.
    mutating func removeAll() {
        runs.removeAll(keepingCapacity: true)
        rows.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
    }

    /// Row j ends here; rows end in order.
    @inline(__always)
    mutating func endRow(_ j: Int) { rows[j + 1] = runs.count }

    /// Adds voxels to row j, the one after the last that has ended; those that go on from the last run with its label
    /// make that run longer.
    @inline(__always)
    mutating func append(_ start: Int32, _ end: Int32, _ label: UInt16, row j: Int) {
        let last = runs.count - 1
        if last >= rows[j], runs[last].end == start, runs[last].label == label {
            runs[last].end = end
        } else {
            runs.append(LabelRun(start: start, end: end, label: label))
        }
    }

    /// Finds the runs of a slice of `width` · `height` labels; those of label 0 only when asked.
    public mutating func scan(_ slice: UnsafeBufferPointer<UInt16>, background: Bool = false) {
        _ = scan(slice, background: background, most: .max)
    }

    /// As above; false, and only some of them, as soon as a row ends with more than `most` runs.
    mutating func scan(_ slice: UnsafeBufferPointer<UInt16>, background: Bool = false, most: Int) -> Bool {
        precondition(slice.count == width * height, "one value a voxel")
        runs.removeAll(keepingCapacity: true)
        guard let base = slice.baseAddress else {
            removeAll()
            return true
        }
        for j in 0..<height {
            // SAFETY: the slice holds `width` values from here on, and `i` never passes `width`.
            let row = base + j * width
            var i = 0
            while i < width {
                let start = i
                let label = row[i]
                i = LabelRuns.end(of: label, row, from: i, to: width)
                if label != 0 || background {
                    let (first, end) = (Int32(truncatingIfNeeded: start), Int32(truncatingIfNeeded: i))
                    runs.append(LabelRun(start: first, end: end, label: label))
                }
            }
            rows[j + 1] = runs.count
            if runs.count > most { return false }
        }
        return true
    }

    /// Finds the runs of the slice that `read` fills a buffer with; the buffer stays for the next.
    mutating func scan(reading read: (UnsafeMutableBufferPointer<UInt16>) throws -> Void) throws {
        var slice = voxels
        voxels = []
        if slice.isEmpty { slice = [UInt16](repeating: 0, count: width * height) }
        defer { voxels = slice }
        try slice.withUnsafeMutableBufferPointer {
            try read($0)
            scan(UnsafeBufferPointer($0))
        }
    }

    /// Takes the runs of another slice of the same size, their numbers -1; and what lies between them as runs of label
    /// 0 when asked.
    mutating func take(_ other: LabelRuns, background: Bool) {
        precondition(other.width == width && other.height == height, "slices of one size")
        runs.removeAll(keepingCapacity: true)
        guard background else {
            runs.append(contentsOf: other.runs)
            rows.withUnsafeMutableBufferPointer { _ = $0.update(fromContentsOf: other.rows) }
            return
        }
        let width = Int32(width)
        for j in 0..<height {
            var place: Int32 = 0
            for run in other.runs[other.rows[j]..<other.rows[j + 1]] where run.label != 0 {
                if run.start > place { runs.append(LabelRun(start: place, end: run.start, label: 0)) }
                runs.append(LabelRun(start: run.start, end: run.end, label: run.label))
                place = run.end
            }
            if place < width { runs.append(LabelRun(start: place, end: width, label: 0)) }
            rows[j + 1] = runs.count
        }
    }

    /// Writes the slice's `width` · `height` labels.
    func fill(_ slice: UnsafeMutableBufferPointer<UInt16>) {
        precondition(slice.count == width * height, "one value a voxel")
        slice.update(repeating: 0)
        for j in 0..<height {
            for run in runs[rows[j]..<rows[j + 1]] {
                slice[j * width + Int(run.start)..<j * width + Int(run.end)].update(repeating: run.label)
            }
        }
    }

    /// The first place at or after `i` whose value differs from `label`, sixteen at a time, then four.
    @inline(__always)
    private static func end(of label: UInt16, _ row: UnsafePointer<UInt16>, from: Int, to width: Int) -> Int {
        var i = from
        let pattern = UInt64(label) &* 0x0001_0001_0001_0001
        let wide = SIMD2(repeating: pattern)
        while i + 16 <= width {
            let two = UnsafeRawPointer(row + i)
            let difference =
                (two.loadUnaligned(as: SIMD2<UInt64>.self) ^ wide)
                | (two.loadUnaligned(fromByteOffset: 16, as: SIMD2<UInt64>.self) ^ wide)
            if difference[0] | difference[1] != 0 { break }
            i += 16
        }
        while i + 4 <= width {
            let difference = UnsafeRawPointer(row + i).loadUnaligned(as: UInt64.self) ^ pattern
            if difference != 0 { return i + difference.trailingZeroBitCount / 16 }
            i += 4
        }
        while i < width, row[i] == label { i += 1 }
        return i
    }
}
