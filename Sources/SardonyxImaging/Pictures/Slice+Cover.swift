extension Slice {
    /// Columns and rows.
    struct Box: Equatable {
        var columns: Range<Int>
        var rows: Range<Int>
    }

    /// The smallest box around the values equal to each label.
    func boxes() -> [Float: Box] {
        var boxes: [Float: Box] = [:]
        for row in 0..<height {
            var start = 0
            while start < width {
                let label = values[row * width + start]
                var end = start + 1
                while end < width, values[row * width + end] == label { end += 1 }
                let box = boxes[label] ?? Box(columns: start..<end, rows: row..<(row + 1))
                let left = min(box.columns.lowerBound, start)
                boxes[label] = Box(
                    columns: left..<max(box.columns.upperBound, end), rows: box.rows.lowerBound..<(row + 1))
                start = end
            }
        }
        return boxes
    }

    /// Calls `body` for each of `newWidth` by `newHeight` pixels that the values equal to `label` touch: how strongly
    /// it belongs to their outline, and to what the outline encloses, 0 to 1.
    ///
    /// The outline is a line of `thickness` pixels whose middle runs `inset` pixels, at most half a voxel, inside the
    /// border, smooth at its rims. Outside the slice there is no label, so that outlines close; no voxel is lost.
    ///
    /// - Parameters:
    ///   - box: that of the label, where it is known.
    ///   - isFilled: false where only pixels near the border are wanted.
    func cover(
        of label: Float, in box: Box? = nil, _ newWidth: Int, _ newHeight: Int, thickness: Float, inset: Float = 0,
        isFilled: Bool = true, _ body: (_ x: Int, _ y: Int, _ line: Float, _ inside: Float) -> Void
    ) {
        guard let box = box ?? boxes()[label] else { return }
        // Where pixels are coarser than voxels, several points of a pixel are looked at.
        let reach = Int(thickness.rounded(.up)) + 2
        let across = CoverAxis(box.columns, width, newWidth, reach)
        let down = CoverAxis(box.rows, height, newHeight, reach)
        let inset = min(inset, 0.5 * Float(newWidth) / Float(width), 0.5 * Float(newHeight) / Float(height))
        let (xPoints, yPoints) = (across.points, down.points)
        let share = 1 / Float(xPoints * yPoints)
        let cover = CoverField(self, label, box, across, down)
        defer { withExtendedLifetime(cover) {} }
        for y in down.pixels {
            for (xs, isBorder) in cover.parts(y) {
                guard isBorder else {
                    if isFilled { for x in xs { body(x, y, 0, Float(xPoints * yPoints) * share) } }
                    continue
                }
                let (field, stride) = cover.values(xs, y)
                for x in xs {
                    var (line, inside): (Float, Float) = (0, 0)
                    for row in 0..<yPoints {
                        for column in 0..<xPoints {
                            let p = field + (row + 1) * stride + (x - xs.lowerBound) * xPoints + column + 1
                            let value = p[0]
                            // Away from the border.
                            if value == p[1], value == p[-1], value == p[stride], value == p[-stride],
                                value == 0 || value == 1
                            {
                                inside += value
                                continue
                            }
                            let dx = max(abs(p[1] - value), abs(value - p[-1])) * Float(xPoints)
                            let dy = max(abs(p[stride] - value), abs(value - p[-stride])) * Float(yPoints)
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
    }
}
