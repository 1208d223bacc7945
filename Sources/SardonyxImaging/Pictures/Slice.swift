/// One slice, turned as a picture shows it: first value top left.
struct Slice {
    let width: Int
    let height: Int
    /// Millimetres between values across and down.
    let step: (across: Double, down: Double)
    var values: [Float]

    /// `newWidth` by `newHeight` values over the same field of view by Catmull-Rom cubics: smooth, through the values;
    /// stretched where the result is coarser, so that nothing flickers.
    func smooth(_ newWidth: Int, _ newHeight: Int) -> [Float] {
        if newWidth == width, newHeight == height { return values }
        let across = Slice.cubicTable(width, newWidth)
        let down = Slice.cubicTable(height, newHeight)
        var wide = [Float](repeating: 0, count: newWidth * height)
        for row in 0..<height {
            for (column, taps) in across.enumerated() {
                var sum: Float = 0
                for (source, weight) in taps { sum += weight * values[row * width + source] }
                wide[row * newWidth + column] = sum
            }
        }
        var result = [Float](repeating: 0, count: newWidth * newHeight)
        for (row, taps) in down.enumerated() {
            for (source, weight) in taps {
                for column in 0..<newWidth {
                    result[row * newWidth + column] += weight * wide[source * newWidth + column]
                }
            }
        }
        return result
    }

    /// Inputs and their weights for each of `m` outputs over `n` inputs; the edge's value holds beyond it.
    private static func cubicTable(_ n: Int, _ m: Int) -> [[(source: Int, weight: Float)]] {
        let stretch = max(1, Double(n) / Double(m))
        return (0..<m).map { output in
            let place = (Double(output) + 0.5) * Double(n) / Double(m) - 0.5
            let first = Int((place - 2 * stretch).rounded(.down)) + 1
            let last = Int((place + 2 * stretch).rounded(.up)) - 1
            let weights = (first...last).map { cubic(abs(Double($0) - place) / stretch) }
            let sum = weights.reduce(0, +)
            return zip(first...last, weights).map { (min(max($0, 0), n - 1), Float($1 / sum)) }
        }
    }

    /// Catmull and Rom's spline at a distance in samples.
    private static func cubic(_ t: Double) -> Double {
        if t < 1 { return (1.5 * t - 2.5) * t * t + 1 }
        return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0
    }

    /// Calls `body` for each of `newWidth` by `newHeight` pixels that the values equal to `label` touch: how strongly
    /// it belongs to their outline, and to what the outline encloses, 0 to 1.
    ///
    /// The outline is a line of `thickness` pixels whose middle runs `inset` pixels, at most half a voxel, inside the
    /// border, smooth at its rims. Outside the slice there is no label, so that outlines close; no voxel is lost.
    func cover(
        of label: Float, _ newWidth: Int, _ newHeight: Int, thickness: Float, inset: Float = 0,
        _ body: (_ x: Int, _ y: Int, _ line: Float, _ inside: Float) -> Void
    ) {
        guard let box = box(of: label) else { return }
        // Where pixels are coarser than voxels, several points of a pixel are looked at.
        let (xPoints, yPoints) = ((width + newWidth - 1) / newWidth, (height + newHeight - 1) / newHeight)
        let reach = Int(thickness.rounded(.up)) + 2
        let xs = Slice.pixels(box.columns, width, newWidth, reach)
        let ys = Slice.pixels(box.rows, height, newHeight, reach)
        let field = field(of: label, xs, newWidth * xPoints, xPoints, ys, newHeight * yPoints, yPoints)
        let stride = xs.count * xPoints + 2
        let inset = min(inset, 0.5 * Float(newWidth) / Float(width), 0.5 * Float(newHeight) / Float(height))
        let share = 1 / Float(xPoints * yPoints)
        for y in ys {
            for x in xs {
                var (line, inside): (Float, Float) = (0, 0)
                for row in 0..<yPoints {
                    for column in 0..<xPoints {
                        let p =
                            ((y - ys.lowerBound) * yPoints + row + 1) * stride
                            + (x - xs.lowerBound) * xPoints + column + 1
                        let value = field[p]
                        // Away from the border.
                        if value == field[p + 1], value == field[p - 1], value == field[p + stride],
                            value == field[p - stride], value == 0 || value == 1
                        {
                            inside += value
                            continue
                        }
                        let dx = max(abs(field[p + 1] - value), abs(value - field[p - 1])) * Float(xPoints)
                        let dy = max(abs(field[p + stride] - value), abs(value - field[p - stride])) * Float(yPoints)
                        // Pixels from the border, positive inside.
                        let depth = (value - 0.5) / max((dx * dx + dy * dy).squareRoot(), 1e-4)
                        line += min(max(thickness / 2 + 0.5 - abs(depth - inset), 0), 1)
                        inside += min(max(depth + 0.5, 0), 1)
                    }
                }
                if inside > 0 || line > 0 { body(x, y, line * share, inside * share) }
            }
        }
    }

    /// The smallest box around the values equal to `label`.
    private func box(of label: Float) -> (columns: Range<Int>, rows: Range<Int>)? {
        var (left, right, top, bottom) = (width, 0, height, 0)
        for row in 0..<height {
            for column in 0..<width where values[row * width + column] == label {
                left = min(left, column)
                right = max(right, column + 1)
                top = min(top, row)
                bottom = row + 1
            }
        }
        return left < right ? (left..<right, top..<bottom) : nil
    }

    /// The pixels, of `m` over `n` values, that a range of values and a voxel around it touch, and `reach` more.
    private static func pixels(_ range: Range<Int>, _ n: Int, _ m: Int, _ reach: Int) -> Range<Int> {
        let scale = Double(m) / Double(n)
        let low = Int((Double(range.lowerBound - 1) * scale).rounded(.down)) - reach
        let high = Int((Double(range.upperBound + 1) * scale).rounded(.up)) + reach
        return max(0, low)..<min(m, high)
    }

    /// 1 in the label, 0 elsewhere, linear between voxel centres, at the points of the pixels and one more all around.
    private func field(
        of label: Float, _ xs: Range<Int>, _ xCount: Int, _ xPoints: Int, _ ys: Range<Int>, _ yCount: Int,
        _ yPoints: Int
    ) -> [Float] {
        func places(_ pixels: Range<Int>, _ points: Int, _ n: Int, _ count: Int) -> [(low: Int, part: Float)] {
            (pixels.lowerBound * points - 1...pixels.upperBound * points).map {
                let place = (Double($0) + 0.5) * Double(n) / Double(count) - 0.5
                return (Int(place.rounded(.down)), Float(place - place.rounded(.down)))
            }
        }
        let columns = places(xs, xPoints, width, xCount)
        let rows = places(ys, yPoints, height, yCount)
        /// A row of values at the points across.
        func wide(_ row: Int) -> [Float] {
            guard 0..<height ~= row else { return [Float](repeating: 0, count: columns.count) }
            func at(_ column: Int) -> Float { 0..<width ~= column && values[row * width + column] == label ? 1 : 0 }
            return columns.map { at($0.low) * (1 - $0.part) + at($0.low + 1) * $0.part }
        }
        var field: [Float] = []
        field.reserveCapacity(columns.count * rows.count)
        var (top, bottom, held) = ([Float](), [Float](), Int.min)
        for (row, down) in rows {
            if row != held {
                (top, bottom, held) = (row == held + 1 ? bottom : wide(row), wide(row + 1), row)
            }
            for (above, below) in zip(top, bottom) { field.append(above * (1 - down) + below * down) }
        }
        return field
    }
}
