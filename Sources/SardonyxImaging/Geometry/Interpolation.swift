/// How a value between voxel centres is found.
public enum Interpolation: String, Sendable, CaseIterable {
    /// The value of the voxel that the point lies in; on the face between two, the one of the higher index.
    case nearest
    /// Linear along each axis between the 8 voxel centres around the point.
    case linear
    /// The cubic spline through the voxel centres, which has two smooth derivatives and may overshoot beside edges:
    /// SciPy's `order=3` with `mode="nearest"`, and nnU-Net's for images.
    case cubic

    /// Weights, whose sum is 1, of the values at indices `first`, `first` + 1, … of an endless axis for a place on it.
    func weights(at place: Double) -> (first: Int, weights: [Double]) {
        // A hair counts as none: rounding in a grid's matrix must not turn the nearest voxel into its neighbour, nor
        // a copy into a sum.
        let whole = place.rounded()
        let place = abs(place - whole) < 1e-7 ? whole : place
        let low = place.rounded(.down)
        let t = place - low
        if self == .nearest { return (Int((place + 0.5 + 1e-7).rounded(.down)), [1]) }
        if t == 0 { return (Int(low), [1]) }
        if self == .linear { return (Int(low), [1 - t, t]) }
        let weights = (1 - Spline.reach...Spline.reach).map { Spline.cardinal(t - Double($0)) }
        let sum = weights.reduce(0, +)
        return (Int(low) + 1 - Spline.reach, weights.map { $0 / sum })
    }
}

/// The cubic spline of equal steps.
enum Spline {
    /// How far, in indices, an output looks to each side. The true reach is endless, but weights fall by 2 − √3 an
    /// index: those left out sum to less than 3e-6.
    static let reach = 10

    /// √3 · z^|j|, z = √3 − 2: coefficient j of the spline that is 1 at index 0 and 0 at all others.
    static func coefficient(_ j: Int) -> Double {
        let pole = 3.0.squareRoot() - 2
        return (0..<abs(j)).reduce(3.0.squareRoot()) { value, _ in value * pole }
    }

    /// The B-spline, 2/3 at 0 and 0 from ±2 on.
    static func basis(_ x: Double) -> Double {
        let a = abs(x)
        if a < 1 { return 2.0 / 3 - a * a * (1 - a / 2) }
        return a < 2 ? (2 - a) * (2 - a) * (2 - a) / 6 : 0
    }

    /// The spline that is 1 at index 0 and 0 at all others.
    static func cardinal(_ x: Double) -> Double {
        let low = Int(x.rounded(.down))
        return (low - 1...low + 2).reduce(0) { $0 + coefficient($1) * basis(x - Double($1)) }
    }
}
