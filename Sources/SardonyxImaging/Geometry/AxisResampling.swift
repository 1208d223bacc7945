#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One axis of a separable resampling, as a banded matrix: y[o] = Σ weights[o · taps + t] · x[first[o] + t], t < taps.
///
/// Every interpolation along an axis, with its behaviour at the ends and its low-pass filter, is such a matrix. Each
/// output is one sum in one order whatever part of the axis is at hand, so that results do not depend on how a volume
/// is cut into slabs.
public struct AxisResampling: Sendable, Equatable {
    /// Length of the axis before and after; both 1 or more.
    public let inputCount: Int, outputCount: Int
    /// Output o lies at scale · o + offset in input indices.
    public let scale: Double, offset: Double
    /// Inputs an output reads, 1 or more and at most `inputCount`.
    public let taps: Int
    /// For each output the first input that it reads: first[o] + taps is at most `inputCount`. Ascends with a positive
    /// scale.
    public let first: [Int]
    /// `taps` weights an output; they sum to 1, to less where inputs are left out that count as 0.
    public let weights: [Float]

    /// `m` outputs at the places scale · o + offset of an axis of `n` inputs; traps unless both counts are positive and
    /// both numbers finite. Nearest and linear hold the edge value beyond the outermost centres, the spline runs
    /// through an axis that goes on with its edge values.
    ///
    /// `antialias`: before a coarser sampling (scale s > 1) a Gaussian of sigma (s − 1) / 2, cut at 4 sigma, as in
    /// scikit-image's `resize(anti_aliasing=True)`.
    public init(
        from n: Int, to m: Int, scale: Double, offset: Double, by method: Interpolation, antialias: Bool = false
    ) {
        precondition(n > 0 && m > 0 && scale.isFinite && offset.isFinite, "an axis has places")
        let filter = AxisResampling.gaussian(sigma: antialias ? max(0, (abs(scale) - 1) / 2) : 0)
        // Further out every output is the edge value.
        let margin = method == .cubic ? Double(Spline.reach + 1) : 0
        let rows = (0..<m).map { o in
            let place = min(max(scale * Double(o) + offset, -margin), Double(n - 1) + margin)
            return AxisResampling.row(method.weights(at: place), filter, n)
        }
        self.init(from: n, scale: scale, offset: offset, rows: rows)
    }

    /// The same extent, outer face to outer face, in `m` parts instead of `n`: scale n / m, offset (n / m − 1) / 2.
    /// Nearest is then y[o] = x[⌊(o + ½) · n / m⌋] exactly.
    public init(from n: Int, to m: Int, by method: Interpolation, antialias: Bool = false) {
        let scale = Double(n) / Double(m)
        self.init(from: n, to: m, scale: scale, offset: scale * 0.5 - 0.5, by: method, antialias: antialias)
    }

    /// From values to the coefficients of their spline, with `margin` more on each side: output o is coefficient
    /// o − `margin` of an axis that goes on with its edge values.
    init(splineCoefficientsOf n: Int, margin: Int) {
        let reach = Spline.reach
        let filter = (-reach...reach).map { Spline.coefficient($0) }
        let sum = filter.reduce(0, +)
        let rows = (0..<n + 2 * margin).map {
            AxisResampling.row(($0 - margin - reach, filter.map { $0 / sum }), [1], n)
        }
        self.init(from: n, scale: 1, offset: -Double(margin), rows: rows)
    }

    private init(from n: Int, scale: Double, offset: Double, rows: [(first: Int, weights: [Double])]) {
        inputCount = n
        outputCount = rows.count
        self.scale = scale
        self.offset = offset
        let taps = rows.reduce(1) { max($0, $1.weights.count) }
        self.taps = taps
        var first = rows.map { min($0.first, n - taps) }
        // A copy's one weight lies in the window of the outputs after it, which begins before it: windows never go back,
        // so that whoever keeps the last `taps` inputs has what the next output reads.
        if scale > 0 {
            for o in rows.indices.dropLast().reversed() { first[o] = min(first[o], first[o + 1]) }
        }
        self.first = first
        var weights = [Float](repeating: 0, count: rows.count * taps)
        for (o, row) in rows.enumerated() {
            for (t, weight) in row.weights.enumerated() { weights[o * taps + row.first - first[o] + t] = Float(weight) }
        }
        self.weights = weights
    }

    /// The weights on inputs 0 ..< n when `ideal` weighs an endless axis made by `filter` from one that goes on with
    /// its edge values; the filtered axis too goes on with its own.
    private static func row(
        _ ideal: (first: Int, weights: [Double]), _ filter: [Double], _ n: Int
    ) -> (first: Int, weights: [Double]) {
        func held(_ index: Int) -> Int { min(max(index, 0), n - 1) }
        let radius = filter.count / 2
        let low = held(held(ideal.first) - radius)
        let high = held(held(ideal.first + ideal.weights.count - 1) + radius)
        var row = [Double](repeating: 0, count: high - low + 1)
        for (t, weight) in ideal.weights.enumerated() {
            let centre = held(ideal.first + t) - radius
            for (r, factor) in filter.enumerated() { row[held(centre + r) - low] += weight * factor }
        }
        return (low, row)
    }

    /// A Gaussian's weights to 4 sigma on either side; [1] for sigma 0.
    private static func gaussian(sigma: Double) -> [Double] {
        let radius = Int(4 * sigma + 0.5)
        guard radius > 0 else { return [1] }
        let weights = (-radius...radius).map { exp(-0.5 * Double($0 * $0) / (sigma * sigma)) }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }

    /// Outputs `rows` of `whole` alone, where only its inputs `window` are left and the others count as 0; neither is
    /// empty. Weights beside the window sum to less than 1, to 0 where an output reads nothing of it.
    package init(_ whole: AxisResampling, window: Range<Int>, rows: Range<Int>) {
        inputCount = window.count
        outputCount = rows.count
        scale = whole.scale
        offset = scale * Double(rows.lowerBound) + whole.offset - Double(window.lowerBound)
        taps = min(whole.taps, window.count)
        // Held to the window, what ascends still does, and every weight that is left has a place.
        let last = window.count - taps
        first = rows.map { min(max(whole.first[$0] - window.lowerBound, 0), last) }
        var weights = [Float](repeating: 0, count: rows.count * taps)
        for (o, row) in rows.enumerated() {
            for t in 0..<whole.taps where window.contains(whole.first[row] + t) {
                let input = whole.first[row] + t - window.lowerBound
                weights[o * taps + input - first[o]] = whole.weights[row * whole.taps + t]
            }
        }
        self.weights = weights
    }

    /// The outputs from the first to the last that give weight to one of inputs `window`.
    package func outputs(of window: Range<Int>) -> Range<Int> {
        let touched = (0..<outputCount).filter { o in
            (0..<taps).contains { window.contains(first[o] + $0) && weights[o * taps + $0] != 0 }
        }
        return touched.first.map { $0..<touched[touched.count - 1] + 1 } ?? 0..<0
    }

    /// The inputs that outputs `rows` read.
    public func inputs(for rows: Range<Int>) -> Range<Int> {
        let first = first[rows]
        guard let low = first.min(), let high = first.max() else { return 0..<0 }
        return low..<high + taps
    }

    /// True when every output copies one input: each has one weight, and that is 1.
    public var isCopy: Bool { taps == 1 && weights.allSatisfy { $0 == 1 } }

    /// True when the axis stays as it is.
    public var isIdentity: Bool { inputCount == outputCount && isCopy && first.elementsEqual(0..<inputCount) }
}
