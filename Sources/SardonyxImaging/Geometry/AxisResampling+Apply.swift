extension AxisResampling {
    /// y[b, o, a] = Σ w[o, t] · x[b, first[o] + t − `inputs`.lowerBound, a] for a < `inner`, o in `rows`, b < `outer`;
    /// a fastest, both blocks dense. `inner` is 1 for the i axis, dims.x for j, dims.x · dims.y for k.
    ///
    /// `inputs` are the positions on the axis that the input block holds; they include `inputs(for: rows)`, or it
    /// traps. Allocates nothing.
    public func apply(
        to input: UnsafePointer<Float>, holding inputs: Range<Int>, inner: Int, outer: Int, onto rows: Range<Int>,
        into output: UnsafeMutablePointer<Float>
    ) {
        if rows.isEmpty || outer == 0 { return }
        let needed = self.inputs(for: rows)
        precondition(inputs.lowerBound <= needed.lowerBound && needed.upperBound <= inputs.upperBound, "inputs at hand")
        first.withUnsafeBufferPointer { first in
            weights.withUnsafeBufferPointer { weights in
                // SAFETY: first[o] + taps lies in `inputs` for every row, and the blocks are dense.
                let band = Band(taps: taps, first: first.baseAddress!, weights: weights.baseAddress!, rows: rows)
                func x(_ b: Int) -> UnsafePointer<Float> { input + (b * inputs.count - inputs.lowerBound) * inner }
                func y(_ b: Int) -> UnsafeMutablePointer<Float> {
                    output + (b * rows.count - rows.lowerBound) * inner
                }
                if inner > 1 {
                    for b in 0..<outer { band.sums(x(b), y(b), inner) }
                } else {
                    for b in stride(from: 0, to: outer, by: 4) {
                        // The last lines are done twice rather than by other code.
                        let (b1, b2, b3) = (min(b + 1, outer - 1), min(b + 2, outer - 1), min(b + 3, outer - 1))
                        band.dots(x(b), x(b1), x(b2), x(b3), y(b), y(b1), y(b2), y(b3))
                    }
                }
            }
        }
    }
}

/// The rows of a banded matrix, for positions on the axis that count from its start.
private struct Band {
    let taps: Int
    let first: UnsafePointer<Int>
    let weights: UnsafePointer<Float>
    let rows: Range<Int>

    typealias Input = UnsafePointer<Float>
    typealias Output = UnsafeMutablePointer<Float>

    /// Along i: each output is a dot product with neighbours in memory. Four lines at once share their weights.
    @inline(__always)
    func dots(
        _ x0: Input, _ x1: Input, _ x2: Input, _ x3: Input, _ y0: Output, _ y1: Output, _ y2: Output, _ y3: Output
    ) {
        switch taps {
        case 1:
            for o in rows {
                let (at, u) = (first[o], weights[o])
                (y0[o], y1[o], y2[o], y3[o]) = (u * x0[at], u * x1[at], u * x2[at], u * x3[at])
            }
        case 2:
            for o in rows {
                let at = first[o]
                let (u, v) = (weights[2 * o], weights[2 * o + 1])
                y0[o] = u * x0[at] + v * x0[at + 1]
                y1[o] = u * x1[at] + v * x1[at + 1]
                y2[o] = u * x2[at] + v * x2[at + 1]
                y3[o] = u * x3[at] + v * x3[at + 1]
            }
        default:
            let wide = taps & ~3
            for o in rows {
                let w = weights + o * taps
                let (p0, p1, p2, p3) = (x0 + first[o], x1 + first[o], x2 + first[o], x3 + first[o])
                var (s0, s1, s2, s3) = (SIMD4<Float>.zero, SIMD4<Float>.zero, SIMD4<Float>.zero, SIMD4<Float>.zero)
                var t = 0
                while t < wide {
                    let u = four(w + t)
                    s0 += u * four(p0 + t)
                    s1 += u * four(p1 + t)
                    s2 += u * four(p2 + t)
                    s3 += u * four(p3 + t)
                    t += 4
                }
                var sum = SIMD4(s0[0], s1[0], s2[0], s3[0]) + SIMD4(s0[1], s1[1], s2[1], s3[1])
                sum += SIMD4(s0[2], s1[2], s2[2], s3[2]) + SIMD4(s0[3], s1[3], s2[3], s3[3])
                while t < taps {
                    sum += w[t] * SIMD4(p0[t], p1[t], p2[t], p3[t])
                    t += 1
                }
                (y0[o], y1[o], y2[o], y3[o]) = (sum[0], sum[1], sum[2], sum[3])
            }
        }
    }

    /// Along j and k: lines of memory are weighed and added. A strip of columns stays in the first cache while the
    /// outputs walk along the axis.
    @inline(__always)
    func sums(_ x: Input, _ y: Output, _ inner: Int) {
        let width = taps > 2 ? 64 : inner
        for start in stride(from: 0, to: inner, by: width) {
            let end = min(start + width, inner)
            for o in rows {
                weigh(x + first[o] * inner, weights + o * taps, y + o * inner, inner, start, end)
            }
        }
    }

    /// y[a] = Σ w[t] · x[t · stride + a], start ≤ a < end.
    @inline(__always)
    private func weigh(_ x: Input, _ w: Input, _ y: Output, _ stride: Int, _ start: Int, _ end: Int) {
        var a = start
        while a + 16 <= end {
            var p = x + a
            var sum = w[0] * sixteen(p)
            for t in 1..<taps {
                p += stride
                sum += w[t] * sixteen(p)
            }
            UnsafeMutableRawPointer(y + a).storeBytes(of: sum, as: SIMD16<Float>.self)
            a += 16
        }
        while a < end {
            var sum = w[0] * x[a]
            for t in 1..<taps { sum += w[t] * x[t * stride + a] }
            y[a] = sum
            a += 1
        }
    }
}

@inline(__always)
private func four(_ p: UnsafePointer<Float>) -> SIMD4<Float> {
    UnsafeRawPointer(p).loadUnaligned(as: SIMD4<Float>.self)
}

@inline(__always)
private func sixteen(_ p: UnsafePointer<Float>) -> SIMD16<Float> {
    UnsafeRawPointer(p).loadUnaligned(as: SIMD16<Float>.self)
}
