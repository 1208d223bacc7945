/// How often each whole number occurs in many regions, while values are such and small, as those of most images are: sums
/// and percentiles come from the counts in the end, exact, in one pass over the values.
///
/// Memory: 16 bytes for each number of each region: 64 kB a region for -1024 to 3071, twice that as often as values ask
/// for it, up to 1 MB for -16384 to 49151; never more than `byteLimit` (and what was before, while it grows).
struct WholeCounts {
    private let regions: Int
    private let byteLimit: Int
    /// Bits of the numbers counted; a quarter of them are below 0.
    private var bits: Int
    /// For each region four tables of a counter a number, so that one is not waited for by the next value.
    private var counters: [UInt32]

    private static let widths = 12...16
    private static let lanes = 4
    /// Values that are looked at before they are counted.
    private static let block = 64

    /// Nothing counted; `nil` when the counters would not fit, or not count so many voxels.
    init?(regions: Int, voxels: Int, byteLimit: Int) {
        (self.regions, self.byteLimit, bits) = (regions, byteLimit, WholeCounts.widths.lowerBound)
        guard regions > 0, voxels <= Int(UInt32.max), WholeCounts.fits(regions, bits, byteLimit) else { return nil }
        counters = [UInt32](repeating: 0, count: regions * WholeCounts.lanes << bits)
    }

    private static func fits(_ regions: Int, _ bits: Int, _ byteLimit: Int) -> Bool {
        regions <= byteLimit >> bits / (lanes * MemoryLayout<UInt32>.stride)
    }

    /// Counts values of a region up to the first that is not whole or too large.
    ///
    /// - Returns: How many it has counted.
    mutating func add(_ values: UnsafeBufferPointer<Float>, region: Int) -> Int {
        var done = count(values, region)
        while done < values.count, widen(for: values[done]) {
            done += count(UnsafeBufferPointer(rebasing: values[done...]), region)
        }
        return done
    }

    /// What it adds makes the last bits of a Float those of a whole number: 1.5 · 2²³.
    private static let shift: Float = 0x1.8p23

    private mutating func count(_ values: UnsafeBufferPointer<Float>, _ region: Int) -> Int {
        guard let base = values.baseAddress else { return 0 }
        let bits = bits
        let least = WholeCounts.shift.bitPattern &- 1 << UInt32(bits - 2)
        let shift = SIMD8(repeating: WholeCounts.shift)
        let above = ~(UInt32(1) << UInt32(bits) &- 1)
        return counters.withUnsafeMutableBufferPointer { counters in
            // SAFETY: each number counted is below 1 << bits.
            let own = counters.baseAddress! + region * WholeCounts.lanes << bits
            let lanes = (own, own + 1 << bits, own + 2 << bits, own + 3 << bits)
            let done = withUnsafeTemporaryAllocation(of: UInt32.self, capacity: WholeCounts.block) { places in
                var done = 0
                while done + 8 <= values.count {
                    let block = min(values.count - done, WholeCounts.block) & ~7
                    // What differs from 0 in a bit is not whole.
                    var (rest, all) = (SIMD8<UInt32>(repeating: 0), SIMD8<UInt32>(repeating: 0))
                    for n in stride(from: 0, to: block, by: 8) {
                        let value = UnsafeRawPointer(base + (done + n)).loadUnaligned(as: SIMD8<Float>.self)
                        let shifted = value + shift
                        let place = unsafeBitCast(shifted, to: SIMD8<UInt32>.self) &- least
                        UnsafeMutableRawPointer(places.baseAddress! + n)
                            .storeBytes(of: place, as: SIMD8<UInt32>.self)
                        rest |= unsafeBitCast(shifted - shift - value, to: SIMD8<UInt32>.self)
                        all |= place
                    }
                    let wrong = rest | (all & above)
                    let four = wrong.lowHalf | wrong.highHalf
                    let two = four.lowHalf | four.highHalf
                    if two[0] | two[1] != 0 { break }
                    for n in stride(from: 0, to: block, by: WholeCounts.lanes) {
                        let place = places.baseAddress! + n
                        lanes.0[Int(place[0])] &+= 1
                        lanes.1[Int(place[1])] &+= 1
                        lanes.2[Int(place[2])] &+= 1
                        lanes.3[Int(place[3])] &+= 1
                    }
                    done += block
                }
                return done
            }
            for n in done..<values.count {
                let shifted = base[n] + WholeCounts.shift
                let place = shifted.bitPattern &- least
                guard shifted - WholeCounts.shift == base[n], place & above == 0 else { return n }
                own[Int(place)] &+= 1
            }
            return values.count
        }
    }

    /// Makes room for a value; false where that is not whole, or too large.
    private mutating func widen(for value: Float) -> Bool {
        guard value == value.rounded(),
            let wider = WholeCounts.widths.first(where: {
                $0 > bits && value >= -Float(1 << ($0 - 2)) && value < Float(3 << ($0 - 2))
            }), WholeCounts.fits(regions, wider, byteLimit)
        else { return false }
        var wide = [UInt32](repeating: 0, count: regions * WholeCounts.lanes << wider)
        let count = 1 << bits
        // Both begin a quarter of their numbers below 0.
        let first = 1 << (wider - 2) - 1 << (bits - 2)
        for table in 0..<regions * WholeCounts.lanes {
            let start = table << wider + first
            wide.replaceSubrange(start..<start + count, with: counters[table * count..<(table + 1) * count])
        }
        (counters, bits) = (wide, wider)
        return true
    }

    /// The numbers that occur in a region, rising, and how often.
    func values(_ region: Int) -> [(value: Float, count: Int)] {
        let numbers = 1 << bits
        var found: [(value: Float, count: Int)] = []
        counters.withUnsafeBufferPointer { counters in
            let own = UnsafeBufferPointer(
                rebasing: counters[region * numbers * WholeCounts.lanes..<(region + 1) * numbers * WholeCounts.lanes])
            for number in 0..<numbers {
                let count = (0..<WholeCounts.lanes).reduce(0) { $0 &+ Int(own[$1 << bits &+ number]) }
                if count > 0 { found.append((Float(number - numbers / 4), count)) }
            }
        }
        return found
    }
}
