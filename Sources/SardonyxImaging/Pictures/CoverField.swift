/// Pixels along one axis that a label may touch, and the points of theirs at which it is looked at.
struct CoverAxis {
    /// Points of a pixel.
    let points: Int
    /// Those that a range of values and a voxel around it touch, and some more.
    let pixels: Range<Int>
    /// For the points of the pixels and one more at both ends: the value before, and how far the point is on the way
    /// to the next.
    private var lows: [Int] = []
    private var parts: [Float] = []

    /// - Parameters:
    ///   - range: the label's values, of `n` that make `m` pixels.
    ///   - reach: pixels more.
    init(_ range: Range<Int>, _ n: Int, _ m: Int, _ reach: Int) {
        points = (n + m - 1) / m
        let scale = Double(m) / Double(n)
        let low = Int((Double(range.lowerBound - 1) * scale).rounded(.down)) - reach
        let high = Int((Double(range.upperBound + 1) * scale).rounded(.up)) + reach
        pixels = max(0, low)..<min(m, high)
        let count = m * points
        for point in pixels.lowerBound * points - 1...pixels.upperBound * points {
            let place = (Double(point) + 0.5) * Double(n) / Double(count) - 0.5
            lows.append(Int(place.rounded(.down)))
            parts.append(Float(place - place.rounded(.down)))
        }
    }

    /// The values that all of the points lie between, the first of which may be -1.
    var values: Range<Int> { lows[0]..<(lows[lows.count - 1] + 2) }

    /// A point, counted from one before the first pixel's.
    func point(_ index: Int) -> (low: Int, part: Float) { (lows[index], parts[index]) }

    /// The values that the points of a pixel, and one before and behind, lie between.
    func values(of pixel: Int) -> Range<Int> {
        let first = (pixel - pixels.lowerBound) * points
        return lows[first]..<(lows[first + points + 1] + 2)
    }
}

/// How much of a label there is: 1 in it, 0 elsewhere, linear between voxel centres. Only what is near its border is
/// worked out.
final class CoverField {
    private let across: CoverAxis
    private let down: CoverAxis
    private let columns: Range<Int>
    private let rows: Range<Int>
    /// 1 for voxels of the label, 0 for others, within `columns` and `rows`, which may reach out of the slice.
    private let mask: UnsafeMutablePointer<Float>
    /// The last field that was asked for.
    private let field: UnsafeMutablePointer<Float>
    /// For each end of columns the first pixel that reaches behind it.
    private var behind: [Int] = []
    /// Where the columns that are like one within `seen` end; it itself where its voxels differ.
    private var ends: [Int]
    private var counts: [Float]
    private var seen = 0..<0
    private var found: [(xs: Range<Int>, isBorder: Bool)] = []

    init(_ slice: Slice, _ label: Float, _ box: Slice.Box, _ across: CoverAxis, _ down: CoverAxis) {
        (self.across, self.down, columns, rows) = (across, down, across.values, down.values)
        let size = columns.count * rows.count
        mask = .allocate(capacity: size)
        mask.initialize(repeating: 0, count: size)
        field = .allocate(capacity: (across.pixels.count * across.points + 2) * (down.points + 2))
        ends = [Int](repeating: 0, count: columns.count)
        counts = [Float](repeating: 0, count: columns.count)
        slice.values.withUnsafeBufferPointer { values in
            for row in box.rows {
                let target = mask + (row - rows.lowerBound) * columns.count - columns.lowerBound
                for column in box.columns where values[row * slice.width + column] == label { target[column] = 1 }
            }
        }
        var x = across.pixels.lowerBound
        for end in columns.lowerBound...columns.upperBound {
            while x < across.pixels.upperBound, across.values(of: x).upperBound <= end { x += 1 }
            behind.append(x)
        }
    }

    deinit {
        mask.deallocate()
        field.deallocate()
    }

    /// The pixels of a row that the label touches: those near its border, and those far inside.
    func parts(_ y: Int) -> [(xs: Range<Int>, isBorder: Bool)] {
        let wanted = down.values(of: y)
        if wanted == seen { return found }
        seen = wanted
        findEnds()
        found.removeAll(keepingCapacity: true)
        func end(at x: Int) -> (end: Int, isBorder: Bool) {
            let values = across.values(of: x)
            let end = ends[values.lowerBound - columns.lowerBound]
            return (end, end < values.upperBound)
        }
        var x = across.pixels.lowerBound
        while x < across.pixels.upperBound {
            let start = x
            let (last, isBorder) = end(at: x)
            if isBorder {
                repeat { x += 1 } while x < across.pixels.upperBound && end(at: x).isBorder
            } else {
                x = behind[last - columns.lowerBound]
                if counts[across.values(of: start).lowerBound - columns.lowerBound] == 0 { continue }
            }
            found.append((start..<x, isBorder))
        }
        return found
    }

    private func findEnds() {
        let width = columns.count
        let first = mask + (seen.lowerBound - rows.lowerBound) * width
        counts.withUnsafeMutableBufferPointer { counts in
            for column in 0..<width { counts[column] = first[column] }
            for row in 1..<seen.count {
                let next = first + row * width
                for column in 0..<width { counts[column] += next[column] }
            }
            let all = Float(seen.count)
            var (end, like) = (width, Float(-1))
            ends.withUnsafeMutableBufferPointer { ends in
                for column in stride(from: width - 1, through: 0, by: -1) {
                    let count = counts[column]
                    if count != like { (end, like) = (column + 1, count) }
                    ends[column] = columns.lowerBound + (count == 0 || count == all ? end : column)
                }
            }
        }
    }

    /// The field at the points of some pixels of a row and at one more all around; and how far its rows are apart.
    ///
    /// It is good until the next are asked for.
    func values(_ xs: Range<Int>, _ y: Int) -> (field: UnsafePointer<Float>, stride: Int) {
        let stride = xs.count * across.points + 2
        let left = (xs.lowerBound - across.pixels.lowerBound) * across.points
        let top = (y - down.pixels.lowerBound) * down.points
        for row in 0..<down.points + 2 {
            let (j, below) = down.point(top + row)
            // SAFETY: the points of the pixels lie between values within `columns` and `rows`, which `mask` holds;
            // `field` has room for the points of all pixels across.
            let line = mask + (j - rows.lowerBound) * columns.count - columns.lowerBound
            for column in 0..<stride {
                let (i, right) = across.point(left + column)
                let value = line + i
                let next = value + columns.count
                let above = value[0] * (1 - right) + value[1] * right
                field[row * stride + column] =
                    above * (1 - below) + (next[0] * (1 - right) + next[1] * right) * below
            }
        }
        return (UnsafePointer(field), stride)
    }
}
