/// How a label of a label volume is shown.
public struct LabelStyle: Sendable, Equatable {
    /// What its voxels hold, 1 to 65535.
    public var value: Int
    /// What people call it.
    public var name: String
    /// The colour of its outline and fill.
    public var colour: RGB

    /// A label; without a colour the palette's for its value.
    public init(_ value: Int, _ name: String, _ colour: RGB? = nil) {
        self.value = value
        self.name = name
        self.colour = colour ?? LabelStyle.colour(of: value)
    }

    /// Reads "1=liver,2=tumour"; `nil` unless all have a name and different values from 1 to 65535.
    public static func list(_ text: String) -> [LabelStyle]? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let labels = parts.compactMap { part -> LabelStyle? in
            guard let equals = part.firstIndex(of: "="), let value = Int(part[..<equals]),
                (1...65535).contains(value), part.index(after: equals) < part.endIndex
            else { return nil }
            return LabelStyle(value, String(part[part.index(after: equals)...]))
        }
        return labels.count == parts.count && Set(labels.map(\.value)).count == parts.count ? labels : nil
    }

    /// Sixteen colours that people with colour-blindness tell apart too, bright enough for outlines on dark and on
    /// bright greys.
    ///
    /// Found by maximising the smallest distance between any two in OKLab (Ottosson 2020), seen by normal eyes and
    /// without red, green or blue cones (Machado, Oliveira and Fernandes 2009, severity 1), with OKLab lightness 0.55
    /// to 0.93. The first six are at least 0.137 apart for all of these eyes, the first twelve 0.073, all sixteen
    /// 0.058. Published palettes are made for white paper: they are shorter, or hold colours too dark for a scan.
    public static let palette: [RGB] = [
        RGB(255, 214, 0), RGB(102, 221, 255), RGB(221, 102, 187), RGB(51, 187, 85), RGB(136, 34, 255),
        RGB(153, 102, 0), RGB(170, 255, 187), RGB(136, 119, 255), RGB(255, 170, 153), RGB(187, 34, 187),
        RGB(204, 153, 255), RGB(34, 136, 85), RGB(238, 34, 68), RGB(153, 204, 0), RGB(204, 153, 0), RGB(51, 153, 187),
    ]

    /// The palette's colour for a label, the same in every picture; from 17 on the colours repeat.
    public static func colour(of value: Int) -> RGB {
        let place = (value - 1) % palette.count
        return palette[place < 0 ? place + palette.count : place]
    }
}
