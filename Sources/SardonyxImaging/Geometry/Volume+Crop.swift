extension VoxelGrid {
    /// The grid of the voxels in a box that holds one voxel at least (or it traps); it may reach beyond this grid. Each
    /// voxel stays where it is in the patient.
    public func cropped(to box: VoxelBox) -> VoxelGrid {
        VoxelGrid(
            dims: box.size,
            affine: affine.composed(after: Affine(spacing: SIMD3(1, 1, 1), origin: SIMD3<Double>(box.lower))))
    }

    /// More voxels before the first and after the last of each axis.
    public func padded(by before: SIMD3<Int>, _ after: SIMD3<Int>) -> VoxelGrid {
        cropped(to: box.padded(by: before, after))
    }
}

extension Volume {
    /// The voxels in a box that holds one voxel at least (or it traps). Where it reaches beyond the volume the value is
    /// `outside`: a crop, a pad, and (with the box of the larger grid) putting a crop back, in one.
    @_specialize(where Scalar == Float)
    @_specialize(where Scalar == UInt8)
    public func cropped(to box: VoxelBox, outside: Scalar = 0) -> Volume {
        let target = grid.cropped(to: box)
        var result = [Scalar](repeating: outside, count: target.count)
        let inner = box.intersection(grid.box)
        if inner.isEmpty { return Volume(grid: target, voxels: result) }
        let place = inner.relative(to: box.lower).lower
        result.withUnsafeMutableBufferPointer { output in
            voxels.withUnsafeBufferPointer { input in
                for k in 0..<inner.size.z {
                    for j in 0..<inner.size.y {
                        // SAFETY: `inner` lies in both grids.
                        let from = inner.lower.x + dims.x * (inner.lower.y + j + dims.y * (inner.lower.z + k))
                        let to = place.x + target.dims.x * (place.y + j + target.dims.y * (place.z + k))
                        (output.baseAddress! + to).update(from: input.baseAddress! + from, count: inner.size.x)
                    }
                }
            }
        }
        return Volume(grid: target, voxels: result)
    }

    /// More voxels, of value `outside`, before the first and after the last of each axis.
    public func padded(
        by before: SIMD3<Int>, _ after: SIMD3<Int>, outside: Scalar = 0
    ) -> Volume {
        cropped(to: grid.box.padded(by: before, after), outside: outside)
    }
}
