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
    /// Voxels of a file on another grid that are in memory at once.
    var mostAtOnce = 1 << 20

    /// Bytes that reading holds.
    var byteCount: Int { onto == nil ? 0 : 4 * mostAtOnce }

    /// The voxels of a box of the study's grid, i fastest.
    ///
    /// - Throws: `ImagingError` `.blank` for a value that is not finite where those are refused.
    func read(_ box: VoxelBox, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        if let onto {
            try resample(box, of: onto, into: buffer)
        } else {
            try file.read(box, frame: frame, component: component, into: buffer)
        }
        if file.isFinite || SourceChannel.areFinite(buffer) { return }
        guard !refusesNonFinite else {
            throw ImagingError(
                .blank, path: file.path, problem: "it holds values that are not numbers, which the pipeline refuses",
                remedy: "repair the image, or set nonfinite: zero in the pipeline")
        }
        for index in buffer.indices where !buffer[index].isFinite { buffer[index] = 0 }
    }

    /// Whether none is infinite or no number: those alone times 0 are not 0.
    private static func areFinite(_ values: UnsafeMutableBufferPointer<Float>) -> Bool {
        guard let base = values.baseAddress else { return true }
        let whole = values.count & ~15
        var sum = SIMD16<Float>.zero
        for index in stride(from: 0, to: whole, by: 16) {
            // SAFETY: 16 values are left.
            sum += UnsafeRawPointer(base + index).loadUnaligned(as: SIMD16<Float>.self) * 0
        }
        return sum.sum() == 0 && values[whole...].allSatisfy(\.isFinite)
    }

    /// A box of `target`, in halves while it needs too much of the file: of an oblique one a slice cuts nearly all.
    private func resample(
        _ box: VoxelBox, of target: VoxelGrid, into buffer: UnsafeMutableBufferPointer<Float>
    ) throws {
        let plan = try GridResampling(from: file.grid, onto: target.cropped(to: box), by: .linear, outside: 0)
        let rows = 0..<box.size.z
        let needed = plan.source(for: rows)
        // Halves of slices, then of rows, follow one another in the buffer.
        let axis = box.size.z > 1 ? 2 : 1
        if needed.count > mostAtOnce, box.size[axis] > 1 {
            var (low, high) = (box, box)
            low.upper[axis] = box.lower[axis] + box.size[axis] / 2
            high.lower[axis] = low.upper[axis]
            try resample(low, of: target, into: UnsafeMutableBufferPointer(rebasing: buffer[..<low.count]))
            try resample(high, of: target, into: UnsafeMutableBufferPointer(rebasing: buffer[low.count...]))
            return
        }
        try withUnsafeTemporaryAllocation(of: Float.self, capacity: needed.count) { block in
            try file.read(needed, frame: frame, component: component, into: block)
            plan.resample(block.baseAddress!, holding: needed, onto: rows, into: buffer.baseAddress!)
        }
    }
}
