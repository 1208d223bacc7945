/// How pictures of volumes look.
public struct PictureStyle: Sendable, Equatable {
    /// Pixels across the whole picture, at most; at least 100. Very tall volumes make it narrower.
    public var width = 1500
    /// Values shown as black and white.
    public var window = Window.automatic
    /// Names and colours of labels. Other labels of the mask are drawn too, in the palette's colours.
    public var labels: [LabelStyle] = []
    /// Pixels across outlines; 0 for none.
    public var outline: Float = 1.5
    /// Opacity of the labels' colours inside their outlines, 0 to 1.
    public var fill: Float = 0
    /// A line below the picture, such as the image's name.
    public var caption = ""

    /// The defaults above.
    public init() {}

    static let margin = 20
    static let ground = RGB(18, 18, 20)
    static let grey = RGB(176, 176, 180)

    /// Pixels a dot of a text.
    var textScale: Int { width < 700 ? 1 : min(2 + (width - 700) / 1600, 8) }
    /// Pixels from a line of text to the next.
    var lineHeight: Int { 13 * textScale }
}
