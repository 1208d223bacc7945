extension ResamplingPlan {
    /// Moves values of any kind where every axis copies (nearest neighbour); traps otherwise. As `resample` without
    /// scratch: planes `rows` of the result from a block that holds planes `planes` of the source.
    @_specialize(where Scalar == Float)
    @_specialize(where Scalar == UInt8)
    @_specialize(where Scalar == Int16)
    public func copy<Scalar: BitwiseCopyable>(
        _ input: UnsafePointer<Scalar>, holding planes: Range<Int>, onto rows: Range<Int>,
        into output: UnsafeMutablePointer<Scalar>
    ) {
        let needed = inputs(for: rows)
        precondition(axes.allSatisfy(\.isCopy), "nearest neighbour along each axis")
        precondition(planes.lowerBound <= needed.lowerBound && needed.upperBound <= planes.upperBound, "planes at hand")
        let (nx, ny) = (inputDims.x, inputDims.y)
        var o = 0
        axes[0].first.withUnsafeBufferPointer { columns in
            for k in rows {
                let plane = input + (axes[2].first[k] - planes.lowerBound) * nx * ny
                for j in axes[1].first {
                    // SAFETY: the tables' entries are below the source's dimensions.
                    let row = plane + j * nx
                    for i in columns {
                        output[o] = row[i]
                        o += 1
                    }
                }
            }
        }
    }
}

extension Volume {
    /// The same field of view, outer face to outer face, in `dims` voxels, by nearest neighbour:
    /// y[i] = x[⌊(i + ½) · n / m⌋] along each axis, n voxels becoming m.
    ///
    /// Equal to SciPy's `zoom(order=0, grid_mode=True, mode="nearest")`, but exact where that one's rounding decides
    /// between two voxels that are equally near.
    public func resizedNearest(to dims: SIMD3<Int>) -> Volume {
        let plan = ResamplingPlan(from: self.dims, to: dims, by: .nearest)
        let voxels = [Scalar](unsafeUninitializedCapacity: dims.x * dims.y * dims.z) { output, filled in
            self.voxels.withUnsafeBufferPointer { input in
                plan.copy(
                    input.baseAddress!, holding: 0..<self.dims.z, onto: 0..<dims.z, into: output.baseAddress!)
            }
            filled = dims.x * dims.y * dims.z
        }
        return Volume(grid: grid.resized(to: dims), voxels: voxels)
    }
}

extension Volume where Scalar == Float {
    /// The same field of view, outer face to outer face, in `dims` voxels. Along each axis output i reads the source at
    /// (i + ½) · n / m − ½ (voxel centres); beyond the outermost centres the edge value holds.
    ///
    /// Equal to SciPy's `zoom(order=0, 1 or 3, grid_mode=True, mode="nearest")`; with `antialias` to scikit-image's
    /// `resize(mode="edge", clip=False, anti_aliasing=True)`.
    public func resized(to dims: SIMD3<Int>, by method: Interpolation, antialias: Bool = false) -> Volume {
        resampled(by: ResamplingPlan(from: self.dims, to: dims, by: method, antialias: antialias))
    }

    /// The result of a plan that was made for these dimensions (or it traps), held to `limits` where given.
    public func resampled(by plan: ResamplingPlan, within limits: ValueLimits? = nil) -> Volume {
        precondition(plan.inputDims == dims, "a plan for this volume")
        let size = plan.outputDims
        let plane = size.x * size.y
        // Slabs keep what lies between the steps in the cache, or small at least; but the source is read again for
        // each, and where k is not first work is repeated, so they are not much lower than what an output reaches.
        let taps = plan.axes[2].taps
        let least = plan.resamplesPlanesFirst ? taps / 2 : 4 * taps
        let height = min(size.z, max(1, least, (1 << 18) / max(plane, dims.x * dims.y)))
        let slabs = stride(from: 0, to: size.z, by: height).map { $0..<min($0 + height, size.z) }
        let scratchCount = slabs.reduce(0) { max($0, plan.scratchCount(for: $1)) }
        let voxels = [Float](unsafeUninitializedCapacity: plane * size.z) { output, filled in
            let scratch = UnsafeMutableBufferPointer<Float>.allocate(capacity: scratchCount)
            defer { scratch.deallocate() }
            self.voxels.withUnsafeBufferPointer { input in
                for rows in slabs {
                    let target = output.baseAddress! + rows.lowerBound * plane
                    plan.resample(
                        input.baseAddress!, holding: 0..<dims.z, onto: rows, into: target, scratch: scratch)
                    limits?.apply(to: target, rows: rows, of: plan)
                }
            }
            filled = plane * size.z
        }
        return Volume(grid: plan.grid(of: grid), voxels: voxels)
    }

    /// Resamples onto any grid, oblique ones too, through the patient's millimetres. Points outside the source's field
    /// of view (beyond the outer faces) get `outside`; with `nil` the nearest edge's value.
    ///
    /// - Throws: `ImagingError` `.badGeometry` when the source's affine has no inverse.
    public func resampled(
        onto target: VoxelGrid, by method: Interpolation, outside: Float? = 0
    ) throws -> Volume {
        let resampling = try GridResampling(from: grid, onto: target, by: method, outside: outside)
        let voxels = [Float](unsafeUninitializedCapacity: target.count) { output, filled in
            self.voxels.withUnsafeBufferPointer { input in
                resampling.resample(
                    input.baseAddress!, holding: grid.box, onto: 0..<target.dims.z,
                    into: output.baseAddress!)
            }
            filled = target.count
        }
        return Volume(grid: target, voxels: voxels)
    }
}
