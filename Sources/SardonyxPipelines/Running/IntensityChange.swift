/// A pipeline's intensity step with all figures known.
enum IntensityChange: Sendable, Equatable {
    case clip(low: Float, high: Float)
    /// v ↦ (v − subtract) / divisor · factor + offset
    case linear(subtract: Float, divisor: Float, factor: Float, offset: Float)
    /// v ↦ (v − mean) / deviation in the region; outside it 0 or as it was.
    case normalizeRegion(mean: Float, deviation: Float, region: Pipeline.Region, zeroesOutside: Bool)

    /// Changes values where they are. `region` holds 1 for values of the foreground where the step asks for that.
    func apply(_ values: UnsafeMutableBufferPointer<Float>, region mask: UnsafeBufferPointer<UInt16>?) {
        switch self {
        case .clip(let low, let high):
            for index in values.indices { values[index] = min(max(values[index], low), high) }
        case .linear(let subtract, let divisor, let factor, let offset):
            if factor == 1, offset == 0 {
                for index in values.indices { values[index] = (values[index] - subtract) / divisor }
            } else {
                for index in values.indices {
                    values[index] = (values[index] - subtract) / divisor * factor + offset
                }
            }
        case .normalizeRegion(let mean, let deviation, let region, let zeroesOutside):
            for index in values.indices {
                let value = values[index]
                if region.contains(value, mask?[index]) {
                    values[index] = (value - mean) / deviation
                } else if zeroesOutside {
                    values[index] = 0
                }
            }
        }
    }
}

extension IntensityChange {
    /// Brings a network's values back to the source's scale; what a clip took away stays away. A region's change has no
    /// way back (`Pipeline.problems`).
    func revert(_ values: UnsafeMutableBufferPointer<Float>) {
        switch self {
        case .clip, .normalizeRegion: return
        case .linear(let subtract, let divisor, let factor, let offset):
            guard factor != 0 else { return }
            for index in values.indices {
                values[index] = (values[index] - offset) / factor * divisor + subtract
            }
        }
    }
}

extension Pipeline.Region {
    /// Whether a value counts; `inside` is 1 for the foreground.
    @inline(__always)
    func contains(_ value: Float, _ inside: UInt16?) -> Bool {
        switch self {
        case .everything: true
        case .above(let bound): Double(value) > bound
        case .nonzero: value != 0
        case .foreground: (inside ?? 1) != 0
        }
    }
}

extension Pipeline.IntensityStep {
    /// The region whose figures the step needs; `nil` when it needs none.
    var region: Pipeline.Region? {
        switch self {
        case .clip, .scale, .normalize, .linear: nil
        case .clipPercentiles(_, _, let region), .scaleToRange(_, _, let region), .divideByMaximum(let region),
            .scalePercentiles(_, _, _, _, _, let region), .zScore(let region, _):
            region
        }
    }

    /// Percentiles that the step needs, 0 to 100.
    var percentiles: [Double] {
        switch self {
        case .clipPercentiles(let low, let high, _), .scalePercentiles(let low, let high, _, _, _, _): [low, high]
        default: []
        }
    }

    /// Whether the step needs mean and deviation.
    var needsMoments: Bool { if case .zScore = self { true } else { false } }

    /// The step with figures in place of what it asks for.
    func resolved(_ found: RegionFigures?) -> [IntensityChange] {
        switch self {
        case .clip(let low, let high): return [.clip(low: Float(low), high: Float(high))]
        case .scale(let low, let high, let newLow, let newHigh, let clips):
            return Self.scale(Float(low), Float(high), newLow, newHigh, clips)
        case .normalize(let mean, let deviation):
            return [.linear(subtract: Float(mean), divisor: Float(max(deviation, 1e-8)), factor: 1, offset: 0)]
        case .linear(let factor, let offset):
            return [.linear(subtract: 0, divisor: 1, factor: Float(factor), offset: Float(offset))]
        case .clipPercentiles:
            guard let found, found.percentiles.count == 2 else { return [] }
            return [.clip(low: found.percentiles[0], high: found.percentiles[1])]
        case .scalePercentiles(_, _, let newLow, let newHigh, let clips, _):
            guard let found, found.percentiles.count == 2 else { return [] }
            return Self.scale(found.percentiles[0], found.percentiles[1], newLow, newHigh, clips)
        case .divideByMaximum:
            guard let found, found.most > 0 else { return [] }
            return [.linear(subtract: 0, divisor: found.most, factor: 1, offset: 0)]
        case .scaleToRange(let newLow, let newHigh, _):
            guard let found, found.count > 0 else { return [] }
            return Self.scale(found.least, found.most, newLow, newHigh, false)
        case .zScore(let region, let onlyInside):
            guard let found, found.count > 0 else { return [] }
            let (mean, deviation) = (Float(found.mean), Float(max(found.deviation, 1e-8)))
            if region == .everything {
                return [.linear(subtract: mean, divisor: deviation, factor: 1, offset: 0)]
            }
            return onlyInside
                ? [.normalizeRegion(mean: mean, deviation: deviation, region: region, zeroesOutside: true)]
                : [.linear(subtract: mean, divisor: deviation, factor: 1, offset: 0)]
        }
    }

    /// An image of one value throughout becomes `newLow`.
    private static func scale(
        _ low: Float, _ high: Float, _ newLow: Double, _ newHigh: Double, _ clips: Bool
    ) -> [IntensityChange] {
        let change = IntensityChange.linear(
            subtract: low, divisor: high == low ? 1 : high - low, factor: high == low ? 1 : Float(newHigh - newLow),
            offset: Float(newLow))
        return clips
            ? [change, .clip(low: Float(min(newLow, newHigh)), high: Float(max(newLow, newHigh)))] : [change]
    }
}
