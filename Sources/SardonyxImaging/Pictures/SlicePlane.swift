/// The three planes in which radiologists look at a patient.
public enum SlicePlane: String, Sendable, CaseIterable {
    /// Across, seen from the feet: patient's right on the left, anterior on top.
    case axial
    /// From ear to ear, seen from the front: patient's right on the left, superior on top.
    case coronal
    /// From nose to back, seen from the patient's left: anterior on the left, superior on top.
    case sagittal

    /// Axes of a RAS volume: across the picture, down the picture, through it. The first two run against the picture
    /// in every plane: pictures begin at right, anterior, superior.
    var axes: (across: Int, down: Int, through: Int) {
        switch self {
        case .axial: return (0, 1, 2)
        case .coronal: return (0, 2, 1)
        case .sagittal: return (1, 2, 0)
        }
    }

    /// The patient's direction at the left, right, top and bottom of the picture.
    public var sides: (left: Direction, right: Direction, top: Direction, bottom: Direction) {
        switch self {
        case .axial: return (.right, .left, .anterior, .posterior)
        case .coronal: return (.right, .left, .superior, .inferior)
        case .sagittal: return (.anterior, .posterior, .superior, .inferior)
        }
    }

    /// "Axial".
    var title: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }

    /// The name of the coordinate that tells slices apart.
    var coordinate: String { ["x", "y", "z"][axes.through] }
}

/// One slice, turned as a picture shows it: first value top left.
struct Slice {
    let width: Int
    let height: Int
    /// Millimetres between values across and down.
    let step: (across: Double, down: Double)
    let values: [Float]

    /// Slice `index` of a volume whose voxel axes are in RAS order.
    init<Scalar: Voxel>(_ volume: Volume<Scalar>, _ plane: SlicePlane, index: Int, value: (Scalar) -> Float) {
        let axes = plane.axes
        width = volume.dims[axes.across]
        height = volume.dims[axes.down]
        step = (volume.spacing[axes.across], volume.spacing[axes.down])
        var values: [Float] = []
        values.reserveCapacity(width * height)
        var place = SIMD3<Int>(repeating: 0)
        place[axes.through] = index
        for row in 0..<height {
            place[axes.down] = height - 1 - row
            for column in 0..<width {
                place[axes.across] = width - 1 - column
                values.append(value(volume[place.x, place.y, place.z]))
            }
        }
        self.values = values
    }

    /// The value at a place, the edge's beyond it.
    private func held(_ column: Int, _ row: Int) -> Float {
        values[min(max(row, 0), height - 1) * width + min(max(column, 0), width - 1)]
    }

    /// `newWidth` by `newHeight` values over the same field of view by Catmull-Rom cubics: smooth, through the values.
    func smooth(_ newWidth: Int, _ newHeight: Int) -> [Float] {
        let across = Slice.cubicTable(width, newWidth)
        let down = Slice.cubicTable(height, newHeight)
        var wide = [Float](repeating: 0, count: newWidth * height)
        for row in 0..<height {
            for (column, (first, w)) in across.enumerated() {
                var sum: Float = 0
                for tap in 0..<4 { sum += w[tap] * held(first + tap, row) }
                wide[row * newWidth + column] = sum
            }
        }
        var result = [Float](repeating: 0, count: newWidth * newHeight)
        for (row, (first, w)) in down.enumerated() {
            for tap in 0..<4 {
                let source = min(max(first + tap, 0), height - 1) * newWidth
                for column in 0..<newWidth { result[row * newWidth + column] += w[tap] * wide[source + column] }
            }
        }
        return result
    }

    /// First of four taps, and their weights, for each of `m` outputs over `n` inputs.
    private static func cubicTable(_ n: Int, _ m: Int) -> [(Int, SIMD4<Float>)] {
        (0..<m).map { i in
            let place = (Double(i) + 0.5) * Double(n) / Double(m) - 0.5
            let low = place.rounded(.down)
            let t = Float(place - low)
            let (t2, t3) = (t * t, t * t * t)
            let weights = SIMD4<Float>(
                -0.5 * t + t2 - 0.5 * t3, 1 - 2.5 * t2 + 1.5 * t3, 0.5 * t + 2 * t2 - 1.5 * t3, -0.5 * t2 + 0.5 * t3)
            return (Int(low) - 1, weights)
        }
    }

    /// How strongly each of `newWidth` by `newHeight` pixels belongs to the outline of the values above ½, 0 to 1:
    /// a line of `thickness` pixels, smooth at its rims. Outside the slice counts as 0, so that outlines close.
    func outline(_ newWidth: Int, _ newHeight: Int, thickness: Float) -> [Float] {
        func at(_ column: Int, _ row: Int) -> Float {
            column < 0 || row < 0 || column >= width || row >= height ? 0 : values[row * width + column]
        }
        // One pixel more on each side for the differences.
        let stride = newWidth + 2
        var field = [Float](repeating: 0, count: stride * (newHeight + 2))
        for y in -1...newHeight {
            let v = (Double(y) + 0.5) * Double(height) / Double(newHeight) - 0.5
            let row = Int(v.rounded(.down))
            let fv = Float(v - Double(row))
            for x in -1...newWidth {
                let u = (Double(x) + 0.5) * Double(width) / Double(newWidth) - 0.5
                let column = Int(u.rounded(.down))
                let fu = Float(u - Double(column))
                let top = mix(at(column, row), at(column + 1, row), fu)
                let bottom = mix(at(column, row + 1), at(column + 1, row + 1), fu)
                field[(y + 1) * stride + x + 1] = mix(top, bottom, fv)
            }
        }
        var strength = [Float](repeating: 0, count: newWidth * newHeight)
        for y in 0..<newHeight {
            for x in 0..<newWidth {
                let p = (y + 1) * stride + x + 1
                let dx = (field[p + 1] - field[p - 1]) / 2
                let dy = (field[p + stride] - field[p - stride]) / 2
                let slope = (dx * dx + dy * dy).squareRoot()
                guard slope > 1e-4 else { continue }
                let distance = abs(field[p] - 0.5) / slope
                strength[y * newWidth + x] = min(max(thickness / 2 + 0.5 - distance, 0), 1)
            }
        }
        return strength
    }
}
