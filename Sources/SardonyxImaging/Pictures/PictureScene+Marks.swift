/// What stands on the slices: sides and a scale bar.
extension PictureScene {
    /// Writes the sides' letters where they have room; at top and bottom beside `reserved` pixels at the left.
    func markSides(_ plane: SlicePlane, _ picture: inout RGBImage, scale: Int, reserved: Int = 0) {
        guard image.isPlaced else { return }
        let (w, h) = (BitmapFont.width * scale, BitmapFont.capHeight * scale)
        let gap = 2 * scale + 2
        let sides = plane.sides
        if picture.width >= 6 * w {
            let y = (picture.height - h) / 2
            picture.draw(String(sides.left.rawValue), x: gap, y: y, scale: scale, rim: true)
            picture.draw(String(sides.right.rawValue), x: picture.width - w - gap, y: y, scale: scale, rim: true)
        }
        let x = (picture.width - w) / 2
        if picture.height >= 5 * h, x > reserved + gap {
            picture.draw(String(sides.top.rawValue), x: x, y: gap, scale: scale, rim: true)
            picture.draw(String(sides.bottom.rawValue), x: x, y: picture.height - h - gap, scale: scale, rim: true)
        }
    }

    /// Draws a bar of a round number of millimetres at the bottom right: about a quarter of `room` pixels long, never
    /// too short for its label.
    func drawScaleBar(_ picture: inout RGBImage, _ pixelsPerMM: Double, room: Int, scale: Int) {
        let sizes = (-3...3).flatMap { power in [1.0, 2, 5].map { $0 * PictureScene.powers[power + 3] } }
        let longest = max(Double(room) / 4, Double(20 * scale))
        guard image.isPlaced, let bar = sizes.last(where: { $0 * pixelsPerMM <= longest }) else { return }
        let length = max(1, Int((bar * pixelsPerMM).rounded()))
        let text = "\(Format.short(bar)) mm"
        let textWidth = RGBImage.textWidth(text, scale: scale)
        let (right, bottom) = (picture.width - 5 * scale, picture.height - 5 * scale)
        let needed = max(length, textWidth) + 10 * scale
        guard needed <= picture.width, 20 * scale <= picture.height else { return }
        picture.fill(
            x: right - length - 1, y: bottom - 2 * scale - 1, width: length + 2, height: 2 * scale + 2, .black)
        picture.fill(x: right - length, y: bottom - 2 * scale, width: length, height: 2 * scale, .white)
        let x = min(right - (length + textWidth) / 2, right - textWidth)
        picture.draw(text, x: x, y: bottom - (BitmapFont.capHeight + 5) * scale, scale: scale, rim: true)
    }

    private static let powers = [0.001, 0.01, 0.1, 1, 10, 100, 1000]

    /// "+12.0".
    static func millimetres(_ value: Double) -> String {
        let number = Format.fixed(value, 1)
        return value > 0 && number != "0.0" ? "+" + number : number
    }
}
