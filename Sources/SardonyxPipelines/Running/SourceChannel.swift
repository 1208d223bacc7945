import SardonyxImaging

/// One channel of a study: voxels of a file on the study's grid, as numbers that are finite.
struct SourceChannel: Sendable {
    let file: VolumeFile
    let frame: Int
    let component: Int
    /// What a file on another grid is resampled onto, in place of its own; `nil` when it lies on the study's.
    let onto: VoxelGrid?
    /// Whether a value that is not finite is an error rather than 0.
    let refusesNonFinite: Bool

    /// The voxels of a box of the study's grid, i fastest.
    ///
    /// - Throws: `ImagingError` `.blank` for a value that is not finite where those are refused.
    func read(_ box: VoxelBox, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        if let onto {
            let grid = try GridResampling(
                from: file.grid, onto: onto.cropped(to: box), by: .linear, outside: 0)
            let rows = 0..<grid.target.dims.z
            let needed = grid.source(for: rows)
            try withUnsafeTemporaryAllocation(of: Float.self, capacity: needed.count) { block in
                try file.read(needed, frame: frame, component: component, into: block)
                grid.resample(block.baseAddress!, holding: needed, onto: rows, into: buffer.baseAddress!)
            }
        } else {
            try file.read(box, frame: frame, component: component, into: buffer)
        }
        var found: UInt32 = 0
        for value in buffer { found |= value.bitPattern & 0x7FFF_FFFF >= 0x7F80_0000 ? 1 : 0 }
        if found == 0 { return }
        guard !refusesNonFinite else {
            throw ImagingError(
                .blank, path: file.path, problem: "it holds values that are not numbers, which the pipeline refuses",
                remedy: "repair the image, or set nonfinite: zero in the pipeline")
        }
        for index in buffer.indices where !buffer[index].isFinite { buffer[index] = 0 }
    }
}
