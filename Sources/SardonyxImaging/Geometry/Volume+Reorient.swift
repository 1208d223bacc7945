extension VoxelGrid {
    /// For each axis of the result, the axis it is read from and whether it is reversed.
    package func route(to orientation: Orientation) -> [(axis: Int, isReversed: Bool)] {
        let from = self.orientation.directions
        return orientation.directions.map { wanted in
            let axis = from.firstIndex { $0.axis == wanted.axis }!
            return (axis, from[axis] != wanted)
        }
    }

    /// The grid whose voxel axes are permuted and reversed to point to `orientation`; each voxel stays where it is.
    public func reoriented(to orientation: Orientation) -> VoxelGrid {
        let route = route(to: orientation)
        var newDims = SIMD3<Int>(1, 1, 1)
        var columns: [SIMD3<Double>] = []
        var origin = affine.column(3)
        for (target, source) in route.enumerated() {
            newDims[target] = dims[source.axis]
            let step = affine.column(source.axis)
            columns.append(source.isReversed ? -step : step)
            if source.isReversed { origin += step * Double(dims[source.axis] - 1) }
        }
        return VoxelGrid(
            dims: newDims, affine: Affine(columns: columns[0], columns[1], columns[2], origin: origin))
    }
}

extension Volume {
    /// The same voxels in another order, so that i, j, k grow towards `orientation`. Values are moved, never computed:
    /// there and back gives the same bits. Oblique grids stay oblique.
    @_specialize(where Scalar == Float)
    @_specialize(where Scalar == UInt8)
    public func reoriented(to orientation: Orientation = .ras) -> Volume {
        let target = grid.reoriented(to: orientation)
        if orientation == grid.orientation { return self }
        let strides = [1, dims.x, dims.x * dims.y]
        var start = 0
        var steps = [0, 0, 0]
        for (axis, source) in grid.route(to: orientation).enumerated() {
            let stride = strides[source.axis]
            steps[axis] = source.isReversed ? -stride : stride
            if source.isReversed { start += stride * (dims[source.axis] - 1) }
        }
        let (nx, ny, nz) = (target.dims.x, target.dims.y, target.dims.z)
        let (dx, dy, dz) = (steps[0], steps[1], steps[2])
        let result = [Scalar](unsafeUninitializedCapacity: target.count) { output, filled in
            voxels.withUnsafeBufferPointer { input in
                var o = 0
                for k in 0..<nz {
                    for j in 0..<ny {
                        var s = start + k * dz + j * dy
                        for _ in 0..<nx {
                            // SAFETY: s walks a permutation of the source's indices, o counts from 0 to count - 1.
                            output[o] = input[s]
                            o += 1
                            s += dx
                        }
                    }
                }
            }
            filled = target.count
        }
        return Volume(grid: target, voxels: result)
    }
}
