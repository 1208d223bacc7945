#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Slices of one plane in a grid, evenly spaced through the labels or the whole volume, each with its coordinate.
///
/// From inferior to superior, from anterior to posterior, from the patient's right to the left. The convention, the
/// scale and the captions are those of `ThreePlaneView`. Of a picture without a patient stored slices are shown.
public struct Montage: Sendable {
    /// Size, window and labels.
    public var style = PictureStyle()
    /// The plane of the slices; `nil` for the one in which the image was acquired: across its only slice, or its by far
    /// coarsest spacing, else axial.
    public var plane: SlicePlane?
    /// Number of slices, at most those that there are; `nil` for 12 to 24 that fill a wide picture.
    public var count: Int?

    /// The defaults.
    public init() {}

    private static let gap = 4

    /// Draws an image and its labels, which may be stored in another order of axes.
    ///
    /// - Throws: `ImagingError` `.mismatch` when the labels lie on another grid or are none; `.badGeometry`; and what
    ///   reading throws.
    public func render(_ image: PictureSource, labels: PictureSource? = nil) throws -> RGBImage {
        let scene = try PictureScene(image, labels, style)
        let plane = image.isPlaced ? plane ?? scene.acquiredPlane : .axial
        let axis = plane.axes.through
        let range = scene.survey?.extent(axis) ?? 0..<scene.grid.dims[axis]
        let (across, down) = (scene.extent[plane.axes.across], scene.extent[plane.axes.down])
        let shape = Montage.shape(count, of: range.count, aspect: across / down)
        let indices = Montage.indices(shape.count, range)
        let addresses = (axis == 2 ? indices : indices.reversed()).map { SliceAddress(plane: plane, index: $0) }

        let margin = PictureStyle.margin
        let width = max(100, style.width)
        let room = width - 2 * margin - (shape.columns - 1) * Montage.gap
        // The page stays within a square and a half, however long the slices are.
        let pixelsPerMM = min(
            Double(max(room, shape.columns)) / (Double(shape.columns) * across),
            1.5 * Double(width) / (Double(shape.rows) * down))
        var (panels, limits) = try scene.panels(addresses, pixelsPerMM)
        let tile = panels[0]
        // Coordinates take less than half of a slice.
        let scale = min(style.textScale, max(1, tile.width / 90))
        for (place, address) in addresses.enumerated() {
            let (text, inset) = (label(scene, address), 2 * scale + 2)
            panels[place].draw(text, x: inset, y: inset, scale: scale, rim: true)
            scene.markSides(
                plane, &panels[place], scale: scale, reserved: inset + RGBImage.textWidth(text, scale: scale))
        }
        scene.drawScaleBar(
            &panels[panels.count - 1], pixelsPerMM, room: min(tile.width, tile.height), scale: scale)

        let top = margin + style.lineHeight
        let (stepX, stepY) = (tile.width + Montage.gap, tile.height + Montage.gap)
        var picture = scene.page(
            width: 2 * margin + shape.columns * stepX - Montage.gap, height: top + shape.rows * stepY - Montage.gap,
            convention: plane == .sagittal
                ? "The patient's front (A) is on the left."
                : "Radiological convention: the patient's right (R) is on the left.", limits: limits)
        let left = (picture.width - shape.columns * stepX + Montage.gap) / 2
        let title = image.isPlaced ? plane.title : "Slices"
        picture.draw(title, x: left, y: margin, scale: style.textScale)
        picture.draw(
            heading(scene, addresses), x: left + RGBImage.textWidth(title + "  ", scale: style.textScale), y: margin,
            scale: style.textScale, colour: PictureStyle.grey)
        for (place, panel) in panels.enumerated() {
            picture.draw(
                panel, x: left + place % shape.columns * stepX, y: top + place / shape.columns * stepY)
        }
        return picture
    }

    private func label(_ scene: PictureScene, _ address: SliceAddress) -> String {
        guard scene.image.isPlaced else { return "\(address.index + 1)" }
        return PictureScene.millimetres(scene.coordinate(address, of: scene.focus))
    }

    /// "z = -60.0 to +84.0 mm, 18 of 181 slices".
    private func heading(_ scene: PictureScene, _ addresses: [SliceAddress]) -> String {
        let plane = addresses[0].plane
        let count = "\(addresses.count) of \(scene.grid.dims[plane.axes.through]) slices"
        guard scene.image.isPlaced else { return "\(addresses.count) of \(scene.grid.dims.z)" }
        let ends = [addresses[0], addresses[addresses.count - 1]].map {
            PictureScene.millimetres(scene.coordinate($0, of: scene.focus))
        }
        return "\(plane.coordinate) = \(ends[0]) to \(ends[1]) mm, \(count)"
    }

    /// `count` slices of a range, at the middles of equal parts.
    static func indices(_ count: Int, _ range: Range<Int>) -> [Int] {
        (0..<count).map { range.lowerBound + (2 * $0 + 1) * range.count / (2 * count) }
    }

    /// How many slices, at most `most`, in which grid: about twice as wide as high, with few empty places.
    ///
    /// - Parameter aspect: width of a slice over its height.
    static func shape(_ count: Int?, of most: Int, aspect: Double) -> (count: Int, columns: Int, rows: Int) {
        let counts = count.map { max(1, $0)...max(1, $0) } ?? 12...24
        var best = (count: 1, columns: 1, rows: 1)
        var least = Double.infinity
        for wanted in counts {
            let n = min(wanted, most)
            for columns in 1...n {
                let rows = (n + columns - 1) / columns
                let shape = aspect * Double(columns) / Double(rows)
                let empty = Double(columns * rows - n) / Double(n)
                let cost = abs(log(shape / 1.9)) + empty
                if cost < least - 1e-9 {
                    least = cost
                    best = (n, columns, rows)
                }
            }
        }
        return best
    }
}

extension PictureScene {
    /// The plane across the only slice, or across spacing that is by far the coarsest; else axial.
    fileprivate var acquiredPlane: SlicePlane {
        func plane(through axis: Int) -> SlicePlane { SlicePlane.allCases.first { $0.axes.through == axis }! }
        if planes.count == 1 { return planes[0] }
        let spacing = grid.spacing
        let coarsest = (0..<3).max { spacing[$0] < spacing[$1] }!
        let next = (0..<3).filter { $0 != coarsest }.map { spacing[$0] }.max()!
        return spacing[coarsest] > 1.5 * next ? plane(through: coarsest) : .axial
    }
}
