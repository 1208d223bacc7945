import SardonyxExecution
import SardonyxImaging

/// Resampling of single slices, on a pool's threads.
enum Plane {
    /// Rows that are one thread's; the cut does not show in the values.
    private static let rowCount = 32

    /// width × height values onto the two axes' outputs; x fastest. `scratch` holds x's outputs × height values.
    /// SAFETY: the caller gives buffers of these sizes.
    static func resample(
        _ input: UnsafeBufferPointer<Float>, width: Int, height: Int, _ x: AxisResampling, _ y: AxisResampling,
        scratch: UnsafeMutableBufferPointer<Float>, into output: UnsafeMutableBufferPointer<Float>, _ pool: WorkerPool
    ) {
        var rows = input.baseAddress!
        if !x.isIdentity {
            let target = y.isIdentity ? output.baseAddress! : scratch.baseAddress!
            let (from, to) = (Shared(rows), Shared(target))
            each(height, pool) { part in
                x.apply(
                    to: from.base + part.lowerBound * width, holding: 0..<width, inner: 1, outer: part.count,
                    onto: 0..<x.outputCount, into: to.base + part.lowerBound * x.outputCount)
            }
            rows = UnsafePointer(target)
        }
        if !y.isIdentity {
            let (from, to) = (Shared(rows), Shared(output.baseAddress!))
            each(y.outputCount, pool) { part in
                y.apply(
                    to: from.base, holding: 0..<height, inner: x.outputCount, outer: 1, onto: part,
                    into: to.base + part.lowerBound * x.outputCount)
            }
        } else if x.isIdentity {
            output.baseAddress!.update(from: rows, count: width * height)
        }
    }

    private static func each(
        _ count: Int, _ pool: WorkerPool, _ body: @escaping @Sendable (Range<Int>) -> Void
    ) {
        pool.forEach((count + rowCount - 1) / rowCount) { number in
            body(number * rowCount..<min(count, (number + 1) * rowCount))
        }
    }
}

/// Weighted sums of whole slices, on a pool's threads.
enum Taps {
    /// Values that are one thread's, few enough to stay in a cache.
    private static let partCount = 1 << 14

    /// y = Σ_t weights[t] · slice (first + t) % taps of `ring`, in the order of t; a slice of weight 0 does not count,
    /// whatever it holds. `ring` holds as many slices of `output`'s size as there are weights.
    static func mix(
        _ ring: [Float], first: Int, _ weights: ArraySlice<Float>, into output: UnsafeMutableBufferPointer<Float>,
        _ pool: WorkerPool
    ) {
        let count = output.count
        let slices = weights.enumerated().compactMap { tap, weight in
            weight == 0 ? nil : (start: (first + tap) % weights.count * count, weight: weight)
        }
        guard let nearest = slices.first, let target = output.baseAddress, count > 0 else {
            return output.update(repeating: 0)
        }
        ring.withUnsafeBufferPointer { ring in
            let (from, to) = (Shared(ring.baseAddress!), Shared(target))
            pool.forEach((count + partCount - 1) / partCount) { number in
                let part = number * partCount..<min(count, (number + 1) * partCount)
                // SAFETY: slices hold `count` values, and each number has places of its own.
                let (y, x) = (to.base, from.base + nearest.start)
                if nearest.weight == 1 {
                    (y + part.lowerBound).update(from: x + part.lowerBound, count: part.count)
                } else {
                    for index in part { y[index] = nearest.weight * x[index] }
                }
                for (start, weight) in slices.dropFirst() {
                    let x = from.base + start
                    for index in part { y[index] += weight * x[index] }
                }
            }
        }
    }
}
