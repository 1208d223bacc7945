import SardonyxGraph

/// The attributes of a GridSample.
struct GridSettings: Sendable {
    enum Mode: String { case nearest, linear, cubic }
    enum Padding: String { case zeros, border, reflection }

    let mode: Mode
    let padding: Padding
    let alignsCorners: Bool

    init(_ node: Node) throws(SardonyxError) {
        let mode = node.string("mode", default: "linear")
        let padding = node.string("padding_mode", default: "zeros")
        guard let knownMode = Mode(rawValue: mode), let knownPadding = Padding(rawValue: padding) else {
            throw SardonyxError(
                .invalidModel,
                "mode is '\(mode)' and padding_mode '\(padding)'; they must be nearest, linear or cubic, and zeros, border or "
                    + "reflection")
        }
        (self.mode, self.padding) = (knownMode, knownPadding)
        alignsCorners = node.flag("align_corners")
    }

    /// Taps along one axis.
    var width: Int { mode == .nearest ? 1 : mode == .linear ? 2 : 4 }
}

/// An element that contributes to a sample.
struct GridTap {
    let position: Int
    let weight: Double
}

/// The extents of a GridSample, and the way from a point of the grid to the elements around it.
struct GridGeometry: Sendable {
    let settings: GridSettings
    let batch: Int
    let channels: Int
    let extents: [Int]
    /// Elements of a channel.
    let inputs: Int
    /// Points of a sample's grid.
    let outputs: Int
    private let strides: [Int]

    init(settings: GridSettings, x: [Int], grid: [Int]) {
        self.settings = settings
        batch = x[0]
        channels = x[1]
        extents = Array(x.dropFirst(2))
        inputs = extents.elementCount
        outputs = grid.dropFirst().dropLast().reduce(1, *)
        strides = extents.rowMajorStrides
    }

    /// Calls `body` with the elements around each point in a range that counts through all samples.
    @inline(__always)
    func forEachPoint<G: Real>(
        _ range: Range<Int>, _ grid: UnsafePointer<G>,
        _ body: (_ image: Int, _ output: Int, _ taps: UnsafeBufferPointer<GridTap>) -> Void
    ) {
        let rank = extents.count
        let width = settings.width
        var combinations = 1
        for _ in 0..<rank { combinations *= width }
        // SAFETY: every access is below the capacities.
        withUnsafeTemporaryAllocation(of: GridTap.self, capacity: combinations) { taps in
            withUnsafeTemporaryAllocation(of: GridTap.self, capacity: rank * width) { axes in
                let axes = axes.baseAddress.unsafelyUnwrapped
                let all = taps.baseAddress.unsafelyUnwrapped
                for point in range {
                    for axis in 0..<rank {
                        // The grid counts axes from the innermost.
                        let coordinate = grid[point * rank + rank - 1 - axis].wide
                        along(axis, Double(position(coordinate, extents[axis])), axes + axis * width)
                    }
                    var count = 0
                    for combination in 0..<combinations {
                        var rest = combination
                        var position = 0
                        var weight = 1.0
                        for axis in (0..<rank).reversed() {
                            let tap = axes[axis * width + rest % width]
                            rest /= width
                            if tap.position < 0 {
                                position = -1
                                break
                            }
                            position += tap.position
                            weight *= tap.weight
                        }
                        if position >= 0 {
                            (all + count).initialize(to: GridTap(position: position, weight: weight))
                            count += 1
                        }
                    }
                    body(point / outputs, point % outputs, UnsafeBufferPointer(start: all, count: count))
                }
            }
        }
    }

    /// From -1 … 1 to elements, in the grid's own precision.
    @inline(__always)
    private func position<W: BinaryFloatingPoint>(_ coordinate: W, _ extent: Int) -> W {
        settings.alignsCorners
            ? (coordinate + 1) / 2 * W(extent - 1) : ((coordinate + 1) * W(extent) - 1) / 2
    }

