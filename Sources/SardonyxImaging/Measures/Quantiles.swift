/// Exact percentiles of the values of many regions at once, from several passes over them: each pass counts the next
/// binary digits of the values around each rank sought. Memory: at most `counterLimit` counters of 8 bytes, or two a
/// rank where those are more; the more regions, the more passes (16 bits a pass for a few, so two passes).
struct QuantileFinder {
    private let counterLimit: Int

    /// A rank sought in a region, counted from the first value whose leading digits are `prefix`.
    private struct Target {
        let region: Int
        var rank: Int
        var prefix: UInt64 = 0
    }

    private let percents: [Double]
    private let regions: Int
    private var targets: [Target] = []
    /// Digits known, and digits that this pass counts.
    private var known = 0
    private var digits = 0
    /// Region r counts the values with the prefixes `prefixes[starts[r]..<starts[r + 1]]`.
    private var starts: [Int]
    private var prefixes: [UInt64]
    private var counters: [Int] = []
    /// The digits of one value, and those in which any other differs from it.
    private var sample: UInt64?
    private var varying: UInt64 = 0

    init(percents: [Double], regions: Int, counterLimit: Int) {
        self.counterLimit = counterLimit
        self.percents = percents
        self.regions = regions
        starts = percents.isEmpty ? [Int](repeating: 0, count: regions + 1) : Array(0...regions)
        prefixes = [UInt64](repeating: 0, count: starts[regions])
        reset()
    }

    /// Counters wait for the first value.
    private mutating func reset() {
        let share = max(2, counterLimit / max(1, prefixes.count))
        digits = min(16, 32 - known, Int.bitWidth - 1 - share.leadingZeroBitCount)
        counters = []
    }

    private mutating func prepare() {
        if counters.isEmpty { counters = [Int](repeating: 0, count: prefixes.count << digits) }
    }

    /// Unsigned integers in the order of the values.
    @inline(__always)
    private static func key(_ value: Float) -> UInt64 {
        let bits = value.bitPattern
        return UInt64(bits ^ (UInt32(bitPattern: Int32(bitPattern: bits) &>> 31) | 0x8000_0000))
    }

    /// Values of a region; those that are not finite are left out.
    mutating func add(_ values: UnsafeBufferPointer<Float>, region: Int) {
        let groups = starts[region]..<starts[region + 1]
        if groups.isEmpty { return }
        prepare()
        let (shift, known) = (UInt64(32 - self.known), UInt64(32 - self.known - digits))
        let mask = UInt64(1) << UInt64(digits) - 1
        let sample = sample ?? values.first(where: \.isFinite).map(QuantileFinder.key) ?? 0
        var varying: UInt64 = 0
        prefixes.withUnsafeBufferPointer { prefixes in
            counters.withUnsafeMutableBufferPointer { counters in
                if self.known == 0 {
                    // All digits before are none, so that every value counts.
                    let own = counters.baseAddress! + starts[region] << digits
                    for value in values where value.isFinite {
                        let key = QuantileFinder.key(value)
                        varying |= key ^ sample
                        own[Int(truncatingIfNeeded: key &>> known)] &+= 1
                    }
                    return
                }
                for value in values where value.isFinite {
                    let key = QuantileFinder.key(value)
                    varying |= key ^ sample
                    let prefix = key &>> shift
                    for group in groups where prefixes[group] == prefix {
                        counters[group &<< digits + Int(key &>> known & mask)] &+= 1
                        break
                    }
                }
            }
        }
        self.varying |= varying
        if self.sample == nil, values.contains(where: \.isFinite) { self.sample = sample }
    }

    /// Finite values of a region in the first pass, each with how often it occurs.
    mutating func add(counted values: [(value: Float, count: Int)], region: Int) {
        precondition(known == 0, "in the first pass")
        if starts[region] == starts[region + 1] { return }
        prepare()
        for (value, count) in values {
            let key = QuantileFinder.key(value)
            varying |= key ^ (sample ?? key)
            sample = sample ?? key
            counters[starts[region] << digits + Int(key >> UInt64(32 - digits))] += count
        }
    }

