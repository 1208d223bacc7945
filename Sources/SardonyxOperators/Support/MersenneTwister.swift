/// The generator MT19937 with numpy's seeding, so that a seed gives the numbers that numpy's `RandomState` gives.
struct MersenneTwister {
    private var state: [UInt32]
    private var next = 624

    init(seed: UInt32) {
        state = [UInt32](repeating: seed, count: 624)
        for i in 1..<624 {
            let last = state[i - 1]
            state[i] = 1_812_433_253 &* (last ^ (last >> 30)) &+ UInt32(i)
        }
    }

    private mutating func refill() {
        for i in 0..<624 {
            let y = (state[i] & 0x8000_0000) | (state[(i + 1) % 624] & 0x7FFF_FFFF)
            state[i] = state[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 == 0 ? 0 : 0x9908_B0DF)
        }
        next = 0
    }

    mutating func nextWord() -> UInt32 {
        if next == 624 { refill() }
        var y = state[next]
        next += 1
        y ^= y >> 11
        y ^= (y << 7) & 0x9D2C_5680
        y ^= (y << 15) & 0xEFC6_0000
        return y ^ (y >> 18)
    }

    /// A number in [0, 1) with 53 random bits.
    mutating func nextUniform() -> Double {
        let high = nextWord() >> 5
        let low = nextWord() >> 6
        return (Double(high) * 67_108_864 + Double(low)) / 9_007_199_254_740_992
    }
}