    /// The elements around `x` along an axis, as positions times the axis's stride; -1 for zeros around the input.
    private func along(_ axis: Int, _ x: Double, _ taps: UnsafeMutablePointer<GridTap>) {
        let extent = extents[axis]
        let low = settings.alignsCorners ? 0 : -0.5
        let high = Double(extent) - (settings.alignsCorners ? 1 : 0.5)
        var x = x.isNaN ? -0x1p40 : Double.clamping(x, -0x1p40, 0x1p40)
        if settings.mode == .nearest { x = x.rounded(.toNearestOrEven) }
        if x < low || x > high {
            switch settings.padding {
            case .zeros: break
            case .border: x = Double.clamping(x, 0, Double(extent - 1))
            case .reflection: x = Self.reflect(x, low, high)
            }
        }
        let base = x.rounded(.down)
        let fraction = x - base
        let width = settings.width
        for tap in 0..<width {
            let offset = width == 4 ? tap - 1 : tap
            let weight: Double
            switch settings.mode {
            case .nearest: weight = 1
            case .linear: weight = tap == 0 ? 1 - fraction : fraction
            case .cubic: weight = Self.cubic(abs(Double(offset) - fraction))
            }
            var place = Int(base) + offset
            if place < 0 || place >= extent {
                switch settings.padding {
                case .zeros: place = -1
                case .border: place = min(max(place, 0), extent - 1)
                case .reflection: place = min(max(Int(Self.reflect(Double(place), low, high)), 0), extent - 1)
                }
            }
            (taps + tap).initialize(to: GridTap(position: place < 0 ? -1 : place * strides[axis], weight: weight))
        }
    }

    private static func cubic(_ x: Double) -> Double {
        let a = -0.75
        if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
    }

    /// x thrown back at both ends until it is within.
    private static func reflect(_ x: Double, _ low: Double, _ high: Double) -> Double {
        let range = high - low
        guard range > 0, x < low || x > high else { return range > 0 ? x : low }
        let distance = x < low ? low - x : x - high
        let times = (distance / range).rounded(.down)
        let rest = distance - times * range
        let isEven = times.truncatingRemainder(dividingBy: 2) == 0
        return (x < low) == isEven ? low + rest : high - rest
    }
}

extension GridSettings {
    /// For derivatives: the elements around a coordinate along an axis of so many, as places and weights.
    func taps(_ coordinate: Term, extent: Term) throws -> [(place: Term, weight: Term)] {
        let size = try extent.converted(to: coordinate)
        let last = try size - 1
        var x = try alignsCorners ? (coordinate + 1) / 2 * last : ((coordinate + 1) * size - 1) / 2
        if mode == .nearest { x = try x.apply("Round") }
        if padding == .reflection { x = try reflected(x, size: size) }
        func bounded(_ x: Term) throws -> Term { try x.apply("Max", x.number(0)).apply("Min", last) }
        if padding == .border, mode == .cubic {
            // Up to the outer edges of the outermost elements the curve goes on.
            let isBelow = try x.isLess(than: alignsCorners ? 0 : -0.5)
            let isOutside = try isBelow.apply("Or", x.isGreater(than: alignsCorners ? last : size - 0.5))
            x = try isOutside.choose(bounded(x), else: x)
        } else if padding != .zeros, mode != .cubic {
            x = try bounded(x)
        }
        let base = try x.apply("Floor")
        return try weights(x - base).map { offset, weight in
            var around = try base + Double(offset)
            if padding == .reflection, mode == .cubic { around = try reflected(around, size: size) }
            let place = try around.apply("Cast", with: ["to": .int(Int64(DataType.int64.rawValue))])
            let isInside = try place.isLess(than: 0).apply("Not").apply("And", place.isLess(than: extent))
            let bounded = try place.apply("Max", place.number(0)).apply("Min", extent - 1)
            return (bounded, try padding == .zeros ? weight.kept(where: isInside) : weight)
        }
    }

    /// Elements around a position and their weights, from its distance to the element before it.
    private func weights(_ fraction: Term) throws -> [(offset: Int, weight: Term)] {
        switch mode {
        case .nearest: return [(0, try fraction.number(1))]
        case .linear: return [(0, try 1 - fraction), (1, fraction)]
        case .cubic:
            // The polynomials of `cubic`, with its -0.75.
            func near(_ t: Term) throws -> Term { try (t * 1.25 - 2.25) * t.squared() + 1 }
            func far(_ t: Term) throws -> Term { try ((t * -0.75 + 3.75) * t - 6) * t + 3 }
            return [
                (-1, try far(fraction + 1)), (0, try near(fraction)), (1, try near(1 - fraction)),
                (2, try far(2 - fraction)),
            ]
        }
    }

    /// Positions thrown back at both ends until they are within.
    private func reflected(_ x: Term, size: Term) throws -> Term {
        let (low, range) = alignsCorners ? (0.0, try size - 1) : (-0.5, size)
        // There and back; an axis of one element has no way to go.
        let way = try range * 2
        let isPoint = try way.isEqual(to: way.number(0))
        let period = try isPoint.choose(way.number(1), else: way)
        let distance = try x - low
        let rest = try distance - (distance / period).apply("Floor") * period
        return try isPoint.choose(x.number(low), else: low + range - (rest - range).abs())
    }
}
