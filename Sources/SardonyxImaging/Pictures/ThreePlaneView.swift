/// Axial, coronal and sagittal slices side by side, with a mask's outline, marked sides, a scale bar and captions.
///
/// Radiological convention. All panels have one scale in pixels a millimetre, so that shapes are true whatever the
/// voxels' spacing. Slices follow the voxel planes nearest to the anatomical ones.
public struct ThreePlaneView: Sendable {
    /// Pixels of the longest side of the volume; the shorter ones follow. At least 64.
    public var longestSide = 520
    /// Values shown as black and white.
    public var window = Window.percentiles(1, 99.5)
    /// Colour of the mask's outline.
    public var outlineColour = RGB(255, 214, 0)
    /// Pixels across the outline.
    public var outlineThickness: Float = 2
    /// What the outline encloses, for the caption.
    public var maskName = "mask"

    /// The defaults.
    public init() {}

    private static let margin = 20
    private static let ground = RGB(18, 18, 20)
    private static let grey = RGB(176, 176, 180)
    private static let textScale = 2
    private static let lineHeight = 26

    /// Draws the slices through the mask's centroid; without a mask, or with an empty one, through the middle.
    ///
    /// - Throws: `ImagingError` `.mismatch` when the mask lies on another grid.
    public func render(_ volume: Volume<Float>, mask: Mask? = nil) throws -> RGBImage {
        if let mask, !mask.grid.isAligned(with: volume.grid) {
            throw ImagingError(
                .mismatch,
                problem: "the mask lies on another grid (\(mask.grid.summary)) than the image (\(volume.grid.summary))",
                remedy: "resample the mask onto the image")
        }
        let image = volume.reoriented()
        let inside = mask?.reoriented()
        let middle = SIMD3<Double>(image.dims &- 1) / 2
        let centre = inside?.centroid ?? middle
        let limits = window.limits(of: image)
        let longest = (SIMD3<Double>(image.dims) * image.spacing).max()
        let pixelsPerMM = Double(max(64, longestSide)) / longest
        let bar = scaleBar(image.grid, pixelsPerMM)
        let panels = SlicePlane.allCases.map { plane in
            var picture = panel(plane, image, inside, centre, limits, pixelsPerMM)
            markSides(plane, &picture)
            if let bar { draw(bar, pixelsPerMM, &picture) }
            return picture
        }

        let margin = ThreePlaneView.margin
        let width = panels.reduce(margin) { $0 + $1.width + margin }
        let panelHeight = panels.map(\.height).max()!
        let footer = captions(inside).flatMap { ThreePlaneView.wrap($0, width: width - 2 * margin) }
        let top = margin + ThreePlaneView.lineHeight
        let footerTop = top + panelHeight + margin
        var picture = RGBImage(
            width: width, height: footerTop + footer.count * ThreePlaneView.lineHeight + margin / 2,
            colour: ThreePlaneView.ground)
        var x = margin
        for (plane, panel) in zip(SlicePlane.allCases, panels) {
            picture.draw(panel, x: x, y: top + (panelHeight - panel.height) / 2)
            heading(plane, image, centre, panel.width, &picture, x: x)
            x += panel.width + margin
        }
        for (line, text) in footer.enumerated() {
            picture.draw(
                text, x: margin, y: footerTop + line * ThreePlaneView.lineHeight, scale: ThreePlaneView.textScale,
                colour: ThreePlaneView.grey)
        }
        return picture
    }

    /// "Axial  z = +12.0 mm" above a panel; a narrow panel keeps the name only.
    private func heading(
        _ plane: SlicePlane, _ image: Volume<Float>, _ centre: SIMD3<Double>, _ width: Int,
        _ picture: inout RGBImage, x: Int
    ) {
        let scale = ThreePlaneView.textScale
        let y = ThreePlaneView.margin
        var place = centre
        place[plane.axes.through] = place[plane.axes.through].rounded()
        let mm = image.affine(place)[plane.axes.through]
        let number = Format.fixed(mm, 1)
        let position = "\(plane.coordinate) = \(mm > 0 && number != "0.0" ? "+" : "")\(number) mm"
        picture.draw(plane.title, x: x, y: y, scale: scale)
        let indent = RGBImage.textWidth(plane.title + "  ", scale: scale)
        if indent + RGBImage.textWidth(position, scale: scale) <= width {
            picture.draw(position, x: x + indent, y: y, scale: scale, colour: ThreePlaneView.grey)
        }
    }

