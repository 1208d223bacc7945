import SardonyxGraph

/// The discrete Fourier transform of one length, in double and in O(n log n): powers of two by Cooley and Tukey, other lengths
/// by Bluestein's convolution with a chirp.
struct FourierTransform: Sendable {
    let length: Int
    /// The length of the transforms that run: a power of two.
    private let inner: Int
    /// cos and sin of 2π i / inner.
    private let cosines: [Double]
    private let sines: [Double]
    private let reversed: [Int32]
    private let chirp: Chirp?

    /// A chirp e^(−πi k²/n), and the transform of its conjugate, wrapped around.
    private struct Chirp: Sendable {
        let real: [Double]
        let imaginary: [Double]
        var filterReal: [Double]
        var filterImaginary: [Double]
    }

    /// - Parameter length: 1 or more.
    init(length: Int) {
        self.length = length
        var size = 1
        let isPower = length & (length - 1) == 0
        while size < (isPower ? length : 2 * length - 1) { size *= 2 }
        inner = size
        let step = 2 * Double.pi / Double(size)
        cosines = (0..<size / 2).map { Double.cos(step * Double($0)) }
        sines = (0..<size / 2).map { Double.sin(step * Double($0)) }
        var order = [Int32](repeating: 0, count: size)
        var bits = 0
        while 1 << bits < size { bits += 1 }
        for i in 0..<size { order[i] = bits == 0 ? 0 : order[i >> 1] >> 1 | Int32(i & 1) << Int32(bits - 1) }
        reversed = order
        if isPower { chirp = nil; return }
        // k² modulo 2n keeps the angle small and exact.
        let angles = (0..<length).map { Double.pi * Double($0.multipliedFullWidth(by: $0).low % UInt(2 * length)) / Double(length) }
        var chirp = Chirp(
            real: angles.map { Double.cos($0) }, imaginary: angles.map { -Double.sin($0) },
            filterReal: [Double](repeating: 0, count: size), filterImaginary: [Double](repeating: 0, count: size))
        for k in 0..<length {
            for place in Set([k, (size - k) % size]) {
                chirp.filterReal[place] = chirp.real[k]
                chirp.filterImaginary[place] = -chirp.imaginary[k]
            }
        }
        let (cosines, sines) = (cosines, sines)
        chirp.filterReal.withUnsafeMutableBufferPointer { real in
            chirp.filterImaginary.withUnsafeMutableBufferPointer { imaginary in
                guard let real = real.baseAddress, let imaginary = imaginary.baseAddress else { return }
                Self.run(size, cosines, sines, order, real, imaginary)
            }
        }
        self.chirp = chirp
    }

    /// Doubles of scratch that `forward` and `inverse` need.
    var scratchCount: Int { chirp == nil ? 0 : 2 * inner }

    /// Multiply-adds of one transform, for profiles.
    var multiplyAdds: Int { inner * max(Int.bitWidth - inner.leadingZeroBitCount, 1) * 2 * (chirp == nil ? 1 : 2) }

    /// X[k] = Σ x[i] e^(−2πi k i / n), in place.
    func forward(
        _ real: UnsafeMutablePointer<Double>, _ imaginary: UnsafeMutablePointer<Double>,
        _ scratch: UnsafeMutablePointer<Double>
    ) {
        guard let chirp else { return Self.run(inner, cosines, sines, reversed, real, imaginary) }
        let a = scratch
        let b = scratch + inner
        for k in 0..<length {
            a[k] = real[k] * chirp.real[k] - imaginary[k] * chirp.imaginary[k]
            b[k] = real[k] * chirp.imaginary[k] + imaginary[k] * chirp.real[k]
        }
        for k in length..<inner { (a[k], b[k]) = (0, 0) }
        Self.run(inner, cosines, sines, reversed, a, b)
        for k in 0..<inner {
            let (x, y) = (a[k], b[k])
            let (u, v) = (chirp.filterReal[k], chirp.filterImaginary[k])
            (a[k], b[k]) = (x * u - y * v, x * v + y * u)
        }
        // The inverse is the transform with real and imaginary parts exchanged.
        Self.run(inner, cosines, sines, reversed, b, a)
        let scale = 1 / Double(inner)
        for k in 0..<length {
            let (x, y) = (a[k] * scale, b[k] * scale)
            real[k] = x * chirp.real[k] - y * chirp.imaginary[k]
            imaginary[k] = x * chirp.imaginary[k] + y * chirp.real[k]
        }
    }

    /// x[i] = 1/n Σ X[k] e^(2πi k i / n), in place.
    func inverse(
        _ real: UnsafeMutablePointer<Double>, _ imaginary: UnsafeMutablePointer<Double>,
        _ scratch: UnsafeMutablePointer<Double>
    ) {
        forward(imaginary, real, scratch)
        let scale = 1 / Double(length)
        for i in 0..<length {
            real[i] *= scale
            imaginary[i] *= scale
        }
    }

    private static func run(
        _ size: Int, _ cosines: [Double], _ sines: [Double], _ reversed: [Int32],
        _ real: UnsafeMutablePointer<Double>, _ imaginary: UnsafeMutablePointer<Double>
    ) {
        for i in 0..<size {
            let j = Int(reversed[i])
            if i < j {
                (real[i], real[j]) = (real[j], real[i])
                (imaginary[i], imaginary[j]) = (imaginary[j], imaginary[i])
            }
        }
        var half = 1
        while half < size {
            let step = size / (2 * half)
            for start in stride(from: 0, to: size, by: 2 * half) {
                for k in 0..<half {
                    let (c, s) = (cosines[k * step], -sines[k * step])
                    let (i, j) = (start + k, start + k + half)
                    let x = real[j] * c - imaginary[j] * s
                    let y = real[j] * s + imaginary[j] * c
                    (real[j], imaginary[j]) = (real[i] - x, imaginary[i] - y)
                    (real[i], imaginary[i]) = (real[i] + x, imaginary[i] + y)
                }
            }
            half *= 2
        }
    }
}
