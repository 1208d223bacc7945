/// The values that become black and white.
public enum Window: Sendable, Equatable {
    /// Percentiles, 0 to 100, of the finite values.
    case percentiles(Double, Double)
    /// Values, such as Hounsfield units.
    case range(Float, Float)

    /// Black and white for a volume; white is always above black.
    func limits(of volume: Volume<Float>) -> (black: Float, white: Float) {
        var limits: (Float, Float)
        switch self {
        case .range(let low, let high): limits = (low, high)
        case .percentiles(let low, let high):
            // A few hundred thousand values place a percentile well within a grey level.
            let step = max(1, volume.voxels.count / 500_000)
            var sample = stride(from: 0, to: volume.voxels.count, by: step).map { volume.voxels[$0] }
            sample.removeAll { !$0.isFinite }
            sample.sort()
            guard let last = sample.indices.last else { return (0, 1) }
            func value(_ percent: Double) -> Float {
                sample[Int((Double(last) * min(max(percent, 0), 100) / 100).rounded())]
            }
            limits = (value(low), value(high))
            if limits.0 == limits.1 { limits = (sample[0], sample[last]) }
        }
        return limits.0 < limits.1 ? limits : (limits.0, limits.0 + 1)
    }
}
