/// A separable resampling of a volume, or of a slab of it at a time.
///
/// The k axis is the one that may be cut: `rows` of the result need `inputs(for: rows)` of the source, whole planes of
/// it. Whatever the cuts, every voxel gets the same bits.
public struct ResamplingPlan: Sendable, Equatable {
    /// i, j, k.
    public let axes: [AxisResampling]
    /// The axes that change, the first to be resampled first.
    private let order: [Int]

    /// Voxels along i, j, k before.
    public var inputDims: SIMD3<Int> { SIMD3(axes[0].inputCount, axes[1].inputCount, axes[2].inputCount) }
    /// Voxels along i, j, k after.
    public var outputDims: SIMD3<Int> { SIMD3(axes[0].outputCount, axes[1].outputCount, axes[2].outputCount) }

    /// One matrix an axis.
    public init(_ i: AxisResampling, _ j: AxisResampling, _ k: AxisResampling) { self.init([i, j, k]) }

    init(_ axes: [AxisResampling]) {
        self.axes = axes
        order = ResamplingPlan.cheapestOrder(axes)
    }

    /// The same field of view, outer face to outer face, in `target` voxels instead of `source`. `nearest`: the axis
    /// that is resampled by nearest neighbour, and not smoothed, whatever else is said; see `Anisotropy.separateAxis`.
    public init(
        from source: SIMD3<Int>, to target: SIMD3<Int>, by method: Interpolation, antialias: Bool = false,
        nearestAlong nearest: Int? = nil
    ) {
        self.init(
            (0..<3).map { axis in
                AxisResampling(
                    from: source[axis], to: target[axis], by: axis == nearest ? .nearest : method,
                    antialias: antialias && axis != nearest)
            })
    }

    /// From one grid onto another whose axes run along the same lines, as after a change of spacing or a crop; `nil`
    /// when they do not (by more than a thousandth of a voxel): that needs a `GridResampling`. Beyond the source's
    /// outermost voxels the edge value holds.
    public init?(
        from source: VoxelGrid, onto target: VoxelGrid, by method: Interpolation, antialias: Bool = false
    ) {
        guard let map = source.affine.inverse?.composed(after: target.affine) else { return nil }
        let rows = [map.x, map.y, map.z]
        for (axis, row) in rows.enumerated() {
            guard row[axis].isFinite, row[3].isFinite, row[axis] > 0 else { return nil }
            for other in 0..<3 where other != axis {
                guard abs(row[other]) * Double(target.dims[other]) < 1e-3 else { return nil }
            }
        }
        self.init(
            (0..<3).map { axis in
                AxisResampling(
                    from: source.dims[axis], to: target.dims[axis], scale: rows[axis][axis], offset: rows[axis][3],
                    by: method, antialias: antialias)
            })
    }

    /// True when slabs repeat no work: every plane of the source is read, and none is resampled, for several slabs.
    var resamplesPlanesFirst: Bool { order.first == 2 || axes[2].taps == 1 }

    /// True when nothing changes.
    public var isIdentity: Bool { order.isEmpty }

    /// Where the result's voxels lie when the source's lie on `grid`.
    public func grid(of grid: VoxelGrid) -> VoxelGrid {
        let scale = SIMD3(axes[0].scale, axes[1].scale, axes[2].scale)
        let offset = SIMD3(axes[0].offset, axes[1].offset, axes[2].offset)
        return VoxelGrid(
            dims: outputDims, affine: grid.affine.composed(after: Affine(spacing: scale, origin: offset)))
    }

    /// The planes of the source that planes `rows` of the result need.
    public func inputs(for rows: Range<Int>) -> Range<Int> { axes[2].inputs(for: rows) }

    /// Floats of scratch that `resample` needs for planes `rows`.
    public func scratchCount(for rows: Range<Int>) -> Int {
        var dims = inputDims
        dims.z = inputs(for: rows).count
        var count = 0
        for axis in order.dropLast() {
            dims[axis] = axis == 2 ? rows.count : outputDims[axis]
            count += dims.x * dims.y * dims.z
        }
        return count
    }

    /// Makes planes `rows` of the result from a block that holds planes `planes` of the source (`inputs(for: rows)` or
    /// more, or it traps). Both are dense, i fastest; `scratch` has `scratchCount(for: rows)` floats. Allocates
    /// nothing.
    public func resample(
        _ input: UnsafePointer<Float>, holding planes: Range<Int>, onto rows: Range<Int>,
        into output: UnsafeMutablePointer<Float>, scratch: UnsafeMutableBufferPointer<Float>
    ) {
        if rows.isEmpty { return }
        precondition(scratch.count >= scratchCount(for: rows), "enough scratch")
        let needed = inputs(for: rows)
        precondition(planes.lowerBound <= needed.lowerBound && needed.upperBound <= planes.upperBound, "planes at hand")
        var dims = inputDims
        dims.z = needed.count
        // SAFETY: a block starts at plane planes.lowerBound, and every size below is counted by scratchCount.
        var source = input + (needed.lowerBound - planes.lowerBound) * dims.x * dims.y
        var free = scratch.baseAddress
        if axes.allSatisfy(\.isCopy) { return copy(source, holding: needed, onto: rows, into: output) }
        for (step, axis) in order.enumerated() {
            let inner = axis == 0 ? 1 : axis == 1 ? dims.x : dims.x * dims.y
            let outer = dims.x * dims.y * dims.z / (inner * dims[axis])
            let range = axis == 2 ? rows : 0..<outputDims[axis]
            dims[axis] = range.count
            let target = step == order.count - 1 ? output : free!
            axes[axis].apply(
                to: source, holding: axis == 2 ? needed : 0..<inputDims[axis], inner: inner, outer: outer, onto: range,
                into: target)
            source = UnsafePointer(target)
            free = free.map { $0 + dims.x * dims.y * dims.z }
        }
    }

    /// Of the six orders the one with the fewest sums; an axis that stays is left out. It hangs on whole axes alone, so
    /// that slabs are computed as the whole is.
    private static func cheapestOrder(_ axes: [AxisResampling]) -> [Int] {
        let orders = [[2, 1, 0], [2, 0, 1], [1, 2, 0], [1, 0, 2], [0, 2, 1], [0, 1, 2]]
        let costs = orders.map { order in
            var counts = axes.map { Double($0.inputCount) }
            return order.reduce(0.0) { cost, axis in
                counts[axis] = Double(axes[axis].outputCount)
                // The step along memory has no neighbours to work on at once.
                let each = Double(axes[axis].taps) * (axis == 0 ? 2 : 1) + 1
                return cost + (axes[axis].isIdentity ? 0 : each * counts[0] * counts[1] * counts[2])
            }
        }
        let best = costs.indices.min { costs[$0] < costs[$1] }!
        return orders[best].filter { !axes[$0].isIdentity }
    }
}
