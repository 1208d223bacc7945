/// What is measured of one label, or of one connected part of it.
public struct RegionMeasures: Sendable, Equatable {
    /// The label.
    public var label: UInt16
    /// The part's number within its label, from 1, by its first voxel in memory order; `nil` for the whole label.
    public var component: Int?
    /// Number of voxels; where it is 0 all that has no meaning is `nil`.
    public var voxelCount: Int
    /// Voxels times the volume of one, in mL.
    public var millilitres: Double
    /// The mean of the voxels' indices.
    public var centroid: SIMD3<Double>?
    /// The mean of the voxels' places, in RAS+ mm.
    public var centroidMillimetres: SIMD3<Double>?
    /// The least and the greatest i, j, k, both inside.
    public var boundingBox: BoundingBox?
    /// Values of the image; `nil` without an image.
    public var intensity: Intensity?
    /// Area in mm² of the closed surface that marching cubes draw half-way between inside and outside, as that of
    /// `skimage.measure.marching_cubes(…, 0.5, method: "lorensen")` of the region with nothing around it.
    public var surfaceSquareMillimetres: Double?
    /// ∛(36π V²) / A: 1 for a ball, a little more for some of a few voxels; `nil` without a surface.
    public var sphericity: Double?
    /// The longest line between voxel centres, in mm; 0 for one voxel.
    public var diameterMillimetres: Double?
    /// The longest line within one slice of the grid; the first slice of equals.
    public var inPlane: InPlane?

    /// Voxels that a region spans.
    public struct BoundingBox: Sendable, Equatable {
        /// The least i, j, k.
        public var lower: SIMD3<Int>
        /// The greatest i, j, k.
        public var upper: SIMD3<Int>
    }

    /// The longest line within a slice (constant k), and across it.
    public struct InPlane: Sendable, Equatable {
        /// The slice, from 0.
        public var slice: Int
        /// The longest line between voxel centres, in mm.
        public var longestMillimetres: Double
        /// The longest chord at right angles to it of the convex hull of the region's voxel centres there, in mm.
        public var perpendicularMillimetres: Double
    }

    /// Values of the image in the region; those that are not finite are left out and counted.
    public struct Intensity: Sendable, Equatable {
        /// Finite values; where there are none the rest is NaN.
        public var count: Int
        /// Values left out.
        public var notFinite: Int
        /// Mean.
        public var mean: Double
        /// Standard deviation of the population (divided by the count, as NumPy and scikit-image do).
        public var standardDeviation: Double
        /// Least value.
        public var minimum: Double
        /// Greatest value.
        public var maximum: Double
        /// The percentiles asked for, linear between values as NumPy's `percentile`.
        public var percentiles: [Double]
    }
}

/// Sums over one region.
struct RegionSums {
    var count = 0
    private var sum = SIMD3<Double>.zero
    private var lower = SIMD3<Int>(repeating: .max)
    private var upper = SIMD3<Int>(repeating: -1)
    private(set) var finite = 0
    private var seen = 0
    private var mean = 0.0
    private var squares = 0.0
    private var least = Float.infinity
    private var greatest = -Float.infinity

    mutating func add(_ run: LabelRun, _ j: Int, _ k: Int) {
        let n = Int(run.end - run.start)
        count += n
        // Whole or half numbers, exact up to 2⁵³.
        let middle = Double(run.start) + Double(n - 1) / 2
        sum += SIMD3(middle, Double(j), Double(k)) * Double(n)
        lower = pointwiseMin(lower, SIMD3(Int(run.start), j, k))
        upper = pointwiseMax(upper, SIMD3(Int(run.end) - 1, j, k))
    }

    /// Values of one run. Deviations are taken from the mean so far, which keeps the sum of squares exact to rounding.
    mutating func add(_ values: UnsafeBufferPointer<Float>) {
        seen += values.count
        guard let start = finite > 0 ? mean : values.first(where: { $0.isFinite }).map({ Double($0) }) else { return }
        var (n, low, high) = (0, least, greatest)
        @inline(__always)
        func take(_ value: Float, _ sums: inout (sum: Double, squares: Double)) {
            guard value.isFinite else { return }
            let d = Double(value) - start
            sums.sum += d
            sums.squares += d * d
            n += 1
            low = value < low ? value : low
            high = value > high ? value : high
        }
        // Four sums, none of which waits for another.
        var a = (sum: 0.0, squares: 0.0)
        var (b, c, d) = (a, a, a)
        let whole = values.count & ~3
        for index in stride(from: 0, to: whole, by: 4) {
            take(values[index], &a)
            take(values[index + 1], &b)
            take(values[index + 2], &c)
            take(values[index + 3], &d)
        }
        for index in whole..<values.count { take(values[index], &a) }
        if n == 0 { return }
        (least, greatest) = (low, high)
        let (sum, squares) = (a.sum + b.sum + (c.sum + d.sum), a.squares + b.squares + (c.squares + d.squares))
        finite += n
        self.squares += squares - sum * (sum / Double(finite))
        mean = start + sum / Double(finite)
    }

    /// Values of all runs at once: each with how often it occurs, rising. None may have been added before.
    mutating func add(counted values: [(value: Float, count: Int)]) {
        guard let first = values.first, let last = values.last else { return }
        finite = values.reduce(0) { $0 + $1.count }
        seen = finite
        (least, greatest) = (first.value, last.value)
        mean = values.reduce(0) { $0 + Double($1.value) * Double($1.count) } / Double(finite)
        squares = values.reduce(0) {
            let d = Double($1.value) - mean
            return $0 + d * d * Double($1.count)
        }
    }

    func measures(label: UInt16, component: Int?, grid: VoxelGrid) -> RegionMeasures {
        let centroid = count > 0 ? sum / Double(count) : nil
        return RegionMeasures(
            label: label, component: component, voxelCount: count, millilitres: Double(count) * grid.voxelVolume / 1000,
            centroid: centroid, centroidMillimetres: centroid.map { grid.affine($0) },
            boundingBox: count > 0 ? .init(lower: lower, upper: upper) : nil)
    }

    func intensity(percentiles: [Double]) -> RegionMeasures.Intensity {
        guard finite > 0 else {
            return .init(
                count: 0, notFinite: seen, mean: .nan, standardDeviation: .nan, minimum: .nan, maximum: .nan,
                percentiles: percentiles.map { _ in .nan })
        }
        return .init(
            count: finite, notFinite: seen - finite, mean: mean,
            standardDeviation: (max(0, squares) / Double(finite)).squareRoot(), minimum: Double(least),
            maximum: Double(greatest), percentiles: percentiles)
    }
}
