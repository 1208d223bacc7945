import SardonyxGraph

/// The choices of a Resize that are the same for all axes.
struct ResampleFilter: Sendable {
    enum Mode: String { case nearest, linear, cubic }
    enum Rounding: String {
        case roundPreferFloor = "round_prefer_floor"
        case roundPreferCeil = "round_prefer_ceil"
        case floor, ceil
    }
    enum Coordinates: String {
        case halfPixel = "half_pixel"
        case halfPixelSymmetric = "half_pixel_symmetric"
        case pytorchHalfPixel = "pytorch_half_pixel"
        case alignCorners = "align_corners"
        case asymmetric
        case cropAndResize = "tf_crop_and_resize"
        /// In opsets 11 and 12 only.
        case halfPixelForNearest = "tf_half_pixel_for_nn"
    }

    let mode: Mode
    let rounding: Rounding
    let coordinates: Coordinates
    let isAntialiased: Bool
    let excludesOutside: Bool
    let cubicCoefficient: Double

    init(_ node: Node) throws(SardonyxError) {
        mode = try Self.choice(node, "mode", Mode.nearest)
        rounding = try Self.choice(node, "nearest_mode", Rounding.roundPreferFloor)
        coordinates = try Self.choice(node, "coordinate_transformation_mode", Coordinates.halfPixel)
        isAntialiased = node.flag("antialias")
        excludesOutside = node.flag("exclude_outside")
        cubicCoefficient = Double(node.float("cubic_coeff_a", default: -0.75))
        if isAntialiased && mode == .nearest {
            throw SardonyxError(.invalidModel, "antialias goes with the modes linear and cubic only")
        }
    }

    private static func choice<C: RawRepresentable<String>>(
        _ node: Node, _ name: String, _ absent: C
    ) throws(SardonyxError) -> C {
        guard let text = node.string(name) else { return absent }
        guard let choice = C(rawValue: text) else {
            throw SardonyxError(.invalidModel, "\(name) is '\(text)', which is not known")
        }
        return choice
    }

    /// Where an output lies in the input, in elements; nil where it takes the extrapolation value.
    func position(_ output: Int, _ axis: ResizeGeometry.Axis) -> Double? {
        let x = Double(output)
        let input = Double(axis.input)
        let width = axis.scale * input
        let result: Double
        switch coordinates {
        case .halfPixel: result = (x + 0.5) / axis.scale - 0.5
        case .halfPixelSymmetric:
            result = input / 2 * (1 - Double(axis.output) / width) + (x + 0.5) / axis.scale - 0.5
        case .pytorchHalfPixel: result = axis.output > 1 ? (x + 0.5) / axis.scale - 0.5 : 0
        case .alignCorners: result = width == 1 ? 0 : x * (input - 1) / (width - 1)
        case .asymmetric: result = x / axis.scale
        case .halfPixelForNearest: result = (x + 0.5) / axis.scale
        case .cropAndResize:
            let (start, end) = axis.roi
            result =
                axis.output > 1
                ? start * (input - 1) + x * (end - start) * (input - 1) / (width - 1)
                : 0.5 * (start + end) * (input - 1)
            guard result >= 0, result <= input - 1 else { return nil }
        }
        // Far outside all elements are the border's.
        return result.isNaN ? 0 : Double.clamping(result, -0x1p40, 0x1p40)
    }

    /// The nearest input of every output, -1 for the extrapolation value.
    func nearest(_ axis: ResizeGeometry.Axis) -> [Int32] {
        (0..<axis.output).map { output in
            guard let x = position(output, axis) else { return -1 }
            let low = x.rounded(.down)
            let fraction = x - low
            let goesUp: Bool
            switch rounding {
            case .roundPreferFloor: goesUp = fraction > 0.5
            case .roundPreferCeil: goesUp = fraction >= 0.5
            case .floor: goesUp = false
            case .ceil: goesUp = fraction > 0
            }
            return Int32(min(max(Int(low) + (goesUp ? 1 : 0), 0), axis.input - 1))
        }
    }

    /// The weights of inputs around a position `fraction` ∈ (0, 1] behind the input before it, and where they begin
    /// relative to that input.
    private func weights(_ fraction: Double, _ scale: Double) -> (start: Int, values: [Double]) {
        let scale = isAntialiased ? min(scale, 1) : 1
        let radius = mode == .linear ? 1.0 : 2.0
        let start = Int((-radius / scale).rounded(.down)) + 1
        var values = (start..<2 - start).map { kernel(scale * (Double($0) - fraction)) }
        if isAntialiased {
            let sum = values.reduce(0, +)
            for index in values.indices { values[index] /= sum }
        }
        return (start, values)
    }

    private func kernel(_ x: Double) -> Double {
        let x = abs(x)
        if mode == .linear { return max(1 - x, 0) }
        let a = cubicCoefficient
        if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
    }

    /// The inputs and weights of every output along an axis.
    func taps(_ axis: ResizeGeometry.Axis) -> AxisTaps {
        var table = AxisTaps(input: axis.input)
        for output in 0..<axis.output {
            guard let x = position(output, axis) else {
                table.append(first: 0, [])
                continue
            }
            // The input before x, and x itself only where x lies behind it.
            let base = Int(x.rounded(.up)) - 1
            let (start, values) = weights(x - Double(base), axis.scale)
            let begin = base + start
            let first = min(max(begin, 0), axis.input - 1)
            let last = min(max(begin + values.count - 1, 0), axis.input - 1)
            // Inputs before the first and behind the last are those at the border.
            var folded = [Double](repeating: 0, count: last - first + 1)
            var sum = 0.0
            for (index, value) in values.enumerated() {
                let place = begin + index
                if excludesOutside, place < 0 || place >= axis.input { continue }
                folded[min(max(place, 0), axis.input - 1) - first] += value
                sum += value
            }
            if excludesOutside, sum != 0 { for index in folded.indices { folded[index] /= sum } }
            table.append(first: first, folded)
        }
        return table
    }
}

/// For every output along an axis, the first of its inputs and their weights.
struct AxisTaps: Sendable {
    let input: Int
    private(set) var first: [Int32] = []
    private(set) var counts: [Int32] = []
    private var rows: [[Double]] = []

    init(input: Int) { self.input = input }

    /// An axis that is left as it is.
    static func identity(_ extent: Int) -> AxisTaps {
        var taps = AxisTaps(input: extent)
        for i in 0..<extent { taps.append(first: i, [1]) }
        return taps
    }

    var output: Int { first.count }
    var width: Int { max(rows.lazy.map(\.count).max() ?? 1, 1) }

    /// The weights in rows of `width`, filled up with zeros.
    var weights: [Double] {
        let width = width
        return rows.flatMap { $0 + [Double](repeating: 0, count: width - $0.count) }
    }

    /// - Parameter weights: empty for the extrapolation value.
    mutating func append(first: Int, _ weights: [Double]) {
        self.first.append(Int32(first))
        counts.append(Int32(weights.count))
        rows.append(weights)
    }
}
