/// A colour of 8 bits a channel, sRGB.
public struct RGB: Sendable, Equatable {
    /// Channels from 0 to 255.
    public var red, green, blue: UInt8

    /// Channels from 0 to 255.
    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// The brightest grey.
    public static let white = RGB(255, 255, 255)
    /// The darkest grey.
    public static let black = RGB(0, 0, 0)
}

/// A picture of 8-bit RGB pixels, rows from top to bottom.
public struct RGBImage: Sendable, Equatable {
    /// Pixels from left to right.
    public let width: Int
    /// Pixels from top to bottom.
    public let height: Int
    /// `3 * width * height` bytes: red, green, blue of the top left pixel first.
    public internal(set) var pixels: [UInt8]

    /// A picture of one colour, at least 1 by 1.
    public init(width: Int, height: Int, colour: RGB = .black) {
        precondition(width > 0 && height > 0, "a picture has at least one pixel")
        self.width = width
        self.height = height
        let bytes = [colour.red, colour.green, colour.blue]
        pixels = [UInt8](repeating: colour.red, count: width * height * 3)
        if bytes.allSatisfy({ $0 == colour.red }) { return }
        pixels.withUnsafeMutableBufferPointer { pixels in
            for place in 0..<3 * width { pixels[place] = bytes[place % 3] }
            for row in 1..<height {
                // SAFETY: the picture has so many rows.
                (pixels.baseAddress! + 3 * width * row).update(from: pixels.baseAddress!, count: 3 * width)
            }
        }
    }

    /// The colour of a pixel; traps outside the picture.
    public subscript(x: Int, y: Int) -> RGB {
        get {
            precondition(x >= 0 && x < width && y >= 0 && y < height, "outside the picture")
            let p = 3 * (y * width + x)
            return RGB(pixels[p], pixels[p + 1], pixels[p + 2])
        }
        set {
            precondition(x >= 0 && x < width && y >= 0 && y < height, "outside the picture")
            let p = 3 * (y * width + x)
            (pixels[p], pixels[p + 1], pixels[p + 2]) = (newValue.red, newValue.green, newValue.blue)
        }
    }

    /// Lays `colour` over a pixel, `opacity` 0 to 1; nothing happens outside the picture.
    mutating func blend(_ colour: RGB, at x: Int, _ y: Int, opacity: Float) {
        guard x >= 0, x < width, y >= 0, y < height, opacity > 0 else { return }
        let t = min(opacity, 1)
        let p = 3 * (y * width + x)
        func mix(_ below: UInt8, _ above: UInt8) -> UInt8 { UInt8(Float(below) * (1 - t) + Float(above) * t + 0.5) }
        pixels[p] = mix(pixels[p], colour.red)
        pixels[p + 1] = mix(pixels[p + 1], colour.green)
        pixels[p + 2] = mix(pixels[p + 2], colour.blue)
    }

    /// Sets a channel of a row, or all three.
    mutating func set(_ row: Int, _ levels: [UInt8], channel: Int?) {
        precondition(levels.count == width && 0..<height ~= row && 0..<3 ~= channel ?? 0, "a row of the picture")
        pixels.withUnsafeMutableBytes { pixels in
            // SAFETY: a row has 3 bytes for each of `width` pixels.
            let target = pixels.baseAddress! + 3 * width * row
            if let channel {
                for x in 0..<width { target.storeBytes(of: levels[x], toByteOffset: 3 * x + channel, as: UInt8.self) }
                return
            }
            // Three bytes at once, and one of the next pixel's that is overwritten then.
            for x in 0..<width - 1 {
                target.storeBytes(of: UInt32(levels[x]) &* 0x010101, toByteOffset: 3 * x, as: UInt32.self)
            }
            for c in 0..<3 {
                target.storeBytes(of: levels[width - 1], toByteOffset: 3 * (width - 1) + c, as: UInt8.self)
            }
        }
    }

    /// Fills the part of a rectangle that lies in the picture.
    mutating func fill(x: Int, y: Int, width w: Int, height h: Int, _ colour: RGB) {
        let columns = max(0, x)..<max(max(0, x), min(width, x + w))
        let rows = max(0, y)..<max(max(0, y), min(height, y + h))
        for row in rows { for column in columns { self[column, row] = colour } }
    }

    /// Copies a picture in, its top left pixel at (x, y); what would lie outside is left out.
    mutating func draw(_ image: RGBImage, x: Int, y: Int) {
        let (left, right) = (max(0, x), min(width, x + image.width))
        guard left < right else { return }
        pixels.withUnsafeMutableBufferPointer { pixels in
            image.pixels.withUnsafeBufferPointer { source in
                for row in max(0, y)..<max(max(0, y), min(height, y + image.height)) {
                    // SAFETY: the rows and columns are those of both pictures.
                    let from = source.baseAddress! + 3 * ((row - y) * image.width + left - x)
                    (pixels.baseAddress! + 3 * (row * width + left)).update(from: from, count: 3 * (right - left))
                }
            }
        }
    }

    /// Writes a PNG; the bytes go to a temporary name first, so that `path` never holds a part of a picture.
    ///
    /// - Throws: `ImagingError` `.cannotWrite`, or `.unsupported` above 1,000,000 pixels a side.
    public func writePNG(to path: String) throws {
        try Picture(width: width, height: height, channels: 3, samples: .uint8(pixels)).writePNG(to: path)
    }
}
