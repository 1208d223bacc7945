/// A picture of one to four channels with the depth that its file has, rows from top to bottom.
public struct Picture: Sendable, Equatable {
    /// Values in the order row, column, channel: `samples[(y * width + x) * channels + c]`.
    public enum Samples: Sendable, Equatable {
        /// 0 to 255.
        case uint8([UInt8])
        /// 0 to 65535.
        case uint16([UInt16])
        /// Any range: what a TIFF holds in floating point, with a sign or in more than 16 bits.
        case float([Float])

        /// How many there are.
        public var count: Int {
            switch self {
            case .uint8(let values): values.count
            case .uint16(let values): values.count
            case .float(let values): values.count
            }
        }

        /// One value as a Float, which is exact for integers of 8 and 16 bits.
        public subscript(index: Int) -> Float {
            switch self {
            case .uint8(let values): Float(values[index])
            case .uint16(let values): Float(values[index])
            case .float(let values): values[index]
            }
        }

        /// Their bytes, in this machine's order.
        func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
            switch self {
            case .uint8(let values): try values.withUnsafeBytes(body)
            case .uint16(let values): try values.withUnsafeBytes(body)
            case .float(let values): try values.withUnsafeBytes(body)
            }
        }
    }

    /// Pixels from left to right, 1 or more.
    public let width: Int
    /// Pixels from top to bottom, 1 or more.
    public let height: Int
    /// 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha; or what a TIFF's 2 to 4 samples a pixel mean.
    public let channels: Int
    /// `width * height * channels` values.
    public let samples: Samples
    /// The last channel is how opaque a pixel is: 0 not at all, the greatest value wholly. Colours are not multiplied by
    /// it.
    public let hasAlpha: Bool
    /// Millimetres from column to column (x) and from row to row (y); `nil` where unknown.
    public let spacing: SIMD2<Double>?

    /// Wraps values; traps unless there are `width * height * channels`.
    ///
    /// - Parameters:
    ///   - width: pixels from left to right.
    ///   - height: pixels from top to bottom.
    ///   - channels: 1 to 4.
    ///   - samples: row by row, channels side by side.
    ///   - hasAlpha: `nil` takes the last of two or four channels as alpha.
    ///   - spacing: millimetres from column to column and from row to row; `nil` where unknown.
    public init(
        width: Int, height: Int, channels: Int, samples: Samples, hasAlpha: Bool? = nil, spacing: SIMD2<Double>? = nil
    ) {
        precondition(width > 0 && height > 0, "a picture has at least one pixel")
        precondition((1...4).contains(channels), "a picture has 1 to 4 channels")
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        precondition(
            !overflow && samples.count % channels == 0 && samples.count / channels == pixels, "one value a channel")
        precondition(hasAlpha != true || channels == 2 || channels == 4, "alpha comes after grey or RGB")
        self.width = width
        self.height = height
        self.channels = channels
        self.samples = samples
        self.hasAlpha = hasAlpha ?? (channels % 2 == 0)
        self.spacing = spacing
    }

    /// Reads a page of a PNG, JPEG, TIFF, BMP or PNM file, as `PictureFile` does.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - page: 0 is the first; only TIFF has more.
    /// - Throws: `ImagingError`.
    public init(contentsOf path: String, page: Int = 0) throws {
        self = try PictureFile(path).picture(page: page)
    }

    /// What a file's first page is, from its header.
    ///
    /// - Throws: `ImagingError`.
    public static func info(_ path: String) throws -> PictureFile.Info { try PictureFile(path).info }

    /// Copies one channel of a rectangle as Float, rows without gaps; traps outside the picture or where `output` has
    /// not `x.count * y.count` places.
    public func copy(channel: Int, x: Range<Int>, y: Range<Int>, into output: UnsafeMutableBufferPointer<Float>) {
        precondition(x.lowerBound >= 0 && x.upperBound <= width && y.lowerBound >= 0 && y.upperBound <= height)
        precondition(channel >= 0 && channel < channels && output.count == x.count * y.count)
        func copy<T>(_ values: [T], _ convert: (T) -> Float) {
            var place = 0
            for row in y {
                for index in x.lowerBound..<x.upperBound {
                    output[place] = convert(values[(row * width + index) * channels + channel])
                    place += 1
                }
            }
        }
        switch samples {
        case .uint8(let values): copy(values) { Float($0) }
        case .uint16(let values): copy(values) { Float($0) }
        case .float(let values): copy(values) { $0 }
        }
    }
}
