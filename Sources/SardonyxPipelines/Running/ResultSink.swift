import SardonyxImaging

/// Takes results slice by slice in working order and keeps them in the source's order, one value outside the grid's
/// results.
final class ResultSink<Scalar: BitwiseCopyable & ExpressibleByIntegerLiteral & Equatable> {
    let spill: SpillVolume<Scalar>
    private let grid: WorkingGrid
    /// Slices that are kept until they are written together: one where a slice lies in one piece of the file.
    private let blockCount: Int
    private let size: SIMD2<Int>
    private var block: [Scalar]
    private var turned: [Scalar]
    private var first = 0
    private var held = 0

    /// Bytes that a sink holds.
    static func byteCount(_ grid: WorkingGrid) -> Int {
        2 * MemoryLayout<Scalar>.stride * grid.result.size.x * grid.zoom.x * grid.result.size.y * grid.zoom.y
            * blockCount(grid)
    }

    private static func blockCount(_ grid: WorkingGrid) -> Int {
        grid.sourceAxis[2] == 2 ? 1 : min(32, grid.result.size.z * grid.zoom.z)
    }

    /// - Parameter outside: what stands outside the grid's results.
    init(_ grid: WorkingGrid, folder: String, outside: Scalar = 0) throws {
        self.grid = grid.refined()
        spill = try SpillVolume(
            dims: self.grid.sourceBox(VoxelBox(dims: self.grid.sourceDims)).upper, folder: folder)
        blockCount = ResultSink.blockCount(grid)
        size = SIMD2(self.grid.result.size.x, self.grid.result.size.y)
        block = [Scalar](repeating: 0, count: size.x * size.y * blockCount)
        turned = block
        if outside != 0, self.grid.result.size != self.grid.sourceDims {
            try spill.fill(with: outside)
        }
    }

    /// Takes slice `row` of the grid's results; rows ascend from 0.
    func take(_ row: Int, _ values: UnsafeBufferPointer<Scalar>) throws {
        if held == 0 { first = row }
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
        var box = grid.result
        box.lower.z += first
        box.upper.z = box.lower.z + held
        try block.withUnsafeBufferPointer { block in
            try turned.withUnsafeMutableBufferPointer { turned in
                grid.permute(
                    block.baseAddress!, turned.baseAddress!, size: SIMD3(size.x, size.y, held), toWorking: false,
                    .shared)
                try spill.write(grid.sourceBox(box), from: UnsafePointer(turned.baseAddress!))
            }
        }
        held = 0
    }
}
