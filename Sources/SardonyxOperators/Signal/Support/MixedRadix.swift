import SardonyxGraph

/// A Fourier transform by the factors of its length (Stockham's order, as FFTPACK and pocketfft arrange it: their float32
/// results come out bit by bit).
struct MixedRadix<W: RealMath>: Sendable {
    typealias Number = Phasor<W>

    let length: Int
    private let stages: [Stage]

    private struct Stage: Sendable {
        let radix: Int
        /// Products of the factors before, and of those behind.
        let before: Int
        let behind: Int
        /// e^(2πi j · before · i / length) for j in 1 ..< radix and i in 1 ..< behind.
        let twiddles: [Number]
        /// e^(2πi j / radix)
        let roots: [Number]
    }

    /// The factors in the order of their stages, or nil when one is so large that a convolution is faster.
    static func factors(of length: Int) -> [Int]? {
        var rest = length
        var factors: [Int] = []
        while rest % 4 == 0 {
            factors.append(4)
            rest /= 4
        }
        if rest % 2 == 0 {
            factors.append(2)
            rest /= 2
            factors.swapAt(0, factors.count - 1)
        }
        var divisor = 3
        while rest > 1 && divisor <= 50 {
            while rest % divisor == 0 {
                factors.append(divisor)
                rest /= divisor
            }
            divisor += 2
        }
        return rest == 1 ? factors : nil
    }

    init(_ length: Int, _ factors: [Int]) {
        self.length = length
        var before = 1
        stages = factors.map { radix in
            let behind = length / (before * radix)
            defer { before *= radix }
            var twiddles: [Number] = []
            for j in 1..<radix {
                for i in 0..<max(behind - 1, 0) { twiddles.append(.root(j * before * (i + 1), of: length)) }
            }
            return Stage(
                radix: radix, before: before, behind: behind, twiddles: twiddles,
                roots: (0..<radix).map { .root($0, of: radix) })
        }
    }

    /// Transforms `x` in place and multiplies by `scale`; `scratch` holds `length` numbers.
    func run(
        _ x: UnsafeMutablePointer<Number>, _ scratch: UnsafeMutablePointer<Number>, isForward: Bool, scale: W
    ) {
        var (from, to) = (x, scratch)
        for stage in stages {
            switch stage.radix {
            case 2: Self.two(stage, from, to, isForward)
            case 3: Self.three(stage, from, to, isForward)
            case 4: Self.four(stage, from, to, isForward)
            case 5: Self.five(stage, from, to, isForward)
            default: Self.any(stage, from, to, isForward)
            }
            (from, to) = (to, from)
        }
        if from != x || scale != 1 {
            for i in 0..<length { x[i] = Number(from[i].real * scale, from[i].imaginary * scale) }
        }
    }

    /// The product with a twiddle factor, or with its conjugate for the forward transform.
    @inline(__always)
    private static func turned(_ v: Number, _ w: Number, _ isForward: Bool) -> Number {
        isForward
            ? Number(v.real * w.real + v.imaginary * w.imaginary, v.imaginary * w.real - v.real * w.imaginary)
            : Number(v.real * w.real - v.imaginary * w.imaginary, v.real * w.imaginary + v.imaginary * w.real)
    }

    /// v · i
    @inline(__always)
    private static func quarter(_ v: Number, _ isForward: Bool) -> Number {
        isForward ? Number(v.imaginary, -v.real) : Number(-v.imaginary, v.real)
    }

    /// Calls `body` for every butterfly with the places of its inputs and outputs: the first and the distance between them.
    @inline(__always)
    private static func forEach(
        _ stage: Stage, _ body: (_ from: Int, _ to: Int, _ i: Int) -> Void
    ) {
        for k in 0..<stage.before {
            for i in 0..<stage.behind { body(i + stage.behind * stage.radix * k, i + stage.behind * k, i) }
        }
    }

    @inline(__always)
    private static func store(
        _ value: Number, _ j: Int, _ to: Int, _ i: Int, _ stage: Stage, _ output: UnsafeMutablePointer<Number>,
        _ isForward: Bool
    ) {
        let target = to + stage.behind * stage.before * j
        output[target] =
            i == 0 || j == 0
            ? value : turned(value, stage.twiddles[(j - 1) * (stage.behind - 1) + i - 1], isForward)
    }