    private func captions(_ mask: Mask?) -> [String] {
        let sides = "Radiological convention: the patient's right (R) is on the left of the axial and coronal pictures."
        guard let mask else { return [sides] }
        let count = mask.insideCount
        return [
            sides, count == 0 ? "The \(maskName) is empty." : "Outline: \(maskName), \(millilitres(mask)) mL",
        ]
    }

    /// Small findings need decimals, a brain does not.
    private func millilitres(_ mask: Mask) -> String {
        mask.millilitres < 10 ? Format.short(mask.millilitres) : Format.fixed(mask.millilitres, 0)
    }

    private func panel(
        _ plane: SlicePlane, _ image: Volume<Float>, _ mask: Mask?, _ centre: SIMD3<Double>,
        _ limits: (black: Float, white: Float), _ pixelsPerMM: Double
    ) -> RGBImage {
        let axes = plane.axes
        let index = min(max(Int(centre[axes.through].rounded()), 0), image.dims[axes.through] - 1)
        // A NaN would spread to its neighbours: it is drawn black.
        let slice = Slice(image, plane, index: index) { $0.isFinite ? $0 : limits.black }
        let width = max(1, Int((Double(slice.width) * slice.step.across * pixelsPerMM).rounded()))
        let height = max(1, Int((Double(slice.height) * slice.step.down * pixelsPerMM).rounded()))
        var picture = RGBImage(width: width, height: height)
        let scale = 255 / (limits.white - limits.black)
        for (p, value) in slice.smooth(width, height).enumerated() {
            let grey = UInt8(min(max((value - limits.black) * scale, 0), 255).rounded())
            for c in 0..<3 { picture.pixels[3 * p + c] = grey }
        }
        if let mask {
            let lines = Slice(mask, plane, index: index) { $0 == 0 ? 0 : 1 }
                .outline(width, height, thickness: outlineThickness)
            for (p, opacity) in lines.enumerated() where opacity > 0 {
                picture.blend(outlineColour, at: p % width, p / width, opacity: opacity)
            }
        }
        return picture
    }

    private func markSides(_ plane: SlicePlane, _ picture: inout RGBImage) {
        let scale = 3
        let (w, h) = (BitmapFont.width * scale, BitmapFont.capHeight * scale)
        let sides = plane.sides
        let places: [(Direction, Int, Int)] = [
            (sides.left, 8, (picture.height - h) / 2),
            (sides.right, picture.width - w - 8, (picture.height - h) / 2),
            (sides.top, (picture.width - w) / 2, 8),
            (sides.bottom, (picture.width - w) / 2, picture.height - h - 8),
        ]
        for (side, x, y) in places { picture.draw(String(side.rawValue), x: x, y: y, scale: scale, rim: true) }
    }

    /// A round number of millimetres that takes at most a quarter of the narrowest panel.
    private func scaleBar(_ grid: VoxelGrid, _ pixelsPerMM: Double) -> Double? {
        let extent = SIMD3<Double>(grid.dims) * grid.spacing
        let room = min(extent.x, extent.y) * pixelsPerMM / 4
        // Shorter bars cannot carry their label.
        let sizes = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200]
        return sizes.last { $0 * pixelsPerMM <= max(room, 40) }
    }

    /// Draws the bar at the bottom right.
    private func draw(_ bar: Double, _ pixelsPerMM: Double, _ picture: inout RGBImage) {
        let length = Int((bar * pixelsPerMM).rounded())
        let scale = ThreePlaneView.textScale
        let (right, bottom) = (picture.width - 10, picture.height - 10)
        picture.fill(x: right - length - 1, y: bottom - 5, width: length + 2, height: 6, .black)
        picture.fill(x: right - length, y: bottom - 4, width: length, height: 4, .white)
        let text = "\(Format.short(bar)) mm"
        let x = right - (length + RGBImage.textWidth(text, scale: scale)) / 2
        picture.draw(
            text, x: min(x, right - RGBImage.textWidth(text, scale: scale)),
            y: bottom - 10 - BitmapFont.capHeight * scale, scale: scale, rim: true)
    }

    /// Breaks a text between words into lines of at most `width` pixels.
    private static func wrap(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, RGBImage.textWidth(last + " " + word, scale: textScale) <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
