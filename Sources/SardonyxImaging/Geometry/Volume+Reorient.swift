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
    @_specialize(where Scalar == Int16)
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
        // Where the source's lines become columns, 16 of them are walked side by side: each piece of memory that the
        // cache fetches is then used whole.
        let blocked = abs(steps[2]) == 1 ? 2 : 1
        let other = 3 - blocked
        let places = [1, target.dims.x, target.dims.x * target.dims.y]
        let (nx, dx) = (target.dims.x, steps[0])
        let result = [Scalar](unsafeUninitializedCapacity: target.count) { output, filled in
            voxels.withUnsafeBufferPointer { input in
                for a in 0..<target.dims[other] {
                    for block in stride(from: 0, to: target.dims[blocked], by: 16) {
                        for b in block..<min(block + 16, target.dims[blocked]) {
                            var s = start + a * steps[other] + b * steps[blocked]
                            let o = a * places[other] + b * places[blocked]
                            for i in 0..<nx {
                                // SAFETY: s walks a permutation of the source's indices, o + i all of the result's.
                                output[o + i] = input[s]
                                s += dx
                            }
                        }
                    }
                }
            }
            filled = target.count
        }
        return Volume(grid: target, voxels: result)
    }
}