    private static func two(
        _ stage: Stage, _ input: UnsafeMutablePointer<Number>, _ output: UnsafeMutablePointer<Number>, _ isForward: Bool
    ) {
        forEach(stage) { from, to, i in
            let (a, b) = (input[from], input[from + stage.behind])
            store(a + b, 0, to, i, stage, output, isForward)
            store(a - b, 1, to, i, stage, output, isForward)
        }
    }

    private static func three(
        _ stage: Stage, _ input: UnsafeMutablePointer<Number>, _ output: UnsafeMutablePointer<Number>, _ isForward: Bool
    ) {
        let cosine = W(-0.5)
        let sine = W((isForward ? -1 : 1) * 0.75.squareRoot())
        forEach(stage) { from, to, i in
            let t0 = input[from]
            let t1 = input[from + stage.behind] + input[from + 2 * stage.behind]
            let t2 = input[from + stage.behind] - input[from + 2 * stage.behind]
            store(t0 + t1, 0, to, i, stage, output, isForward)
            let a = Number(t0.real + cosine * t1.real, t0.imaginary + cosine * t1.imaginary)
            let b = Number(-(sine * t2.imaginary), sine * t2.real)
            store(a + b, 1, to, i, stage, output, isForward)
            store(a - b, 2, to, i, stage, output, isForward)
        }
    }

    private static func four(
        _ stage: Stage, _ input: UnsafeMutablePointer<Number>, _ output: UnsafeMutablePointer<Number>, _ isForward: Bool
    ) {
        let step = stage.behind
        forEach(stage) { from, to, i in
            let t2 = input[from] + input[from + 2 * step]
            let t1 = input[from] - input[from + 2 * step]
            let t3 = input[from + step] + input[from + 3 * step]
            let t4 = quarter(input[from + step] - input[from + 3 * step], isForward)
            store(t2 + t3, 0, to, i, stage, output, isForward)
            store(t2 - t3, 2, to, i, stage, output, isForward)
            store(t1 + t4, 1, to, i, stage, output, isForward)
            store(t1 - t4, 3, to, i, stage, output, isForward)
        }
    }

    private static func five(
        _ stage: Stage, _ input: UnsafeMutablePointer<Number>, _ output: UnsafeMutablePointer<Number>, _ isForward: Bool
    ) {
        let step = stage.behind
        let sign: Double = isForward ? -1 : 1
        let (c1, s1) = (W(0.3090169943749474241), W(sign * 0.95105651629515357212))
        let (c2, s2) = (W(-0.8090169943749474241), W(sign * 0.58778525229247312917))
        forEach(stage) { from, to, i in
            let t0 = input[from]
            let (t1, t4) = (input[from + step] + input[from + 4 * step], input[from + step] - input[from + 4 * step])
            let (t2, t3) = (
                input[from + 2 * step] + input[from + 3 * step], input[from + 2 * step] - input[from + 3 * step]
            )
            store(t0 + t1 + t2, 0, to, i, stage, output, isForward)
            let a = Number(
                t0.real + c1 * t1.real + c2 * t2.real, t0.imaginary + c1 * t1.imaginary + c2 * t2.imaginary)
            let b = Number(-(s1 * t4.imaginary + s2 * t3.imaginary), s1 * t4.real + s2 * t3.real)
            store(a + b, 1, to, i, stage, output, isForward)
            store(a - b, 4, to, i, stage, output, isForward)
            let c = Number(
                t0.real + c2 * t1.real + c1 * t2.real, t0.imaginary + c2 * t1.imaginary + c1 * t2.imaginary)
            let d = Number(-(s2 * t4.imaginary - s1 * t3.imaginary), s2 * t4.real - s1 * t3.real)
            store(c + d, 2, to, i, stage, output, isForward)
            store(c - d, 3, to, i, stage, output, isForward)
        }
    }

    /// Any radix by its definition.
    private static func any(
        _ stage: Stage, _ input: UnsafeMutablePointer<Number>, _ output: UnsafeMutablePointer<Number>, _ isForward: Bool
    ) {
        let radix = stage.radix
        forEach(stage) { from, to, i in
            for j in 0..<radix {
                var sum = input[from]
                for p in 1..<radix {
                    sum = sum + turned(input[from + p * stage.behind], stage.roots[j * p % radix], isForward)
                }
                store(sum, j, to, i, stage, output, isForward)
            }
        }
    }
}
