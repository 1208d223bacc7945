/// The values that become black and white.
public enum Window: Sendable, Equatable {
    /// Percentiles, 0 to 100, of the finite values; a colour picture is shown as it is.
    case percentiles(Double, Double)
    /// Values, such as Hounsfield units.
    case range(Float, Float)
    /// DICOM's window centre and width in its form LINEAR_EXACT (PS3.3, C.11.2.1.3.2): black at centre − width / 2 and
    /// below, white at centre + width / 2 and above.
    case centre(Float, width: Float)

    /// The first percentile and the 99.5th: a few bright vessels or a metal clip do not darken the rest.
    public static let automatic = Window.percentiles(1, 99.5)

    /// Usual windows for CT in Hounsfield units.
    public static let presets: [(name: String, window: Window)] = [
        ("brain", .centre(40, width: 80)), ("stroke", .centre(40, width: 40)), ("subdural", .centre(75, width: 215)),
        ("bone", .centre(400, width: 1800)), ("lung", .centre(-600, width: 1500)),
        ("mediastinum", .centre(50, width: 350)), ("soft-tissue", .centre(40, width: 400)),
        ("liver", .centre(60, width: 160)), ("angiography", .centre(300, width: 600)),
    ]

    /// Reads "auto", a preset's name, "40,80" (centre, width above 0) or "2%,98%"; `nil` for anything else.
    public init?(_ text: String) {
        if text == "auto" {
            self = .automatic
            return
        }
        if let preset = Window.presets.first(where: { $0.name == text }) {
            self = preset.window
            return
        }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Double($0.hasSuffix("%") ? $0.dropLast() : $0) }
        let percents = parts.filter { $0.hasSuffix("%") }.count
        guard parts.count == 2, numbers.count == 2, numbers.allSatisfy({ abs($0) < 1e30 }) else { return nil }
        if percents == 2, numbers[0] >= 0, numbers[0] < numbers[1], numbers[1] <= 100 {
            self = .percentiles(numbers[0], numbers[1])
        } else if percents == 0, numbers[1] > 0 {
            self = .centre(Float(numbers[0]), width: Float(numbers[1]))
        } else {
            return nil
        }
    }

    /// Black and white for an image of which `sample` is a fair part; both finite, white above black.
    func limits(of sample: [Float]) -> (black: Float, white: Float) {
        var limits: (black: Float, white: Float)
        switch self {
        case .range(let low, let high): limits = (low, high)
        case .centre(let centre, let width): limits = (centre - width / 2, centre + width / 2)
        case .percentiles(let low, let high):
            let percents = [low, high].map { min(max($0, 0), 100) }
            guard var found = QuantileFinder.percentiles(percents, of: sample) else { return (0, 1) }
            if !(found[0] < found[1]) { found = QuantileFinder.percentiles([0, 100], of: sample) ?? found }
            limits = (found[0], found[1])
        }
        guard limits.black.isFinite, limits.white.isFinite else { return (0, 1) }
        // Beyond 2^24 a step of 1 is lost.
        return limits.black < limits.white ? limits : (limits.black, max(limits.black + 1, limits.black.nextUp))
    }
}

/// Values to greys: 0 is black, 1 white.
struct GreyScale {
    private let black: Double
    private let span: Double

    init(_ limits: (black: Float, white: Float)) {
        black = Double(limits.black)
        span = Double(limits.white) - black
    }

    /// Makes values greys, 0 to 1: cut before slices are smoothed, so that metal does not ring into its neighbours. A
    /// NaN is black.
    func apply(to values: inout [Float]) {
        values.withUnsafeMutableBufferPointer { values in
            for index in values.indices {
                let value = values[index]
                let grey = Float(min(max((Double(value) - black) / span, 0), 1))
                values[index] = value.isNaN ? 0 : grey
            }
        }
    }

    /// The nearest of 256 levels for each grey; what is beyond black or white is that.
    static func levels(_ greys: UnsafeBufferPointer<Float>, _ levels: inout [UInt8]) {
        precondition(greys.count == levels.count, "one level a grey")
        levels.withUnsafeMutableBufferPointer { levels in
            for index in greys.indices {
                let level = min(max(greys[index], 0), 1) * 255 + 0.5
                // Of a sum of 2^23 and more the last bits count ones: this rounds as the processor does, and then down.
                let sum = level + 0x1p23
                let isAbove = sum - 0x1p23 > level
                levels[index] = UInt8(truncatingIfNeeded: sum.bitPattern &- (isAbove ? 1 : 0))
            }
        }
    }
}
