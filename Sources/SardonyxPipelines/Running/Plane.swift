import SardonyxImaging

/// Resampling of single slices.
enum Plane {
    /// width × height values onto the two axes' outputs; x fastest. `scratch` holds x's outputs × height values.
    /// SAFETY: the caller gives buffers of these sizes.
    static func resample(
        _ input: UnsafeBufferPointer<Float>, width: Int, height: Int, _ x: AxisResampling, _ y: AxisResampling,
        scratch: UnsafeMutableBufferPointer<Float>, into output: UnsafeMutableBufferPointer<Float>
    ) {
        var rows = input.baseAddress!
        if !x.isIdentity {
            let target = y.isIdentity ? output.baseAddress! : scratch.baseAddress!
            x.apply(to: rows, holding: 0..<width, inner: 1, outer: height, onto: 0..<x.outputCount, into: target)
            rows = UnsafePointer(target)
        }
        if !y.isIdentity {
            y.apply(
                to: rows, holding: 0..<height, inner: x.outputCount, outer: 1, onto: 0..<y.outputCount,
                into: output.baseAddress!)
        } else if x.isIdentity {
            output.baseAddress!.update(from: rows, count: width * height)
        }
    }
}

/// Weighted sums of whole slices.
enum Taps {
    /// y = Σ_t weights[t] · rows[t]; a row of weight 0 does not count, whatever it holds.
    static func mix(_ rows: [[Float]], _ weights: ArraySlice<Float>, into output: UnsafeMutableBufferPointer<Float>) {
        var isFirst = true
        for (row, weight) in zip(rows, weights) where weight != 0 {
            row.withUnsafeBufferPointer { row in
                if isFirst, weight == 1 {
                    _ = output.update(fromContentsOf: row[..<output.count])
                } else if isFirst {
                    for index in output.indices { output[index] = weight * row[index] }
                } else {
                    for index in output.indices { output[index] += weight * row[index] }
                }
            }
            isFirst = false
        }
        if isFirst { output.update(repeating: 0) }
    }
}