    /// Ends a pass; `counts` are the finite values of each region. True when another pass is needed.
    mutating func endPass(_ counts: [Int]) -> Bool {
        if prefixes.isEmpty { return false }
        prepare()
        if known == 0 {
            for region in 0..<regions where counts[region] > 0 {
                for percent in percents {
                    let (low, high, _) = QuantileFinder.place(percent, counts[region])
                    targets += [Target(region: region, rank: low), Target(region: region, rank: high)]
                }
            }
        }
        for t in targets.indices {
            let region = targets[t].region
            let group = (starts[region]..<starts[region + 1]).first { prefixes[$0] == targets[t].prefix }!
            var bin = 0
            while targets[t].rank >= counters[group << digits + bin] {
                targets[t].rank -= counters[group << digits + bin]
                bin += 1
            }
            targets[t].prefix = targets[t].prefix << UInt64(digits) | UInt64(bin)
        }
        known += digits
        // The rest is the same in all values, as in those of small whole numbers.
        let rest = UInt64(1) << UInt64(32 - known) - 1
        if let sample, varying & rest == 0 {
            for t in targets.indices { targets[t].prefix = targets[t].prefix << UInt64(32 - known) | sample & rest }
            known = 32
        }
        var wanted = [[UInt64]](repeating: [], count: regions)
        for target in targets where known < 32 && !wanted[target.region].contains(target.prefix) {
            wanted[target.region].append(target.prefix)
        }
        prefixes = wanted.flatMap { $0 }
        for region in 0..<regions { starts[region + 1] = starts[region] + wanted[region].count }
        reset()
        return !prefixes.isEmpty
    }

    /// After the last pass: the percentiles of each region, interpolated linearly between values as NumPy does; `nil`
    /// for a region without values.
    func result(_ counts: [Int]) -> [[Double]?] {
        var result = [[Double]?](repeating: nil, count: regions)
        var t = 0
        while t < targets.count {
            let region = targets[t].region
            result[region] = percents.enumerated().map { index, percent in
                let (_, _, fraction) = QuantileFinder.place(percent, counts[region])
                let (low, high) = (value(targets[t + 2 * index]), value(targets[t + 2 * index + 1]))
                return low + (high - low) * fraction
            }
            t += 2 * percents.count
        }
        return result
    }

    /// Percentiles, each 0 to 100, of values that rise, each with how often it occurs; at least one.
    static func percentiles(_ percents: [Double], counted values: [(value: Float, count: Int)]) -> [Double] {
        let total = values.reduce(0) { $0 + $1.count }
        func value(_ rank: Int) -> Double {
            var rest = rank
            for (value, count) in values {
                if rest < count { return Double(value) }
                rest -= count
            }
            return Double(values[values.count - 1].value)
        }
        return percents.map {
            let (low, high, fraction) = place($0, total)
            return value(low) + (value(high) - value(low)) * fraction
        }
    }

    /// Percentiles, each 0 to 100, of the finite values; `nil` where there are none.
    static func percentiles(_ percents: [Double], of values: [Float]) -> [Float]? {
        var finder = QuantileFinder(percents: percents, regions: 1, counterLimit: 1 << 18)
        let count = values.count(where: \.isFinite)
        repeat { values.withUnsafeBufferPointer { finder.add($0, region: 0) } } while finder.endPass([count])
        return finder.result([count])[0]?.map { Float($0) }
    }

    private func value(_ target: Target) -> Double {
        let key = UInt32(target.prefix)
        return Double(Float(bitPattern: key >> 31 == 1 ? key & 0x7fff_ffff : ~key))
    }

    private static func place(_ percent: Double, _ count: Int) -> (low: Int, high: Int, fraction: Double) {
        let place = Double(count - 1) * percent / 100
        let low = min(Int(place), count - 1)
        return (low, min(low + 1, count - 1), place - Double(low))
    }
}
