extension Slice {
    /// `newWidth` by `newHeight` values over the same field of view by Catmull-Rom cubics: smooth, through the values;
    /// stretched where the result is coarser, so that nothing flickers.
    func smooth(_ newWidth: Int, _ newHeight: Int) -> [Float] {
        var result = [Float](repeating: 0, count: newWidth * newHeight)
        result.withUnsafeMutableBufferPointer { result in
            smooth(newWidth, newHeight) { row, values in
                // SAFETY: there is a row of `newWidth` values for each of `newHeight`.
                (result.baseAddress! + row * newWidth).update(from: values, count: newWidth)
            }
        }
        return result
    }

    /// Hands the rows of `smooth(_:_:)`, `newWidth` values each, to `body`, from the top.
    func smooth(_ newWidth: Int, _ newHeight: Int, _ body: (_ row: Int, _ values: UnsafePointer<Float>) -> Void) {
        values.withUnsafeBufferPointer { values in
            // SAFETY: pictures have at least one pixel, slices one value; rows and buffers are as long as is said.
            let values = values.baseAddress!
            if newWidth == width, newHeight == height {
                for row in 0..<height { body(row, values + row * width) }
                return
            }
            let (across, down) = (CubicTable(width, newWidth), CubicTable(height, newHeight))
            let turned = UnsafeMutablePointer<Float>.allocate(capacity: height * width)
            let turnedWide = UnsafeMutablePointer<Float>.allocate(capacity: height * newWidth)
            let wide = UnsafeMutablePointer<Float>.allocate(capacity: height * newWidth)
            let line = UnsafeMutablePointer<Float>.allocate(capacity: newWidth)
            defer { for room in [turned, turnedWide, wide, line] { room.deallocate() } }
            // Whole rows are blended: columns are turned to be some.
            Slice.turn(values, width, height, into: turned)
            for column in 0..<newWidth {
                across.blend(column, of: turned, height, into: turnedWide + column * height)
            }
            Slice.turn(turnedWide, height, newWidth, into: wide)
            for row in 0..<newHeight {
                down.blend(row, of: wide, newWidth, into: line)
                body(row, line)
            }
        }
    }

    /// Makes rows of columns, some at a time, as caches like it.
    private static func turn(
        _ values: UnsafePointer<Float>, _ width: Int, _ height: Int, into turned: UnsafeMutablePointer<Float>
    ) {
        for left in stride(from: 0, to: width, by: 8) {
            let columns = left..<min(left + 8, width)
            for row in 0..<height {
                for column in columns { turned[column * height + row] = values[row * width + column] }
            }
        }
    }
}

/// Of which inputs, and how much of each, outputs are made.
private struct CubicTable {
    /// Inputs of an output.
    private var taps = 0
    /// Those of all outputs, one output after the other.
    private var sources: [Int]
    private var weights: [Float]

    /// `m` outputs over `n` inputs; the edge's value holds beyond it.
    init(_ n: Int, _ m: Int) {
        let stretch = max(1, Double(n) / Double(m))
        /// Where an output lies among the inputs, and what it is made of, some beyond the edge.
        func inputs(_ output: Int) -> (place: Double, range: Range<Int>) {
            let place = (Double(output) + 0.5) * Double(n) / Double(m) - 0.5
            let first = Int((place - 2 * stretch).rounded(.down)) + 1
            return (place, first..<Int((place + 2 * stretch).rounded(.up)))
        }
        for output in 0..<m { taps = max(taps, inputs(output).range.count) }
        sources = [Int](repeating: 0, count: m * taps)
        weights = [Float](repeating: 0, count: m * taps)
        var parts = [Double](repeating: 0, count: taps)
        for output in 0..<m {
            let (place, range) = inputs(output)
            var sum = 0.0
            for (tap, input) in range.enumerated() {
                parts[tap] = CubicTable.cubic(abs(Double(input) - place) / stretch)
                sum += parts[tap]
            }
            // Those that have fewer inputs take 0 times the first for the rest.
            for (tap, input) in range.enumerated() {
                sources[output * taps + tap] = min(max(input, 0), n - 1)
                weights[output * taps + tap] = Float(parts[tap] / sum)
            }
        }
    }

    /// Catmull and Rom's spline at a distance in samples.
    private static func cubic(_ t: Double) -> Double {
        if t < 1 { return (1.5 * t - 2.5) * t * t + 1 }
        return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0
    }

    /// Makes an output of rows of `count` values.
    ///
    /// SAFETY: `rows` holds a row for each input, `output` has room for one.
    func blend(
        _ index: Int, of rows: UnsafePointer<Float>, _ count: Int, into output: UnsafeMutablePointer<Float>
    ) {
        let first = index * taps
        func row(_ tap: Int) -> UnsafePointer<Float> { rows + sources[first + tap] * count }
        var tap = 0
        if taps >= 4 {
            let (a, b, c, d) = (row(0), row(1), row(2), row(3))
            let w = SIMD4(weights[first], weights[first + 1], weights[first + 2], weights[first + 3])
            for n in 0..<count { output[n] = w.x * a[n] + w.y * b[n] + w.z * c[n] + w.w * d[n] }
            tap = 4
        } else {
            output.update(repeating: 0, count: count)
        }
        while tap < taps {
            let (a, weight) = (row(tap), weights[first + tap])
            for n in 0..<count { output[n] += weight * a[n] }
            tap += 1
        }
    }
}
