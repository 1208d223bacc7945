/// Figures of the values in a region, over a whole image that goes by slice by slice.
struct RegionFigures: Sendable, Equatable {
    private(set) var count = 0
    private(set) var least = Float.infinity
    private(set) var most = -Float.infinity
    private(set) var mean = 0.0
    private var squares = 0.0
    /// In the order in which they were asked for; empty until all passes are done.
    private(set) var percentiles: [Float] = []

    /// The population's standard deviation.
    var deviation: Double { count == 0 ? 0 : (squares / Double(count)).squareRoot() }

    /// One slice of an image that is walked through: its values, and 1 for each of the foreground where that is known.
    typealias Walk = (_ visit: (UnsafeMutableBufferPointer<Float>, UnsafeBufferPointer<UInt16>?) -> Void) throws -> Void

    /// Walks through the image once, twice when there are percentiles, which are exact: linear between neighbours
    /// in order, as NumPy's.
    init(of region: Pipeline.Region, percentiles wanted: [Double], _ walk: Walk) throws {
        var high = [Int](repeating: 0, count: wanted.isEmpty ? 0 : 1 << 16)
        try walk { values, mask in
            var (n, sum, low, top) = (0, 0.0, Float.infinity, -Float.infinity)
            for index in values.indices where region.contains(values[index], mask?[index]) {
                let value = values[index]
                n += 1
                sum += Double(value)
                low = min(low, value)
                top = max(top, value)
                if !high.isEmpty { high[Int(RegionFigures.rank(value) >> 16)] += 1 }
            }
            guard n > 0 else { return }
            let local = sum / Double(n)
            var spread = 0.0
            for index in values.indices where region.contains(values[index], mask?[index]) {
                let distance = Double(values[index]) - local
                spread += distance * distance
            }
            let delta = local - mean
            squares += spread + delta * delta * Double(count) * Double(n) / Double(count + n)
            mean += delta * Double(n) / Double(count + n)
            count += n
            least = min(least, low)
            most = max(most, top)
        }
        guard !wanted.isEmpty, count > 0 else { return }

        // Each percentile lies between two values of known places in order: the upper halves of their bits are known
        // from the first walk, the lower halves come from the second.
        let places = wanted.map { min(max($0, 0), 100) / 100 * Double(count - 1) }
        let needed = Set(places.flatMap { [Int($0.rounded(.down)), Int($0.rounded(.up))] })
        var bin: [Int: (high: Int, before: Int)] = [:]
        var before = 0
        for (index, number) in high.enumerated() where number > 0 {
            for place in needed where place >= before && place < before + number { bin[place] = (index, before) }
            before += number
        }
        let bins = Set(bin.values.map(\.high)).sorted()
        var table = [Int](repeating: -1, count: 1 << 16)
        for (index, high) in bins.enumerated() { table[high] = index << 16 }
        var low = [Int](repeating: 0, count: bins.count << 16)
        try walk { values, mask in
            for index in values.indices where region.contains(values[index], mask?[index]) {
                let bits = RegionFigures.rank(values[index])
                let start = table[Int(bits >> 16)]
                if start >= 0 { low[start + Int(bits & 0xFFFF)] += 1 }
            }
        }
        func value(at place: Int) -> Float {
            guard let found = bin[place] else { return most }
            var rest = place - found.before
            for index in 0..<1 << 16 {
                let number = low[table[found.high] + index]
                if rest < number { return RegionFigures.value(UInt32(found.high) << 16 | UInt32(index)) }
                rest -= number
            }
            return most
        }
        percentiles = places.map { place in
            let (a, b) = (value(at: Int(place.rounded(.down))), value(at: Int(place.rounded(.up))))
            return Float(Double(a) + (Double(b) - Double(a)) * (place - place.rounded(.down)))
        }
    }

    /// Bits that order as their floats do.
    private static func rank(_ value: Float) -> UInt32 {
        let bits = value.bitPattern
        return bits >> 31 == 1 ? ~bits : bits | 1 << 31
    }

    private static func value(_ rank: UInt32) -> Float {
        Float(bitPattern: rank >> 31 == 1 ? rank & 0x7FFF_FFFF : ~rank)
    }
}
