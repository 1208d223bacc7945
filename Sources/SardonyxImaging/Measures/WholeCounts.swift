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
    /// Four counters a number, so that one is not waited for by the next value; those of a region follow one another.
    private var counters: [UInt32]

    private static let widths = 12...16
    private static let lanes = 4

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
            var done = 0
            while done + 8 <= values.count {
                // Whole runs are checked first: of what differs from 0 one bit is enough.
                let block = min(values.count - done, 64) & ~7
                var wrong = SIMD8<UInt32>(repeating: 0)
                for n in stride(from: done, to: done + block, by: 8) {
                    let value = UnsafeRawPointer(base + n).loadUnaligned(as: SIMD8<Float>.self)
                    let shifted = value + shift
                    let place = unsafeBitCast(shifted, to: SIMD8<UInt32>.self) &- least
                    wrong |= unsafeBitCast(shifted - shift - value, to: SIMD8<UInt32>.self) | (place & above)
                }
                let four = wrong.lowHalf | wrong.highHalf
                let two = four.lowHalf | four.highHalf
                if two[0] | two[1] != 0 { break }
                for n in stride(from: done, to: done + block, by: WholeCounts.lanes) {
                    for lane in 0..<WholeCounts.lanes {
                        let place = (base[n + lane] + WholeCounts.shift).bitPattern &- least
                        own[Int(place) &* WholeCounts.lanes &+ lane] &+= 1
                    }
                }
                done += block
            }
            while done < values.count {
                let shifted = base[done] + WholeCounts.shift
                let place = shifted.bitPattern &- least
                guard shifted - WholeCounts.shift == base[done], place & above == 0 else { return done }
                own[Int(place) &* WholeCounts.lanes &+ done & (WholeCounts.lanes - 1)] &+= 1
                done += 1
            }
            return done
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
        let count = WholeCounts.lanes << bits
        // Both begin a quarter of their numbers below 0.
        let first = (1 << (wider - 2) - 1 << (bits - 2)) * WholeCounts.lanes
        for region in 0..<regions {
            let start = region * WholeCounts.lanes << wider + first
            wide.replaceSubrange(start..<start + count, with: counters[region * count..<(region + 1) * count])
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
                let four = (0..<WholeCounts.lanes).reduce(0) { $0 &+ Int(own[number &* WholeCounts.lanes &+ $1]) }
                if four > 0 { found.append((Float(number - numbers / 4), four)) }
            }
        }
        return found
    }
}
