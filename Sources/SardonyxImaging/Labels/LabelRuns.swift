/// Neighbouring voxels of a row with one label.
struct LabelRun {
    /// The first voxel, and the one after the last.
    var start, end: Int32
    /// Whatever its user counts by; -1 at first.
    var number: Int32
    var label: UInt16
}

/// The runs of one slice, row by row: 16 bytes each, at most one a voxel.
struct LabelRuns {
    var runs: [LabelRun] = []
    /// Runs `rows[j]..<rows[j + 1]` lie in row j.
    var rows: [Int]

    init(height: Int) { rows = [Int](repeating: 0, count: height + 1) }

    /// Finds the runs of a slice; those of label 0 only when asked.
    mutating func scan(_ slice: UnsafeBufferPointer<UInt16>, width: Int, background: Bool = false) {
        precondition(slice.count == width * (rows.count - 1), "one value a voxel")
        runs.removeAll(keepingCapacity: true)
        for j in 0..<rows.count - 1 {
            rows[j] = runs.count
            // SAFETY: the slice holds `width` values from here on, and `i` never passes `width`.
            let row = slice.baseAddress! + j * width
            var i = 0
            while i < width {
                let start = i
                let label = row[i]
                i = LabelRuns.end(of: label, row, from: i, to: width)
                if label != 0 || background {
                    runs.append(LabelRun(start: Int32(start), end: Int32(i), number: -1, label: label))
                }
            }
        }
        rows[rows.count - 1] = runs.count
    }

    /// The first place at or after `i` whose value differs from `label`, four at a time.
    @inline(__always)
    private static func end(of label: UInt16, _ row: UnsafePointer<UInt16>, from: Int, to width: Int) -> Int {
        var i = from
        let pattern = UInt64(label) &* 0x0001_0001_0001_0001
        while i + 4 <= width {
            let difference = UnsafeRawPointer(row + i).loadUnaligned(as: UInt64.self) ^ pattern
            if difference != 0 { return i + difference.trailingZeroBitCount / 16 }
            i += 4
        }
        while i < width, row[i] == label { i += 1 }
        return i
    }
}
