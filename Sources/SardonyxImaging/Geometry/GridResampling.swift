/// Resampling from one grid onto any other, oblique ones too, through the patient's millimetres: whole, or planes of
/// the result at a time, each from the box of the source that it needs. Every voxel gets the same bits either way.
public struct GridResampling: Sendable {
    /// The grids from and onto which values go.
    public let source: VoxelGrid, target: VoxelGrid
    /// How values between voxel centres are found.
    public let method: Interpolation
    /// The value of points beyond the source's outer faces; `nil` for that of the nearest edge.
    public let outside: Float?
    /// From the target's indices to the source's.
    private let map: Affine
    /// From values to the spline's coefficients, `margin` more of them beyond each end.
    private let coefficients: ResamplingPlan?
    private static let margin = 3

    /// A resampling between two grids. Where `outside` is `nil`, the spline too holds the edge value from one voxel
    /// beyond the outermost centres on.
    ///
    /// - Throws: `ImagingError` `.badGeometry` when the source's affine has no inverse or the target's is not finite.
    public init(
        from source: VoxelGrid, onto target: VoxelGrid, by method: Interpolation, outside: Float?
    ) throws {
        guard let inverse = source.affine.inverse else {
            throw ImagingError(.badGeometry, problem: "the volume's affine has no inverse", remedy: "repair its header")
        }
        let map = inverse.composed(after: target.affine)
        // Far enough for any patient, and near enough for indices to be numbers.
        guard [map.x, map.y, map.z].allSatisfy({ row in (0..<4).allSatisfy { abs(row[$0]) < 1e15 } }) else {
            throw ImagingError(
                .badGeometry, problem: "the target grid lies nowhere near the volume", remedy: "repair its header")
        }
        self.map = map
        let margin = GridResampling.margin
        coefficients =
            method == .cubic
            ? ResamplingPlan((0..<3).map { AxisResampling(splineCoefficientsOf: source.dims[$0], margin: margin) })
            : nil
        self.source = source
        self.target = target
        self.method = method
        self.outside = outside
    }

    /// The box of the source that planes `rows` of the result need; empty when they all lie outside. The spline needs
    /// whole planes.
    public func source(for rows: Range<Int>) -> VoxelBox {
        guard !rows.isEmpty else { return VoxelBox(dims: .zero) }
        var low = SIMD3(repeating: Double.infinity)
        var high = -low
        for corner in VoxelBox(slices: rows, of: target.dims).corners {
            let place = map(corner)
            low = pointwiseMin(low, place)
            high = pointwiseMax(high, place)
        }
        let last = SIMD3<Double>(source.dims) - 1
        if outside != nil, any(low .> last + 0.5 + slack) || any(high .< -0.5 - slack) {
            return VoxelBox(dims: .zero)
        }
        // One voxel more than linear reads, since rounding may move a place over a centre.
        let held = VoxelBox(lower: voxel(low, last) &- 1, upper: voxel(high, last) &+ 3)
        guard let coefficients else { return held.intersection(source.box) }
        let planes = coefficients.inputs(for: coefficientPlanes(held.lower.z..<held.upper.z))
        return VoxelBox(slices: planes, of: source.dims)
    }

    /// The planes of coefficients that places in planes `held` of the source read.
    private func coefficientPlanes(_ held: Range<Int>) -> Range<Int> {
        let all = 0..<source.dims.z + 2 * GridResampling.margin
        return (held.lowerBound + GridResampling.margin - 2..<held.upperBound + GridResampling.margin + 1).clamped(
            to: all)
    }

    /// Makes planes `rows` of the result, dense and i fastest, from a dense block that holds `box` of the source:
    /// `source(for: rows)` or more, or it traps. The spline wants whole planes, and allocates its coefficients, a
    /// little more than the block.
    public func resample(
        _ block: UnsafePointer<Float>, holding box: VoxelBox, onto rows: Range<Int>,
        into output: UnsafeMutablePointer<Float>
    ) {
        let needed = source(for: rows)
        precondition(box.contains(needed) && source.box.contains(box), "the source's box at hand")
        precondition(
            method != .cubic || needed.isEmpty || (box.size.x == source.dims.x && box.size.y == source.dims.y),
            "whole planes at hand")
        if needed.isEmpty {
            output.update(repeating: outside ?? 0, count: target.dims.x * target.dims.y * rows.count)
            return
        }
        switch method {
        case .nearest:
            let values = Block(block, box)
            walk(rows, output) { values.nearest($0) }
        case .linear:
            let values = Block(block, box)
            let last = SIMD3<Double>(source.dims) - 1
            walk(rows, output) { values.linear($0, last) }
        case .cubic: withCoefficients(block, box, needed) { values in walk(rows, output) { values.cubic($0) } }
        }
    }

    /// Puts `value(place)` of every voxel inside.
    @inline(__always)
    private func walk(
        _ rows: Range<Int>, _ output: UnsafeMutablePointer<Float>, _ value: (SIMD3<Double>) -> Float
    ) {
        let last = SIMD3<Double>(source.dims) - 1
        let step = map.column(0)
        // A hair beyond the face still counts: the map's rounding must not empty an outermost plane.
        let (low, high) = (-0.5 - slack, last + (0.5 + slack))
        // Beyond this distance the edge value has long been reached, and indices stay small.
        let (far, end) = (SIMD3(repeating: -1.0), last + 1)
        var o = 0
        for k in rows {
            for j in 0..<target.dims.y {
                let start = map(SIMD3(0, Double(j), Double(k)))
                for i in 0..<target.dims.x {
                    let t = Double(i)
                    let (x, y, z) = (start.x + step.x * t, start.y + step.y * t, start.z + step.z * t)
                    // One number at a time: vectors of three compare slowly.
                    let inside =
                        x >= low && y >= low && z >= low && x <= high.x && y <= high.y && z <= high.z
                    if inside {
                        output[o] = value(SIMD3(x, y, z))
                    } else {
                        output[o] = outside ?? value(SIMD3(x, y, z).clamped(lowerBound: far, upperBound: end))
                    }
                    o += 1
                }
            }
        }
    }

