/// Counts labels as they are stored, run by run.
struct LabelTally {
    /// Voxels of each label, as far as labels have been met; none of label 0.
    private(set) var counts: [Int] = []
    private let dims: SIMD3<Int>
    /// By how much each column has more labelled voxels than the one before.
    private var rises: [Int]
    private var rows: [Int]
    private var slices: [Int]

    init(_ dims: SIMD3<Int>) {
        self.dims = dims
        rises = [Int](repeating: 0, count: dims.x + 1)
        rows = [Int](repeating: 0, count: dims.y)
        slices = [Int](repeating: 0, count: dims.z)
    }

    /// Labelled voxels of each plane across i, j and k.
    var along: [[Int]] {
        var columns = rises
        for i in 1..<columns.count { columns[i] += columns[i - 1] }
        return [Array(columns.dropLast()), rows, slices]
    }

    private mutating func add(_ label: Int, _ start: Int, _ end: Int, _ j: Int, _ k: Int) {
        if label == 0 { return }
        if label >= counts.count { counts += [Int](repeating: 0, count: label + 1 - counts.count) }
        counts[label] += end - start
        rises[start] += 1
        rises[end] -= 1
        rows[j] += end - start
        slices[k] += end - start
    }

    /// Counts the runs of slice `k`.
    mutating func add(_ runs: LabelRuns, _ k: Int) {
        precondition(runs.rows.count == dims.y + 1, "the runs of a slice of the grid")
        runs.runs.withUnsafeBufferPointer { all in
            for j in 0..<dims.y {
                for run in all[runs.rows[j]..<runs.rows[j + 1]] {
                    add(Int(run.label), Int(run.start), Int(run.end), j, k)
                }
            }
        }
    }

    /// Counts whole slices.
    ///
    /// - Throws: `ImagingError` `.mismatch` for what is no label.
    mutating func add(_ slab: VoxelSlab) throws {
        let floats = VoxelDecoder(type: .float32, swapped: false, scaling: nil)
        let line = UnsafeMutablePointer<Float>.allocate(capacity: dims.x)
        defer { line.deallocate() }
        for k in slab.slices {
            for j in slab.rows {
                // SAFETY: the slab holds rows of dims.x voxels, side by side or else brought together in `line`.
                if slab.steps.x == slab.decoder.type.bytes {
                    try add(slab.address(0, j, k), slab.decoder, j, k)
                } else {
                    slab.read(0, j, k, count: dims.x, along: 0, into: line)
                    try add(UnsafeRawPointer(line), floats, j, k)
                }
            }
        }
    }

    /// Counts a row of stored voxels. SAFETY: there are dims.x of them, side by side.
    private mutating func add(_ row: UnsafeRawPointer, _ decoder: VoxelDecoder, _ j: Int, _ k: Int) throws {
        let width = decoder.type.bytes
        var start = 0
        while start < dims.x {
            var value: Float = 0
            decoder.decode(row + start * width, step: width, count: 1, into: &value)
            let end = LabelTally.end(row, width, from: start, to: dims.x)
            add(try LabelSurvey.label(value), start, end, j, k)
            start = end
        }
    }

    /// The first voxel behind `start` that is stored otherwise than its neighbour before it, eight bytes at a time.
    private static func end(_ row: UnsafeRawPointer, _ width: Int, from start: Int, to count: Int) -> Int {
        var byte = start * width
        let last = (count - 1) * width
        while byte + 8 <= last {
            let here = row.loadUnaligned(fromByteOffset: byte, as: UInt64.self)
            let difference = here ^ row.loadUnaligned(fromByteOffset: byte + width, as: UInt64.self)
            if difference != 0 { return (byte + difference.trailingZeroBitCount / 8) / width + 1 }
            byte += 8
        }
        while byte < last {
            let next = row.load(fromByteOffset: byte + width, as: UInt8.self)
            if row.load(fromByteOffset: byte, as: UInt8.self) != next { return byte / width + 1 }
            byte += 1
        }
        return count
    }
}
