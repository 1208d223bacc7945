/// Axial, coronal and sagittal slices side by side, with labels' outlines, marked sides, a scale bar and captions.
///
/// Radiological convention. All panels have one scale in pixels a millimetre, so that shapes are true whatever the
/// voxels' spacing. Slices follow the voxel planes nearest to the anatomical ones. Of a single slice, and of a picture
/// without a patient, there is one panel.
public struct ThreePlaneView: Sendable {
    /// Size, window and labels.
    public var style = PictureStyle()
    /// The point in RAS+ mm through which the slices run; without it the labels' centre, or the image's.
    public var point: SIMD3<Double>?

    /// The defaults.
    public init() {}

    /// Draws a volume in memory and the outline of a mask.
    ///
    /// - Throws: as `render(_:labels:)`.
    public func render(_ volume: Volume<Float>, mask: Mask? = nil) throws -> RGBImage {
        try render(PictureSource(volume), labels: mask.map { PictureSource(labels: $0) })
    }

    /// Draws an image and its labels, which may be stored in another order of axes.
    ///
    /// - Throws: `ImagingError` `.mismatch` when the labels lie on another grid or are none, or `point` lies outside
    ///   the image; `.badGeometry`; and what reading throws.
    public func render(_ image: PictureSource, labels: PictureSource? = nil) throws -> RGBImage {
        let scene = try PictureScene(image, labels, style)
        let centre = try centre(scene)
        let planes = scene.planes
        let extent = scene.extent
        let margin = PictureStyle.margin
        let across = planes.reduce(0) { $0 + extent[$1.axes.across] }
        let down = planes.map { extent[$0.axes.down] }.max()!
        let room = Double(max(100, style.width) - (planes.count + 1) * margin)
        let pixelsPerMM = min(room / across, Double(max(100, style.width)) * 2 / 3 / down)
        let addresses = planes.map { SliceAddress(plane: $0, index: centre[$0.axes.through]) }
        var (panels, limits) = try scene.panels(addresses, pixelsPerMM)
        let least = panels.map { min($0.width, $0.height) }.min()!
        for (place, plane) in planes.enumerated() {
            scene.markSides(plane, &panels[place], scale: style.textScale + 1)
            scene.drawScaleBar(&panels[place], pixelsPerMM, room: least, scale: style.textScale)
        }

        let headings = addresses.map { heading(scene, $0, centre) }
        let panelHeight = panels.map(\.height).max()!
        let top = margin + (headings.allSatisfy { $0.title.isEmpty } ? 0 : style.lineHeight)
        var picture = scene.page(
            width: panels.reduce(margin) { $0 + $1.width + margin }, height: top + panelHeight,
            convention: ThreePlaneView.convention(planes), limits: limits)
        // A narrow volume stands in the middle of a page that its captions widen.
        var x = (picture.width - panels.reduce(-margin) { $0 + $1.width + margin }) / 2
        for (heading, panel) in zip(headings, panels) {
            picture.draw(panel, x: x, y: top + (panelHeight - panel.height) / 2)
            let indent = RGBImage.textWidth(heading.title + "  ", scale: style.textScale)
            picture.draw(heading.title, x: x, y: margin, scale: style.textScale)
            // A narrow panel keeps the name only.
            if indent + RGBImage.textWidth(heading.position, scale: style.textScale) <= panel.width {
                picture.draw(
                    heading.position, x: x + indent, y: margin, scale: style.textScale, colour: PictureStyle.grey)
            }
            x += panel.width + margin
        }
        return picture
    }

    private func heading(
        _ scene: PictureScene, _ address: SliceAddress, _ centre: SIMD3<Int>
    ) -> (title: String, position: String) {
        let axis = address.plane.axes.through
        if scene.image.isPlaced {
            let place = PictureScene.millimetres(scene.coordinate(address, of: centre))
            return (address.plane.title, "\(address.plane.coordinate) = \(place) mm")
        }
        let count = scene.grid.dims[axis]
        return count == 1 ? ("", "") : ("Slice \(address.index + 1)", "of \(count)")
    }

    /// The voxel, in RAS order, through which the slices run.
    private func centre(_ scene: PictureScene) throws -> SIMD3<Int> {
        guard let point else { return scene.focus }
        let place = scene.grid.affine.inverse!(point)
        var voxel = SIMD3<Int>()
        for axis in 0..<3 {
            guard place[axis] >= -0.5, place[axis] <= Double(scene.grid.dims[axis]) - 0.5, scene.image.isPlaced else {
                let text = (0..<3).map { Format.short(point[$0]) }.joined(separator: ", ")
                throw ImagingError(
                    .mismatch, problem: "the point (\(text)) mm lies outside the image",
                    remedy: "choose one inside: its middle is (\(scene.middle)) mm")
            }
            voxel[axis] = min(Int((place[axis] + 0.5).rounded(.down)), scene.grid.dims[axis] - 1)
        }
        return voxel
    }

    private static func convention(_ planes: [SlicePlane]) -> String {
        let frontal = planes.filter { $0 != .sagittal }.map(\.rawValue)
        if frontal.isEmpty { return "The patient's front (A) is on the left." }
        return "Radiological convention: the patient's right (R) is on the left"
            + (planes.count == 1 ? "." : " of the \(frontal.joined(separator: " and ")) pictures.")
    }
}

extension PictureScene {
    /// The planes in which the image is more than a line; stored slices where there is no patient.
    var planes: [SlicePlane] {
        let planes = SlicePlane.allCases.filter { grid.dims[$0.axes.across] > 1 && grid.dims[$0.axes.down] > 1 }
        return image.isPlaced && !planes.isEmpty ? planes : [.axial]
    }

    /// The voxel, in RAS order, in the middle of the labels, or of the image.
    var focus: SIMD3<Int> {
        var voxel = SIMD3<Int>()
        for axis in 0..<3 { voxel[axis] = survey?.focus(axis) ?? grid.dims[axis] / 2 }
        return voxel
    }

    /// The middle of the image in mm, for a message.
    fileprivate var middle: String {
        let place = grid.affine(SIMD3<Double>(grid.dims &- 1) / 2)
        return (0..<3).map { Format.short(place[$0]) }.joined(separator: ", ")
    }
}
