#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// An image and its labels, ready to be drawn slice by slice.
struct PictureScene {
    let image: PictureSource
    let mask: PictureSource?
    let survey: LabelSurvey?
    let style: PictureStyle
    /// The image's voxels in RAS order.
    let grid: VoxelGrid

    /// Checks that both fit and reads the mask once.
    init(_ image: PictureSource, _ mask: PictureSource?, _ style: PictureStyle) throws {
        guard image.grid.affine.isInvertible else {
            throw ImagingError(
                .badGeometry, problem: "the image's axes do not span space", remedy: "repair the header's affine")
        }
        self.image = image
        self.mask = mask
        self.style = style
        grid = image.upright
        if let mask {
            // Labels may be stored in another order of axes; between unplaced pictures only the size can be compared.
            let fits = image.isPlaced ? mask.upright.isAligned(with: grid) : mask.grid.dims == image.grid.dims
            guard fits, mask.isPlaced == image.isPlaced else {
                throw ImagingError(
                    .mismatch,
                    problem:
                        "the mask lies on another grid (\(mask.grid.summary)) than the image (\(image.grid.summary))",
                    remedy: "resample the mask onto the image")
            }
        }
        survey = try mask.map { try LabelSurvey(of: $0) }
    }

    /// Size of the field of view in mm along x, y, z.
    var extent: SIMD3<Double> { SIMD3<Double>(grid.dims) * grid.spacing }

    /// Largest angle in degrees between a voxel axis and the anatomical axis that it is taken for.
    var tilt: Double {
        guard image.isPlaced else { return 0 }
        let cosines = (0..<3).map { axis in
            let step = grid.affine.column(axis)
            return step[axis] / Affine.length(step)
        }
        return acos(min(cosines.min()!, 1)) * 180 / .pi
    }

    /// The coordinate in mm of a slice, at its middle for an oblique volume.
    func coordinate(_ address: SliceAddress, of centre: SIMD3<Int>) -> Double {
        var place = SIMD3<Double>(centre)
        place[address.plane.axes.through] = Double(address.index)
        return grid.affine(place)[address.plane.axes.through]
    }

    /// Draws slices, `pixelsPerMM` in the same scale, with their labels; and tells what became black and white.
    func panels(
        _ addresses: [SliceAddress], _ pixelsPerMM: Double
    ) throws -> (panels: [RGBImage], limits: (black: Float, white: Float)?) {
        let (slices, sample) = try image.slices(addresses, samples: 500_000)
        let masks = try mask?.slices(addresses).slices
        var limits = style.window.limits(of: sample)
        var isAsItIs = false
        if image.channels == 3, case .percentiles = style.window {
            isAsItIs = true
            // Eight bits, sixteen, or shares of 1 are what colours come in.
            let most = sample.lazy.filter(\.isFinite).max() ?? 0
            limits = (0, most > 255 ? 65535 : most > 1 || sample.allSatisfy { $0 == $0.rounded() } ? 255 : 1)
        }
        let scale = GreyScale(limits)
        let panels = try addresses.indices.map { place in
            var picture = panel(slices[place], scale, pixelsPerMM)
            if let labels = masks?[place][0] { try draw(labels, onto: &picture) }
            return picture
        }
        return (panels, isAsItIs ? nil : limits)
    }

    private func panel(_ channels: [Slice], _ scale: GreyScale, _ pixelsPerMM: Double) -> RGBImage {
        let slice = channels[0]
        let width = max(1, Int((Double(slice.width) * slice.step.across * pixelsPerMM).rounded()))
        let height = max(1, Int((Double(slice.height) * slice.step.down * pixelsPerMM).rounded()))
        var picture = RGBImage(width: width, height: height)
        var levels = [UInt8](repeating: 0, count: width)
        for (c, channel) in channels.enumerated() {
            var greys = channel
            scale.apply(to: &greys.values)
            greys.smooth(width, height) { row, values in
                GreyScale.levels(UnsafeBufferPointer(start: values, count: width), &levels)
                // One channel is all three colours.
                picture.set(row, levels, channel: channels.count == 3 ? c : nil)
            }
        }
        return picture
    }

    private func draw(_ labels: Slice, onto picture: inout RGBImage) throws {
        var labels = labels
        try LabelSurvey.round(&labels.values)
        let styles = legend
        // Lines of neighbours stand side by side; a lone label's runs on its border.
        let inset = styles.count > 1 ? style.outline / 2 : 0
        let boxes = labels.boxes()
        for label in styles {
            guard let box = boxes[Float(label.value)] else { continue }
            labels.cover(
                of: Float(label.value), in: box, picture.width, picture.height, thickness: style.outline, inset: inset,
                isFilled: style.fill > 0
            ) { x, y, line, inside in
                let opacity = max(style.outline > 0 ? line : 0, inside * style.fill)
                picture.blend(label.colour, at: x, y, opacity: opacity)
            }
        }
    }

    /// The labels that have a name, and those that occur without one.
    var legend: [LabelStyle] {
        guard let survey else { return [] }
        let unnamed = survey.counts.map(\.value).filter { value in !style.labels.contains { $0.value == value } }
        if style.labels.isEmpty, unnamed.count <= 1 {
            return [LabelStyle(unnamed.first ?? 1, "mask", LabelStyle.palette[0])]
        }
        return (style.labels + unnamed.map { LabelStyle($0, "label \($0)") }).sorted { $0.value < $1.value }
    }
}
