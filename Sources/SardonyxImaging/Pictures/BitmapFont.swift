/// A face of 5 by 7 dots and two rows for descenders, drawn for this library.
enum BitmapFont {
    /// Dots across, and from the top of a capital to the end of a descender.
    static let width = 5
    static let height = 9
    /// Dots of a capital.
    static let capHeight = 7
    /// Dots from one letter to the next.
    static let advance = 6

    /// Nine rows from the top, a base-32 digit each; its highest bit is the leftmost dot.
    private static let rows: [Character: String] = [
        "!": "444440400", "\"": "aa0000000", "%": "op248j300", "'": "440000000", "(": "248884200", ")": "842224800",
        "*": "0level000", "+": "044v44000", ",": "000004480", "-": "000v00000", ".": "000000400", "/": "01248g000",
        "0": "ehjlphe00", "1": "4c4444e00", "2": "eh1248v00", "3": "v2421he00", "4": "26aiv2200", "5": "vgu11he00",
        "6": "68guhhe00", "7": "v12488800", "8": "ehhehhe00", "9": "ehhf12c00", ":": "044044000", ";": "044004480",
        "<": "248g84200", "=": "00v0v0000", ">": "842124800", "?": "eh1240400", "A": "ehhvhhh00", "B": "uhhuhhu00",
        "C": "ehggghe00", "D": "uhhhhhu00", "E": "vgguggv00", "F": "vgguggg00", "G": "ehgnhhf00", "H": "hhhvhhh00",
        "I": "e44444e00", "J": "72222ic00", "K": "hikokih00", "L": "ggggggv00", "M": "hrllhhh00", "N": "hpljhhh00",
        "O": "ehhhhhe00", "P": "uhhuggg00", "Q": "ehhhlid00", "R": "uhhukih00", "S": "fgge11u00", "T": "v44444400",
        "U": "hhhhhhe00", "V": "hhhhha400", "W": "hhhllrh00", "X": "hha4ahh00", "Y": "hha444400", "Z": "v1248gv00",
        "[": "e88888e00", "]": "e22222e00", "_": "000000v00", "a": "00e1fhf00", "b": "gguhhhu00", "c": "00fgggf00",
        "d": "11fhhhf00", "e": "00ehvgf00", "f": "698s88800", "g": "00fhhhf1e", "h": "gguhhhh00", "i": "40c444e00",
        "j": "2062222ic", "k": "ggikoki00", "l": "c44444e00", "m": "00qllll00", "n": "00uhhhh00", "o": "00ehhhe00",
        "p": "00uhhhugg", "q": "00fhhhf11", "r": "00mpggg00", "s": "00fge1u00", "t": "88s889600", "u": "00hhhhf00",
        "v": "00hhha400", "w": "00hllla00", "x": "00ha4ah00", "y": "00hhhhf1e", "z": "00v248v00", "°": "ciic00000",
        "·": "000400000", "×": "00ha4ah00", "²": "ci48u0000", "#": "aavavaa00", "$": "4fke5u400", "&": "cik8lid00",
        "@": "eh1dlle00", "\\": "0g8421000", "^": "4ah000000", "`": "840000000", "{": "244844200", "|": "444444400",
        "}": "844244800", "~": "008l20000",
    ]

    private static let glyphs: [Character: [UInt8]] = rows.mapValues { $0.map { UInt8(String($0), radix: 32)! } }

    /// Letters with accents and what is drawn for them.
    private static let plain = Dictionary(
        uniqueKeysWithValues: zip(
            "ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöøùúûüýÿßµ–—",
            "AAAAAACEEEEIIIINOOOOOOUUUUYaaaaaaceeeeiiiinoooooouuuuyysu--"))

    /// The dots of a character, one byte a row; without its accent, and an empty box, where the face lacks it.
    static func dots(_ character: Character) -> [UInt8] {
        if character == " " { return [UInt8](repeating: 0, count: height) }
        return glyphs[character] ?? plain[character].flatMap { glyphs[$0] } ?? [31, 17, 17, 17, 17, 17, 31, 0, 0]
    }
}

extension RGBImage {
    /// Pixels that a text takes across.
    static func textWidth(_ text: String, scale: Int) -> Int {
        max(0, text.count * BitmapFont.advance - 1) * scale
    }

    /// Draws a line of text, the top left of its first capital at (x, y), a dot being `scale` pixels wide; a dark rim
    /// keeps it legible on any ground.
    mutating func draw(_ text: String, x: Int, y: Int, scale: Int, colour: RGB = .white, rim: Bool = false) {
        func each(_ body: (_ x: Int, _ y: Int) -> Void) {
            var left = x
            for character in text {
                for (row, bits) in BitmapFont.dots(character).enumerated() {
                    for column in 0..<BitmapFont.width where bits >> (BitmapFont.width - 1 - column) & 1 == 1 {
                        body(left + column * scale, y + row * scale)
                    }
                }
                left += BitmapFont.advance * scale
            }
        }
        var dots: [(Int, Int)] = []
        each { dots.append(($0, $1)) }
        if rim { for (x, y) in dots { fill(x: x - 1, y: y - 1, width: scale + 2, height: scale + 2, .black) } }
        for (x, y) in dots { fill(x: x, y: y, width: scale, height: scale, colour) }
    }
}
