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
        let needed = self.inputs(for: rows)
        precondition(inputs.lowerBound <= needed.lowerBound && needed.upperBound <= inputs.upperBound, "inputs at hand")
        if rows.isEmpty { return }
        first.withUnsafeBufferPointer { first in
            weights.withUnsafeBufferPointer { weights in
                // SAFETY: first[o] + taps lies in `inputs` for every row, and the blocks are dense.
                for b in 0..<outer {
                    let x = input + (b * inputs.count - inputs.lowerBound) * inner
                    let y = output + (b * rows.count - rows.lowerBound) * inner
                    if inner == 1 {
                        dots(x, first.baseAddress!, weights.baseAddress!, rows, y)
                    } else {
                        sums(x, first.baseAddress!, weights.baseAddress!, inner, rows, y)
                    }
                }
            }
        }
    }

    /// Along i: each output is a dot product with neighbours in memory.
    @inline(__always)
    private func dots(
        _ x: UnsafePointer<Float>, _ first: UnsafePointer<Int>, _ weights: UnsafePointer<Float>, _ rows: Range<Int>,
        _ y: UnsafeMutablePointer<Float>
    ) {
        switch taps {
        case 1: for o in rows { y[o] = weights[o] * x[first[o]] }
        case 2:
            for o in rows {
                let p = x + first[o]
                y[o] = weights[2 * o] * p[0] + weights[2 * o + 1] * p[1]
            }
        default:
            let wide = taps & ~7
            for o in rows {
                let p = x + first[o]
                let w = weights + o * taps
                var lanes = SIMD8<Float>.zero
                var t = 0
                while t < wide {
                    lanes += lanes8(w + t) * lanes8(p + t)
                    t += 8
                }
                var sum = lanes.sum()
                while t < taps {
                    sum += w[t] * p[t]
                    t += 1
                }
                y[o] = sum
            }
        }
    }

    /// Along j and k: rows of memory are weighed and added, 32 columns at a time.
    @inline(__always)
    private func sums(
        _ x: UnsafePointer<Float>, _ first: UnsafePointer<Int>, _ weights: UnsafePointer<Float>, _ inner: Int,
        _ rows: Range<Int>, _ y: UnsafeMutablePointer<Float>
    ) {
        // A band of columns stays in the first cache while the outputs walk along the axis.
        let band = taps > 2 ? 64 : inner
        var start = 0
        while start < inner {
            let end = min(start + band, inner)
            for o in rows {
                weigh(x + first[o] * inner, inner, weights + o * taps, y + o * inner, start, end)
            }
            start = end
        }
    }

    /// y[a] = Σ w[t] · x[t · stride + a], start ≤ a < end.
    @inline(__always)
    private func weigh(
        _ x: UnsafePointer<Float>, _ stride: Int, _ w: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
        _ start: Int, _ end: Int
    ) {
        var a = start
        while a + 16 <= end {
            var p = x + a
            var sum = lanes16(p) * w[0]
            var t = 1
            while t < taps {
                p += stride
                sum += lanes16(p) * w[t]
                t += 1
            }
            UnsafeMutableRawPointer(y + a).storeBytes(of: sum, as: SIMD16<Float>.self)
            a += 16
        }
        while a < end {
            var sum = x[a] * w[0]
            var t = 1
            while t < taps {
                sum += x[t * stride + a] * w[t]
                t += 1
            }
            y[a] = sum
            a += 1
        }
    }
}

@inline(__always)
private func lanes8(_ p: UnsafePointer<Float>) -> SIMD8<Float> {
    UnsafeRawPointer(p).loadUnaligned(as: SIMD8<Float>.self)
}

@inline(__always)
private func lanes16(_ p: UnsafePointer<Float>) -> SIMD16<Float> {
    UnsafeRawPointer(p).loadUnaligned(as: SIMD16<Float>.self)
}
