import SardonyxExecution
import SardonyxImaging

/// Takes results slice by slice in working order and hands them on in the source's order.
final class ResultSink<Scalar: BitwiseCopyable & ExpressibleByIntegerLiteral> {
    /// Takes a box of the source's voxels, i fastest.
    typealias Write = (_ box: VoxelBox, _ values: UnsafePointer<Scalar>) throws -> Void

    private let grid: WorkingGrid
    private let pool: WorkerPool
    private let write: Write
    /// Slices that are kept until they are written together: one where it is a slice of the source.
    private let blockCount: Int
    private let size: SIMD2<Int>
    private let goesStraight: Bool
    private var block: [Scalar]
    private var turned: [Scalar]
    private var first = 0
    private var held = 0

    /// Bytes that a sink holds.
    static func byteCount(_ grid: WorkingGrid) -> Int {
        if goesStraight(grid, blockCount(grid)) { return 0 }
        return 2 * MemoryLayout<Scalar>.stride * grid.result.size.x * grid.zoom.x * grid.result.size.y * grid.zoom.y
            * blockCount(grid)
    }

    /// Whether slices are handed on as they come.
    private static func goesStraight(_ grid: WorkingGrid, _ blockCount: Int) -> Bool {
        blockCount == 1 && grid.isInOrder
    }

    fileprivate static func blockCount(_ grid: WorkingGrid) -> Int {
        grid.goesBySourceSlices ? 1 : min(32, grid.result.size.z * grid.zoom.z)
    }

    /// - Parameter grid: refined (`WorkingGrid.refined`).
    fileprivate init(_ grid: WorkingGrid, blockCount: Int, _ pool: WorkerPool, write: @escaping Write) {
        (self.grid, self.pool, self.write, self.blockCount) = (grid, pool, write, blockCount)
        size = SIMD2(grid.result.size.x, grid.result.size.y)
        goesStraight = ResultSink.goesStraight(grid, blockCount)
        block = [Scalar](repeating: 0, count: goesStraight ? 0 : size.x * size.y * blockCount)
        turned = block
    }

    /// Takes slice `row` of the grid's results; rows ascend from 0.
    func take(_ row: Int, _ values: UnsafeBufferPointer<Scalar>) throws {
        if held == 0 { first = row }
        if goesStraight, let base = values.baseAddress {
            return try write(grid.sourceBox(box(1)), base)
        }
        block.withUnsafeMutableBufferPointer {
            _ = UnsafeMutableBufferPointer(rebasing: $0[held * values.count..<(held + 1) * values.count])
                .update(fromContentsOf: values)
        }
        held += 1
        if held == blockCount { try flush() }
    }

    /// Writes what is held.
    func flush() throws {
        guard held > 0 else { return }
        try block.withUnsafeBufferPointer { block in
            try turned.withUnsafeMutableBufferPointer { turned in
                grid.permute(
                    block.baseAddress!, turned.baseAddress!, size: SIMD3(size.x, size.y, held), toWorking: false, pool)
                try write(grid.sourceBox(box(held)), UnsafePointer(turned.baseAddress!))
            }
        }
        held = 0
    }

    /// The box of the results, in working indices, that `count` slices from the first one held on fill.
    private func box(_ count: Int) -> VoxelBox {
        var box = grid.result
        box.lower.z += first
        box.upper.z = box.lower.z + count
        return box
    }
}

/// Values on the source's grid, in a file without a name.
struct ValueSink {
    let volume: SpillVolume<Float>
    private let sink: ResultSink<Float>

    /// - Parameter outside: what stands outside the grid's results.
    init(_ grid: WorkingGrid, _ resources: Resources, outside: Float) throws {
        let (fine, volume) = (
            grid.refined(), try SpillVolume<Float>(dims: grid.refined().storedDims, folder: resources.folder)
        )
        if outside != 0, fine.result.size != fine.sourceDims { try volume.fill(with: outside) }
        self.volume = volume
        sink = ResultSink(fine, blockCount: ResultSink<Float>.blockCount(grid), resources.pool) {
            try volume.write($0, from: $1)
        }
    }

    /// Takes slice `row` of the grid's results; rows ascend from 0.
    func take(_ row: Int, _ values: UnsafeBufferPointer<Float>) throws { try sink.take(row, values) }

    /// Writes what is held.
    func flush() throws { try sink.flush() }
}

/// Labels on the source's grid, 0 outside the grid's results: runs while they are few, else in a file without a name.
struct LabelSink {
    let volume: RunStore
    private let sink: ResultSink<UInt16>

    /// Bytes that the runs of one of `count` may take, less for volumes so small that they would be no gain.
    private static func runBytes(_ grid: WorkingGrid, of count: Int) -> Int {
        let dims = grid.refined().sourceDims
        return min(RunStore.defaultByteLimit / max(1, count), 2 * dims.x * dims.y * dims.z)
    }

    /// Bytes that `count` of them hold, which take slices in turn.
    static func byteCount(_ grid: WorkingGrid, count: Int) -> Int {
        let (dims, runBytes) = (grid.refined().storedDims, runBytes(grid, of: count))
        let plane = dims.x * dims.y
        return count * (ResultSink<UInt16>.byteCount(grid) + runBytes + (fillsSlices(grid) ? 0 : 2 * plane))
            + 40 * min(plane, runBytes / 8) + 2 * plane
    }

    /// Whether results take whole slices of the source.
    private static func fillsSlices(_ grid: WorkingGrid) -> Bool {
        grid.goesBySourceSlices && grid.result.size.x == grid.sourceDims.x && grid.result.size.y == grid.sourceDims.y
    }

    /// - Parameter count: how many share the room for runs.
    init(_ grid: WorkingGrid, of count: Int, _ resources: Resources) throws {
        let (fine, limit) = (grid.refined(), LabelSink.runBytes(grid, of: count))
        let dims = fine.storedDims
        let blockCount = ResultSink<UInt16>.blockCount(grid)
        func file() throws -> SpillVolume<UInt16> { try SpillVolume(dims: dims, folder: resources.folder) }
        guard grid.goesBySourceSlices else {
            let spill = try file()
            volume = try RunStore(holding: spill, byteLimit: limit)
            sink = ResultSink(fine, blockCount: blockCount, resources.pool) { try spill.write($0, from: $1) }
            return
        }
        let volume = try RunStore(dims: dims, byteLimit: limit, spill: file)
        self.volume = volume
        let plane = dims.x * dims.y
        var slice = [UInt16](repeating: 0, count: LabelSink.fillsSlices(grid) ? 0 : plane)
        sink = ResultSink(fine, blockCount: 1, resources.pool) { box, values in
            let (k, size) = (box.lower.z, box.size)
            if slice.isEmpty {
                return try volume.write(slice: k, from: UnsafeBufferPointer(start: values, count: plane))
            }
            try slice.withUnsafeMutableBufferPointer { slice in
                for j in 0..<size.y {
                    // SAFETY: the box lies in the slice, and `values` holds its rows.
                    (slice.baseAddress! + (box.lower.y + j) * dims.x + box.lower.x)
                        .update(from: values + j * size.x, count: size.x)
                }
                try volume.write(slice: k, from: UnsafeBufferPointer(slice))
            }
        }
    }

    /// Takes slice `row` of the grid's results; rows ascend from 0.
    func take(_ row: Int, _ labels: UnsafeBufferPointer<UInt16>) throws { try sink.take(row, labels) }

    /// Writes what is held.
    func flush() throws { try sink.flush() }
}
