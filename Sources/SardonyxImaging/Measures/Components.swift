/// The connected parts of a mask; voxels touch by their faces (6 neighbours), as in SciPy's `label`.
public struct Components: Sendable, Equatable {
    /// 0 outside, else 1…count, numbered by each part's first voxel in memory order.
    public let labels: Volume<Int32>
    /// Voxels in each part; `sizes[0]` belongs to label 1.
    public let sizes: [Int]

    /// Number of parts.
    public var count: Int { sizes.count }

    /// Finds the parts of the voxels that are not 0. Memory: 4 bytes a voxel and the tables of
    /// `StreamingComponents`, without a limit.
    public init(of mask: Mask) {
        let store = MemorySliceStore(mask: mask)
        let plane = mask.dims.x * mask.dims.y
        var found = StreamingComponents(dims: mask.dims, tableLimit: .max)
        var labels = [Int32](repeating: 0, count: mask.grid.count)
        store.volume.voxels.withUnsafeBufferPointer { voxels in
            do {
                for k in 0..<mask.dims.z { try found.add(.init(rebasing: voxels[k * plane..<(k + 1) * plane])) }
                found.finish()
                for k in 0..<mask.dims.z {
                    try found.relabel(.init(rebasing: voxels[k * plane..<(k + 1) * plane])) { j, run, part in
                        let row = k * plane + j * mask.dims.x
                        for i in run { labels[row + i] = Int32(part + 1) }
                    }
                }
            } catch {
                preconditionFailure("more parts than 32 bits count")
            }
        }
        self.labels = Volume<Int32>(grid: mask.grid, voxels: labels)
        sizes = found.parts.map { $0.size }
    }

    /// The voxels of the largest part; of equals the first. Empty when there is none.
    public func largest() -> Mask {
        guard let most = sizes.max() else { return Mask(grid: labels.grid) }
        let label = Int32(sizes.firstIndex(of: most)! + 1)
        return Mask(grid: labels.grid, voxels: labels.voxels.map { $0 == label ? 1 : 0 })
    }
}

extension Volume where Scalar == UInt8 {
    /// Only the largest connected part (faces touch), as 1.
    public func largestComponent() -> Mask { cleaned(.largestComponent()) }

    /// Fills what is outside and cannot be reached from the border of the grid through faces, as SciPy's
    /// `binary_fill_holes`; 1 inside.
    public func fillingHoles() -> Mask { cleaned(.fillHoles()) }

    private func cleaned(_ step: LabelCleaning) -> Mask {
        let store = MemorySliceStore(mask: self)
        do {
            try LabelCleaning.apply([step], to: store, voxelVolume: grid.voxelVolume, tableLimit: .max)
        } catch {
            preconditionFailure("more parts than 32 bits count")
        }
        return Mask(grid: grid, voxels: store.volume.voxels.map { UInt8($0) })
    }
}
