/// The same numbers in -1 ..< 1 each time, without the first ones when some are skipped.
package func randomNumbers(_ count: Int, skipping skipped: Int = 0) -> [Float] {
    var state: UInt64 = 88_172_645_463_325_252
    return (0..<count + skipped).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Float(Int64(bitPattern: state) >> 40) / Float(1 << 23)
    }.suffix(count)
}
