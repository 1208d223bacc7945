/// How a value between voxel centres is found.
public enum Interpolation: String, Sendable, CaseIterable {
    /// The value of the voxel that the point lies in.
    case nearest
    /// Linear along each axis between the 8 voxel centres around the point.
    case linear
}

extension Volume {
    /// The same field of view, outer face to outer face, in `dims` voxels, by nearest neighbour:
    /// y[i] = x[⌊(i + ½) · n / m⌋] along each axis, n voxels becoming m, computed in integers.
    ///
    /// Equal to SciPy's `zoom(order=0, grid_mode=True, mode="nearest")`.
    @_specialize(where Scalar == Float)
    @_specialize(where Scalar == UInt8)
    public func resizedNearest(to dims: SIMD3<Int>) -> Volume {
        let target = grid.resized(to: dims)
        let tables = (0..<3).map { axis in
            (0..<dims[axis]).map { (2 * $0 + 1) * self.dims[axis] / (2 * dims[axis]) }
        }
        let (sx, sy) = (self.dims.x, self.dims.y)
        let result = [Scalar](unsafeUninitializedCapacity: target.count) { output, filled in
            voxels.withUnsafeBufferPointer { input in
                tables[0].withUnsafeBufferPointer { columns in
                    var o = 0
                    for k in tables[2] {
                        for j in tables[1] {
                            let row = (k * sy + j) * sx
                            for i in columns {
                                // SAFETY: every table entry is below its source dimension.
                                output[o] = input[row + i]
                                o += 1
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

/// For each output index of one axis: the lower source index, the step to the upper one (0 or 1), the upper's weight.
struct LinearTable {
    var lower: [Int] = []
    var step: [Int] = []
    var weight: [Float] = []

    /// Source place (i + ½) · n / m − ½, held within the first and last voxel centre.
    init(from n: Int, to m: Int) {
        for i in 0..<m {
            let place = min(max((Double(i) + 0.5) * Double(n) / Double(m) - 0.5, 0), Double(n - 1))
            let low = min(Int(place), max(n - 2, 0))
            lower.append(low)
            step.append(n > 1 ? 1 : 0)
            weight.append(Float(place - Double(low)))
        }
    }
}

extension Volume where Scalar == Float {
    /// The same field of view, outer face to outer face, in `dims` voxels. Along each axis output i reads the source at
    /// (i + ½) · n / m − ½ (voxel centres); beyond the outermost centres the edge value holds.
    ///
    /// Equal to SciPy's `zoom(order=0 or 1, grid_mode=True, mode="nearest")` and, without its low-pass filter, to
    /// scikit-image's `resize`.
    public func resized(to dims: SIMD3<Int>, by interpolation: Interpolation) -> Volume {
        if dims == self.dims { return self }
        guard interpolation == .linear else { return resizedNearest(to: dims) }
        let target = grid.resized(to: dims)
        let (tx, ty, tz) = (
            LinearTable(from: self.dims.x, to: dims.x), LinearTable(from: self.dims.y, to: dims.y),
            LinearTable(from: self.dims.z, to: dims.z)
        )
        let (sx, sy) = (self.dims.x, self.dims.y)
        // One row of the source's length, already mixed along j and k, then read along i.
        var row = [Float](repeating: 0, count: sx)
        let result = [Float](unsafeUninitializedCapacity: target.count) { output, filled in
            voxels.withUnsafeBufferPointer { input in
                var o = 0
                for k in 0..<dims.z {
                    let (k0, wk) = (tz.lower[k], tz.weight[k])
                    let dk = tz.step[k] * sx * sy
                    for j in 0..<dims.y {
                        let wj = ty.weight[j]
                        let a = (k0 * sy + ty.lower[j]) * sx
                        let dj = ty.step[j] * sx
                        row.withUnsafeMutableBufferPointer { row in
                            for i in 0..<sx {
                                // SAFETY: lower + step is at most the last index of each axis.
                                let p = a + i
                                let front = mix(input[p], input[p + dj], wj)
                                let back = mix(input[p + dk], input[p + dk + dj], wj)
                                row[i] = mix(front, back, wk)
                            }
                            for i in 0..<dims.x {
                                let low = tx.lower[i]
                                output[o] = mix(row[low], row[low + tx.step[i]], tx.weight[i])
                                o += 1
                            }
                        }
                    }
                }
            }
            filled = target.count
        }
        return Volume(grid: target, voxels: result)
    }

    /// Resamples onto any grid, oblique ones too, through the patient's millimetres. Points outside the source's field
    /// of view (beyond the outer faces) get `outside`.
    ///
    /// - Throws: `ImagingError` `.badGeometry` when the source's affine has no inverse.
    public func resampled(
        onto target: VoxelGrid, by interpolation: Interpolation, outside: Float = 0
    ) throws -> Volume {
        guard let inverse = affine.inverse else {
            throw ImagingError(.badGeometry, problem: "the volume's affine has no inverse", remedy: "repair its header")
        }
        let map = inverse.composed(after: target.affine)
        let size = SIMD3<Double>(dims)
        let last = size - 1
        let strides = (1, dims.x, dims.x * dims.y)
        var result = [Float](repeating: outside, count: target.count)
        var o = 0
        for k in 0..<target.dims.z {
            for j in 0..<target.dims.y {
                for i in 0..<target.dims.x {
                    defer { o += 1 }
                    let place = map(SIMD3(Double(i), Double(j), Double(k)))
                    // A hair beyond the face still counts: the map's rounding must not empty an outermost plane.
                    guard all(place .>= -0.5 - 1e-6), all(place .<= last + 0.5 + 1e-6) else { continue }
                    let held = place.clamped(lowerBound: .zero, upperBound: last)
                    if interpolation == .nearest {
                        // Ties go up, as in resizedNearest.
                        let n = (held + 0.5).clamped(lowerBound: .zero, upperBound: last)
                        result[o] = voxels[Int(n.x) + strides.1 * Int(n.y) + strides.2 * Int(n.z)]
                        continue
                    }
                    let low = SIMD3<Int>(Int(held.x), Int(held.y), Int(held.z))
                    let w = SIMD3<Float>(held - SIMD3<Double>(low))
                    let dx = low.x < dims.x - 1 ? strides.0 : 0
                    let dy = low.y < dims.y - 1 ? strides.1 : 0
                    let dz = low.z < dims.z - 1 ? strides.2 : 0
                    let p = low.x + strides.1 * low.y + strides.2 * low.z
                    let front = mix(
                        mix(voxels[p], voxels[p + dx], w.x), mix(voxels[p + dy], voxels[p + dy + dx], w.x), w.y)
                    let q = p + dz
                    let back = mix(
                        mix(voxels[q], voxels[q + dx], w.x), mix(voxels[q + dy], voxels[q + dy + dx], w.x), w.y)
                    result[o] = mix(front, back, w.z)
                }
            }
        }
        return Volume(grid: target, voxels: result)
    }
}

/// a + (b − a) · t
@inline(__always)
func mix(_ a: Float, _ b: Float, _ t: Float) -> Float { a + (b - a) * t }
