/// What stands below the slices: captions and the legend.
extension PictureScene {
    /// One line of the footer: a text, or entries of the legend in columns.
    private enum Line {
        case text(String)
        case entries([(colour: RGB, text: String)])
    }

    /// A picture of the slices' part with the captions below it.
    ///
    /// - Parameters:
    ///   - height: pixels down to the end of the slices.
    ///   - convention: how sides are shown, a sentence; empty where there are none.
    func page(
        width: Int, height: Int, convention: String, limits: (black: Float, white: Float)?
    ) -> RGBImage {
        let margin = PictureStyle.margin
        // A few words in a line are still read.
        let width = max(width, min(style.width, 280 * style.textScale))
        let room = width - 2 * margin
        var notes: [String] = []
        if image.isPlaced { notes.append(convention) }
        if tilt >= 0.5 {
            notes.append(
                "Oblique volume, tilted by \(Format.fixed(tilt, 0))°: slices follow its voxels, "
                    + "coordinates are those of their middles.")
        }
        if let limits {
            notes.append("Window: \(PictureScene.short(limits.black)) to \(PictureScene.short(limits.white)).")
        }
        var lines = [style.caption, notes.joined(separator: " ")].flatMap { wrap($0, width: room).map(Line.text) }
        lines += legendLines(room)
        let top = height + margin
        var picture = RGBImage(
            width: width, height: top + lines.count * style.lineHeight + margin / 2, colour: PictureStyle.ground)
        let scale = style.textScale
        for (number, line) in lines.enumerated() {
            let y = top + number * style.lineHeight
            switch line {
            case .text(let text): picture.draw(text, x: margin, y: y, scale: scale, colour: PictureStyle.grey)
            case .entries(let entries):
                for (column, entry) in entries.enumerated() {
                    let x = margin + column * columnWidth
                    let size = BitmapFont.capHeight * scale
                    picture.fill(x: x, y: y, width: size, height: size, entry.colour)
                    picture.draw(entry.text, x: x + swatch, y: y, scale: scale, colour: PictureStyle.grey)
                }
            }
        }
        return picture
    }

    /// Pixels from the start of a patch of colour to its text.
    private var swatch: Int { (BitmapFont.capHeight + 4) * style.textScale }

    private var entries: [(colour: RGB, text: String)] {
        legend.map { label in (label.colour, "\(label.name)  \(amount(label.value))") }
    }

    private var columnWidth: Int {
        let widest = entries.map { RGBImage.textWidth($0.text, scale: style.textScale) }.max() ?? 0
        return widest + swatch + 16 * style.textScale
    }

    private func legendLines(_ room: Int) -> [Line] {
        guard let survey else { return [] }
        let labels = legend
        if labels.count == 1 {
            let name = labels[0].name
            let verb = style.outline > 0 ? "Outline" : "Colour"
            return wrap(
                survey.total == 0 ? "The \(name) is empty." : "\(verb): \(name), \(amount(labels[0].value))",
                width: room
            ).map(Line.text)
        }
        let columns = max(1, (room + 16 * style.textScale) / columnWidth)
        let shown = entries.prefix(columns * 6)
        var lines = stride(from: 0, to: shown.count, by: columns).map {
            Line.entries(Array(shown[$0..<min($0 + columns, shown.count)]))
        }
        if shown.count < labels.count { lines.append(.text("and \(labels.count - shown.count) more labels")) }
        return lines
    }

    /// How much of the picture is labelled so: "1874 mL", "12.5 mm²" on a single slice, "318 pixels" without a scale.
    private func amount(_ label: Int) -> String {
        guard let count = survey?.counts.first(where: { $0.value == label })?.count else { return "none" }
        guard image.isPlaced else { return "\(count) \(grid.dims.min() == 1 ? "pixels" : "voxels")" }
        if let flat = (0..<3).first(where: { grid.dims[$0] == 1 }) {
            return "\(PictureScene.short(Float(Double(count) * grid.voxelVolume / grid.spacing[flat]))) mm²"
        }
        // Small findings need decimals, a brain does not.
        let millilitres = Double(count) * grid.voxelVolume / 1000
        if millilitres < 0.0005 { return "below 0.001 mL" }
        return Format.fixed(millilitres, millilitres < 1 ? 3 : millilitres < 10 ? 2 : millilitres < 100 ? 1 : 0) + " mL"
    }

    /// About three significant digits.
    private static func short(_ value: Float) -> String {
        abs(value) >= 100 ? Format.fixed(Double(value), 0) : Format.short(Double(value))
    }

    /// Breaks a text between words into lines of at most `width` pixels.
    private func wrap(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, RGBImage.textWidth(last + " " + word, scale: style.textScale) <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