    /// Gives the spline's coefficients that the planes of `needed` make.
    private func withCoefficients(
        _ block: UnsafePointer<Float>, _ box: VoxelBox, _ needed: VoxelBox, _ body: (Block) -> Void
    ) {
        guard let plan = coefficients else { return }
        let size = plan.outputDims
        let rows = (0..<size.z).filter { row in
            let inputs = plan.inputs(for: row..<row + 1)
            return needed.lower.z <= inputs.lowerBound && inputs.upperBound <= needed.upper.z
        }
        let range = rows[0]..<rows[rows.count - 1] + 1
        let planes = UnsafeMutableBufferPointer<Float>.allocate(capacity: size.x * size.y * range.count)
        let scratch = UnsafeMutableBufferPointer<Float>.allocate(capacity: plan.scratchCount(for: range))
        defer {
            planes.deallocate()
            scratch.deallocate()
        }
        plan.resample(
            block, holding: box.lower.z..<box.upper.z, onto: range, into: planes.baseAddress!, scratch: scratch)
        let margin = GridResampling.margin
        let held = VoxelBox(
            lower: SIMD3(-margin, -margin, range.lowerBound - margin),
            upper: SIMD3(size.x - margin, size.y - margin, range.upperBound - margin))
        body(Block(UnsafePointer(planes.baseAddress!), held))
    }
}

/// A hair, in voxels.
private let slack = 1e-6

/// The voxel before a place, within 0 and `last`.
private func voxel(_ place: SIMD3<Double>, _ last: SIMD3<Double>) -> SIMD3<Int> {
    SIMD3<Int>(place.clamped(lowerBound: .zero, upperBound: last).rounded(.down))
}

/// A dense block of a volume, read by places in the volume's indices.
private struct Block {
    let base: UnsafePointer<Float>
    let dims: SIMD3<Int>, lower: SIMD3<Int>, upper: SIMD3<Int>

    init(_ values: UnsafePointer<Float>, _ box: VoxelBox) {
        base = values
        dims = box.size
        lower = box.lower
        upper = box.upper
    }

    // SAFETY: GridResampling.resample has checked that the block holds every voxel that its places read.
    @inline(__always)
    private func pointer(_ at: SIMD3<Int>) -> UnsafePointer<Float> {
        base + ((at.z - lower.z) * dims.y + at.y - lower.y) * dims.x + at.x - lower.x
    }

    @inline(__always)
    func nearest(_ place: SIMD3<Double>) -> Float {
        // Ties go up, as along an axis; in the block every place is above −1.
        func voxel(_ p: Double, _ axis: Int) -> Int { min(max(Int(p + (0.5 + 1e-7)), lower[axis]), upper[axis] - 1) }
        return pointer(SIMD3(voxel(place.x, 0), voxel(place.y, 1), voxel(place.z, 2))).pointee
    }

    @inline(__always)
    func linear(_ place: SIMD3<Double>, _ last: SIMD3<Double>) -> Float {
        let x = min(max(place.x, 0), last.x)
        let y = min(max(place.y, 0), last.y)
        let z = min(max(place.z, 0), last.z)
        // They are not negative, so that cutting is rounding down.
        let low = SIMD3(Int(x), Int(y), Int(z))
        let w = SIMD3(Float(x - Double(low.x)), Float(y - Double(low.y)), Float(z - Double(low.z)))
        let p = pointer(low)
        let dx = low.x < upper.x - 1 ? 1 : 0
        let dy = low.y < upper.y - 1 ? dims.x : 0
        let dz = low.z < upper.z - 1 ? dims.x * dims.y : 0
        let q = p + dz
        let front = mix(mix(p[0], p[dx], w.x), mix(p[dy], p[dy + dx], w.x), w.y)
        let back = mix(mix(q[0], q[dx], w.x), mix(q[dy], q[dy + dx], w.x), w.y)
        return mix(front, back, w.z)
    }

    /// Of a block of spline coefficients.
    @inline(__always)
    func cubic(_ place: SIMD3<Double>) -> Float {
        let low = place.rounded(.down)
        let t = SIMD3<Float>(place - low)
        let (wx, wy, wz) = (basis(t.x), basis(t.y), basis(t.z))
        let p = pointer(SIMD3(Int(low.x) - 1, Int(low.y) - 1, Int(low.z) - 1))
        var sum = SIMD4<Float>.zero
        for c in 0..<4 {
            for b in 0..<4 {
                let row = UnsafeRawPointer(p + (c * dims.y + b) * dims.x).loadUnaligned(as: SIMD4<Float>.self)
                sum += (wz[c] * wy[b]) * row
            }
        }
        return (wx * sum).sum()
    }

    /// The B-spline at −1 − t, −t, 1 − t and 2 − t.
    @inline(__always)
    private func basis(_ t: Float) -> SIMD4<Float> {
        let u = 1 - t
        return SIMD4(
            u * u * u / 6, 2.0 / 3 - t * t * (1 - t / 2), 2.0 / 3 - u * u * (1 - u / 2), t * t * t / 6)
    }
}

/// a + (b − a) · t
@inline(__always)
func mix(_ a: Float, _ b: Float, _ t: Float) -> Float { a + (b - a) * t }
