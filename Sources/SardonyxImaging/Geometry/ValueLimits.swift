/// The smallest and the largest value of a volume, or of each of its slices: a spline may leave that range beside
/// edges, and scikit-image's `resize`, so nnU-Net too, then holds its result to it.
///
/// Collected slab by slab, before the resampling; order and cuts do not matter. NaNs are passed over.
public struct ValueLimits: Sendable, Equatable {
    /// The axis whose slices have limits of their own; `nil` for those of the whole volume. nnU-Net resamples slice by
    /// slice where it treats an axis apart.
    public let axis: Int?
    /// The range of the volume, or of each slice; `nil` where nothing but NaN was seen.
    public private(set) var ranges: [ClosedRange<Float>?]

    /// Nothing seen of a volume of `dims` voxels.
    public init(dims: SIMD3<Int>, along axis: Int? = nil) {
        self.axis = axis
        ranges = Array(repeating: nil, count: axis.map { dims[$0] } ?? 1)
    }

    /// Limits of a volume.
    public init(_ volume: Volume<Float>, along axis: Int? = nil) {
        self.init(dims: volume.dims, along: axis)
        volume.voxels.withUnsafeBufferPointer {
            add($0.baseAddress!, dims: volume.dims, at: .zero)
        }
    }

    /// Takes in a dense block (i fastest) of `dims` voxels whose first one is voxel `origin` of the volume.
    public mutating func add(_ block: UnsafePointer<Float>, dims: SIMD3<Int>, at origin: SIMD3<Int>) {
        for k in 0..<dims.z {
            for j in 0..<dims.y {
                // SAFETY: a row of the block.
                let row = block + (k * dims.y + j) * dims.x
                switch axis {
                case 0: for i in 0..<dims.x { add(row + i, 1, origin.x + i) }
                case 1: add(row, dims.x, origin.y + j)
                case 2: add(row, dims.x, origin.z + k)
                default: add(row, dims.x, 0)
                }
            }
        }
    }

    private mutating func add(_ values: UnsafePointer<Float>, _ count: Int, _ slice: Int) {
        var low = ranges[slice]?.lowerBound ?? .infinity
        var high = ranges[slice]?.upperBound ?? -.infinity
        var (lows, highs) = (SIMD8(repeating: low), SIMD8(repeating: high))
        var i = 0
        // A NaN compares false and stays out.
        while i + 8 <= count {
            let value = UnsafeRawPointer(values + i).loadUnaligned(as: SIMD8<Float>.self)
            lows.replace(with: value, where: value .< lows)
            highs.replace(with: value, where: value .> highs)
            i += 8
        }
        (low, high) = (lows.min(), highs.max())
        for value in UnsafeBufferPointer(start: values + i, count: count - i) {
            if value < low { low = value }
            if value > high { high = value }
        }
        // An infinity alone is never above itself.
        if low <= high { ranges[slice] = low...high }
    }

    /// Holds planes `rows` of a plan's result to the limits of the slices that they come from; along `axis` the plan
    /// copies, or it traps.
    public func apply(to output: UnsafeMutablePointer<Float>, rows: Range<Int>, of plan: ResamplingPlan) {
        let size = plan.outputDims
        let slices = axis.map { plan.axes[$0].first }
        precondition(axis.map { plan.axes[$0].isCopy } ?? true, "slices stay slices")
        for k in 0..<rows.count {
            for j in 0..<size.y {
                // SAFETY: a row of the block.
                let row = output + (k * size.y + j) * size.x
                switch axis {
                case 0: for i in 0..<size.x { hold(row + i, 1, slices![i]) }
                case 1: hold(row, size.x, slices![j])
                case 2: hold(row, size.x, slices![rows.lowerBound + k])
                default: hold(row, size.x, 0)
                }
            }
        }
    }

    private func hold(_ values: UnsafeMutablePointer<Float>, _ count: Int, _ slice: Int) {
        guard let range = ranges[slice] else { return }
        let (low, high) = (range.lowerBound, range.upperBound)
        for i in 0..<count {
            // A NaN compares false and stays.
            if values[i] < low { values[i] = low }
            if values[i] > high { values[i] = high }
        }
    }
}
