/// Stored voxels at one distance along all axes.
struct VoxelLattice {
    var step = 1
    /// Its first voxel, and how many there are along i, j, k.
    var first = SIMD3<Int>.zero
    var counts = SIMD3<Int>.zero

    /// The voxels along k, counted from its first, that lie in some slices.
    private func layers(_ slices: Range<Int>) -> Range<Int> {
        func count(below k: Int) -> Int { min(counts.z, max(0, (k - first.z + step - 1) / step)) }
        return count(below: slices.lowerBound)..<count(below: slices.upperBound)
    }

    /// The rows in which it has voxels of some slices.
    func rows(of slices: Range<Int>) -> Range<Int> {
        layers(slices).isEmpty ? 0..<0 : first.y..<(first.y + step * (counts.y - 1) + 1)
    }

    /// Writes its voxels of a slab behind `filled` values.
    func append(_ slab: VoxelSlab, to values: UnsafeMutableBufferPointer<Float>, _ filled: inout Int) {
        for layer in layers(slab.slices) {
            for row in 0..<counts.y {
                // SAFETY: `values` has room for all voxels of the lattice; they lie in the grid.
                let target = values.baseAddress! + filled
                slab.read(
                    first.x, first.y + row * step, first.z + layer * step, count: counts.x, along: 0, stride: step,
                    into: target)
                filled += counts.x
            }
        }
    }
}
