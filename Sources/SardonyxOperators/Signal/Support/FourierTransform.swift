import SardonyxGraph

/// A complex number.
struct Phasor<W: RealMath>: BitwiseCopyable, Sendable {
    var real: W
    var imaginary: W

    init(_ real: W, _ imaginary: W) { (self.real, self.imaginary) = (real, imaginary) }

    @inline(__always) static func + (a: Self, b: Self) -> Self { Self(a.real + b.real, a.imaginary + b.imaginary) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { Self(a.real - b.real, a.imaginary - b.imaginary) }
    @inline(__always) static func * (a: Self, b: Self) -> Self {
        Self(a.real * b.real - a.imaginary * b.imaginary, a.real * b.imaginary + a.imaginary * b.real)
    }
    @inline(__always) var conjugate: Self { Self(real, -imaginary) }

    /// e^(2πi k / n), rounded once.
    static func root(_ k: Int, of n: Int) -> Self {
        let angle = 2 * Double.pi * Double(k % n) / Double(n)
        return Self(W(Double.cos(angle)), W(Double.sin(angle)))
    }
}

/// The discrete Fourier transform of one length in O(n log n): by its factors where they are small, and otherwise by Bluestein's
/// convolution with a chirp.
struct FourierTransform<W: RealMath>: Sendable {
    typealias Number = Phasor<W>

    let length: Int
    private let inner: MixedRadix<W>
    private let chirp: Chirp?

    /// e^(πi k²/n), and the transform of what to convolve with, wrapped around.
    private struct Chirp: Sendable {
        let factors: [Number]
        var filter: [Number]
    }

    /// - Parameter length: 1 or more.
    init(length: Int) {
        self.length = length
        guard let factors = MixedRadix<W>.factors(of: length) else {
            var size = 1
            while size < 2 * length - 1 { size *= 2 }
            let inner = MixedRadix<W>(size, MixedRadix<W>.factors(of: size) ?? [])
            // k² modulo 2n keeps the angle small and exact.
            let wave = (0..<length).map { Number.root($0 &* $0 % (2 * length), of: 2 * length) }
            var chirp = Chirp(factors: wave, filter: [Number](repeating: Number(0, 0), count: size))
            for k in 0..<length {
                chirp.filter[k] = wave[k]
                chirp.filter[(size - k) % size] = wave[k]
            }
            var scratch = chirp.filter
            chirp.filter.withUnsafeMutableBufferPointer { filter in
                scratch.withUnsafeMutableBufferPointer { scratch in
                    guard let filter = filter.baseAddress, let scratch = scratch.baseAddress else { return }
                    inner.run(filter, scratch, isForward: true, scale: 1)
                }
            }
            self.inner = inner
            self.chirp = chirp
            return
        }
        inner = MixedRadix(length, factors)
        chirp = nil
    }

    /// Phasor numbers of scratch that `run` needs.
    var scratchCount: Int { chirp == nil ? length : 2 * inner.length }

    /// Multiply-adds of one transform, for profiles.
    var multiplyAdds: Int {
        2 * inner.length * (Int.bitWidth - inner.length.leadingZeroBitCount) * (chirp == nil ? 1 : 2)
    }

    /// X[k] = Σ x[i] e^(−2πi k i / n), or with `isInverse` X[k] = 1/n Σ x[i] e^(2πi k i / n), in place.
    func run(_ x: UnsafeMutablePointer<Number>, _ scratch: UnsafeMutablePointer<Number>, isInverse: Bool) {
        let scale = isInverse ? 1 / W(length) : 1
        guard let chirp else { return inner.run(x, scratch, isForward: !isInverse, scale: scale) }
        let (a, b) = (scratch, scratch + inner.length)
        for k in 0..<length {
            // The inverse is the transform between conjugates.
            a[k] = (isInverse ? x[k].conjugate : x[k]) * chirp.factors[k].conjugate
        }
        for k in length..<inner.length { a[k] = Number(0, 0) }
        inner.run(a, b, isForward: true, scale: 1)
        for k in 0..<inner.length { a[k] = a[k] * chirp.filter[k] }
        inner.run(a, b, isForward: false, scale: scale / W(inner.length))
        for k in 0..<length {
            let value = a[k] * chirp.factors[k].conjugate
            x[k] = isInverse ? value.conjugate : value
        }
    }
}
