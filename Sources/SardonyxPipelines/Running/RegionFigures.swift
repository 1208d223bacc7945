import CKernels
import SardonyxExecution

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
    ///
    /// - Parameter moments: whether mean and deviation are wanted; without them they mean nothing.
    init(
        of region: Pipeline.Region, percentiles wanted: [Double], moments: Bool, _ pool: WorkerPool, _ walk: Walk
    ) throws {
        var high = [Int](repeating: 0, count: wanted.isEmpty ? 0 : 1 << 16)
        try walk { values, mask in
            if region == .everything, !moments, let part = Part(rangeOf: values, pool) {
                add(part)
            } else {
                for part in Part.all(of: values, mask, region, pool) { add(part) }
            }
            guard !high.isEmpty else { return }
            for index in values.indices where region.contains(values[index], mask?[index]) {
                high[Int(RegionFigures.rank(values[index]) >> 16)] += 1
            }
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

    private mutating func add(_ part: Part) {
        guard part.count > 0 else { return }
        let (n, delta) = (part.count, part.mean - mean)
        squares += part.squares + delta * delta * Double(count) * Double(n) / Double(count + n)
        mean += delta * Double(n) / Double(count + n)
        count += n
        least = min(least, part.least)
        most = max(most, part.most)
    }

    /// Figures of some values of a slice.
    private struct Part {
        var count = 0
        var mean = 0.0
        var squares = 0.0
        var least = Float.infinity
        var most = -Float.infinity

        /// Few enough to stay in a cache.
        private static let size = 1 << 14

        /// The parts of a slice, worked out on the pool's threads; the cuts do not depend on their number.
        static func all(
            of values: UnsafeMutableBufferPointer<Float>, _ mask: UnsafeBufferPointer<UInt16>?,
            _ region: Pipeline.Region, _ pool: WorkerPool
        ) -> [Part] {
            var parts = [Part](repeating: Part(), count: (values.count + size - 1) / size)
            parts.withUnsafeMutableBufferPointer { parts in
                let shared = Shared((values: UnsafeBufferPointer(values), mask: mask, parts: parts))
                pool.forEach(parts.count) { number in
                    let (values, mask, parts) = shared.base
                    let range = number * size..<min(values.count, (number + 1) * size)
                    // SAFETY: each number has a part of its own.
                    parts[number] =
                        switch region {
                        case .everything: Part(values, range) { _ in true }
                        case .above(let bound): Part(values, range) { Double(values[$0]) > bound }
                        case .nonzero: Part(values, range) { values[$0] != 0 }
                        case .foreground: Part(values, range) { (mask?[$0] ?? 1) != 0 }
                        }
                }
            }
            return parts
        }

        init() {}

        /// Count, least and most alone; `nil` where not all values are finite.
        init?(rangeOf values: UnsafeMutableBufferPointer<Float>, _ pool: WorkerPool) {
            guard let base = values.baseAddress, !values.isEmpty else { return nil }
            count = values.count
            sdx_reduce_f32(pool.pointer, SDX_REDUCE_MIN, base, &least, 1, Int64(count), 1)
            sdx_reduce_f32(pool.pointer, SDX_REDUCE_MAX, base, &most, 1, Int64(count), 1)
            guard least.isFinite, most.isFinite else { return nil }
        }

        @inline(__always)
        private init(_ values: UnsafeBufferPointer<Float>, _ range: Range<Int>, _ counts: (Int) -> Bool) {
            var sum = 0.0
            for index in range where counts(index) {
                let value = values[index]
                count += 1
                sum += Double(value)
                least = min(least, value)
                most = max(most, value)
            }
            guard count > 0 else { return }
            mean = sum / Double(count)
            for index in range where counts(index) {
                let distance = Double(values[index]) - mean
                squares += distance * distance
            }
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
