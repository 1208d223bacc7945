import SardonyxExecution
import SardonyxImaging

/// Slices of the network's grid, one after another, out of a source that stays in its files.
///
/// A slice of the source is read once and brought onto the network's x and y; the last `taps` of those are kept and
/// mixed along z. The same sums whatever part of the volume is asked for.
final class RowSource {
    let grid: WorkingGrid
    private let channel: SourceChannel
    /// What is done to the source's values before they are resampled.
    private let before: [IntensityChange]
    /// What is done after.
    private let after: [IntensityChange]
    /// 1 for the voxels of the foreground, in working order over the crop.
    private let foreground: SpillVolume<UInt16>?
    /// What the slices are held to after resampling.
    private let limits: ValueLimits?
    private let pool: WorkerPool
    private let plan: ResamplingPlan
    private var inside: [UInt16]
    /// Whether slices are the source's.
    private let isIdentity: Bool
    private var block: [Float]
    private var working: [Float]
    private var narrow: [Float]
    /// The last slices on the network's x and y, each at its row modulo their number.
    private var ring: [Float]
    private var ringRows: [Int]
    private var blockRows = 0..<0

    /// How many source slices are read at once: one where a slice lies in one piece of the file.
    private static func blockCount(_ grid: WorkingGrid) -> Int {
        grid.goesBySourceSlices ? 1 : min(16, grid.crop.size.z)
    }

    /// Bytes that a source holds.
    static func byteCount(_ grid: WorkingGrid, hasForeground: Bool) -> Int {
        let size = grid.crop.size
        let block = size.x * size.y * blockCount(grid)
        let narrow = grid.dims.x * size.y + grid.forward[2].taps * grid.dims.x * grid.dims.y
        return 4 * ((grid.isInOrder ? 1 : 2) * block + narrow) + (hasForeground ? 2 * block : 0)
    }

    init(
        _ channel: SourceChannel, on grid: WorkingGrid, before: [IntensityChange] = [], after: [IntensityChange] = [],
        foreground: SpillVolume<UInt16>? = nil, limits: ValueLimits? = nil, _ pool: WorkerPool
    ) {
        self.channel = channel
        self.grid = grid
        self.before = before
        self.after = after
        self.foreground = foreground
        self.limits = limits
        self.pool = pool
        plan = ResamplingPlan(grid.forward[0], grid.forward[1], grid.forward[2])
        isIdentity = grid.forward.allSatisfy(\.isIdentity)
        let size = grid.crop.size
        let rows = RowSource.blockCount(grid)
        working = [Float](repeating: 0, count: size.x * size.y * rows)
        block = grid.isInOrder ? [] : working
        inside = [UInt16](repeating: 1, count: foreground == nil ? 0 : working.count)
        narrow = [Float](repeating: 0, count: grid.dims.x * size.y)
        ring = [Float](repeating: 0, count: grid.forward[2].taps * grid.dims.x * grid.dims.y)
        ringRows = [Int](repeating: -1, count: grid.forward[2].taps)
    }

    /// Slice `z` of the network's grid, x fastest. Ascending order reads each slice of the source once.
    func slice(_ z: Int, into output: UnsafeMutablePointer<Float>) throws {
        let axis = grid.forward[2]
        let plane = grid.dims.x * grid.dims.y
        let target = UnsafeMutableBufferPointer(start: output, count: plane)
        defer { for change in after { change.apply(target, region: nil) } }
        if isIdentity {
            if !blockRows.contains(z) { try readBlock(z) }
            return working.withUnsafeBufferPointer {
                output.update(from: $0.baseAddress! + (z - blockRows.lowerBound) * plane, count: plane)
            }
        }
        let first = axis.first[z]
        for tap in 0..<axis.taps {
            let weight = axis.weights[z * axis.taps + tap]
            if weight == 0 && axis.taps > 1 { continue }
            let slot = (first + tap) % axis.taps
            if ringRows[slot] != first + tap {
                try load(first + tap, slot)
                ringRows[slot] = first + tap
            }
        }
        Taps.mix(ring, first: first, axis.weights[z * axis.taps..<(z + 1) * axis.taps], into: target, pool)
        limits?.apply(to: output, rows: z..<z + 1, of: plan)
    }

    private func readBlock(_ row: Int) throws {
        let size = grid.crop.size
        let count = RowSource.blockCount(grid)
        let start = row / count * count
        let rows = start..<min(start + count, size.z)
        var box = grid.crop
        box.lower.z = grid.crop.lower.z + rows.lowerBound
        box.upper.z = grid.crop.lower.z + rows.upperBound
        let amount = size.x * size.y * rows.count
        blockRows = 0..<0
        try block.withUnsafeMutableBufferPointer { block in
            try working.withUnsafeMutableBufferPointer { working in
                let target = grid.isInOrder ? working : block
                try channel.read(grid.sourceBox(box), into: UnsafeMutableBufferPointer(rebasing: target[..<amount]))
                if grid.isInOrder { return }
                grid.permute(
                    UnsafePointer(block.baseAddress!), working.baseAddress!, size: SIMD3(size.x, size.y, rows.count),
                    toWorking: true, pool)
            }
        }
        if let foreground, !before.isEmpty {
            try inside.withUnsafeMutableBufferPointer {
                try foreground.read(VoxelBox(slices: rows, of: size), into: $0.baseAddress!)
            }
        }
        working.withUnsafeMutableBufferPointer { working in
            inside.withUnsafeBufferPointer { inside in
                for change in before {
                    change.apply(
                        UnsafeMutableBufferPointer(rebasing: working[..<amount]), region: inside.isEmpty ? nil : inside)
                }
            }
        }
        blockRows = rows
    }

    private func load(_ row: Int, _ slot: Int) throws {
        if !blockRows.contains(row) { try readBlock(row) }
        let size = grid.crop.size
        let start = (row - blockRows.lowerBound) * size.x * size.y
        let plane = grid.dims.x * grid.dims.y
        working.withUnsafeBufferPointer { working in
            let source = UnsafeBufferPointer(rebasing: working[start..<start + size.x * size.y])
            ring.withUnsafeMutableBufferPointer { ring in
                let target = UnsafeMutableBufferPointer(rebasing: ring[slot * plane..<(slot + 1) * plane])
                narrow.withUnsafeMutableBufferPointer { narrow in
                    // SAFETY: buffers hold size.x · size.y, dims.x · size.y and dims.x · dims.y values.
                    Plane.resample(
                        source, width: size.x, height: size.y, grid.forward[0], grid.forward[1], scratch: narrow,
                        into: target, pool)
                }
            }
        }
    }
}
