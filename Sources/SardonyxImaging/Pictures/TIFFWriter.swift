/// Writes a TIFF of one page or several: deflated strips of 8 or 16 bits or floating point, one to four channels.
///
/// Beyond 4 GB the file is a BigTIFF. Memory is that of one strip and some bytes a strip for the lists at the file's end.
public final class TIFFWriter {
    private struct Page {
        let picture: Shape
        let rowsPerStrip: Int
        var offsets: [UInt64] = []
        var counts: [UInt64] = []
    }

    /// A picture without its samples.
    private struct Shape {
        let width, height, channels, bits: Int
        let isFloat, hasAlpha: Bool
        let spacing: SIMD2<Double>?
    }

    private let file: ByteWriter
    private let path: String
    private var pages: [Page] = []
    private var place: UInt64 = 0

    /// Files whose pages end beyond are BigTIFF: their lists take less than the rest of what 32 bits reach.
    private let longest: UInt64

    private init(_ file: ByteWriter, _ path: String, longest: UInt64) {
        self.file = file
        self.path = path
        self.longest = longest
    }

    /// Writes the pages that `body` appends, at least one; the bytes go to a temporary name first, so that `path` never
    /// holds a part of a file.
    ///
    /// - Throws: `ImagingError` `.cannotWrite`, or what `body` throws.
    public static func write(to path: String, _ body: (TIFFWriter) throws -> Void) throws {
        try write(to: path, longest: 0xe000_0000, body)
    }

    static func write(to path: String, longest: UInt64, _ body: (TIFFWriter) throws -> Void) throws {
        try writeThenRename(path) { temporary in
            let writer = TIFFWriter(try ByteWriter(temporary, for: path), path, longest: longest)
            // Room for the header, which names the place of the first page's list.
            try writer.write([UInt8](repeating: 0, count: 16))
            try body(writer)
            try writer.finish()
        }
    }

    /// Adds a page.
    ///
    /// - Throws: `ImagingError` `.cannotWrite`.
    public func append(_ picture: Picture) throws {
        func add<T>(_ values: [T], isFloat: Bool) throws {
            let row = picture.width * picture.channels
            let rows = max(1, min(picture.height, (1 << 18) / (row * MemoryLayout<T>.size)))
            let shape = Shape(
                width: picture.width, height: picture.height, channels: picture.channels,
                bits: 8 * MemoryLayout<T>.size, isFloat: isFloat, hasAlpha: picture.hasAlpha, spacing: picture.spacing)
            var page = Page(picture: shape, rowsPerStrip: rows)
            for first in stride(from: 0, to: picture.height, by: rows) {
                page.offsets.append(place)
                let end = min(first + rows, picture.height)
                try values[(first * row)..<(end * row)].withUnsafeBytes { try deflate($0) }
                page.counts.append(place - page.offsets[page.offsets.count - 1])
            }
            pages.append(page)
        }
        switch picture.samples {
        case .uint8(let values): try add(values, isFloat: false)
        case .uint16(let values): try add(values, isFloat: false)
        case .float(let values): try add(values, isFloat: true)
        }
    }

    private func deflate(_ bytes: UnsafeRawBufferPointer) throws {
        try file.compress(.zlib)
        try file.write(bytes)
        place += try file.endCompression()
    }

    private func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try file.write($0) }
        place += UInt64(bytes.count)
    }

    /// Writes the pages' lists, one behind the other, and the header.
    private func finish() throws {
        guard !pages.isEmpty else {
            throw ImagingError(.cannotWrite, path: path, problem: "a TIFF of no page", remedy: "append one")
        }
        let isBig = place > longest
        let align = { (offset: UInt64) in (offset + 7) / 8 * 8 }
        try write([UInt8](repeating: 0, count: Int(align(place) - place)))
        var header: [UInt8] = Array("II".utf8) + (isBig ? [43, 0, 8, 0, 0, 0] : [42, 0])
        header += Self.bytes(place, isBig ? 8 : 4)
        for (index, page) in pages.enumerated() {
            let fields = Self.fields(page, isBig: isBig)
            let entry = isBig ? 20 : 12
            let word = isBig ? 8 : 4
            var list = Self.bytes(UInt64(fields.count), isBig ? 8 : 2)
            var beyond: [UInt8] = []
            let end = align(place + UInt64(list.count + fields.count * entry + word))
            for field in fields {
                list += Self.bytes(UInt64(field.tag), 2) + Self.bytes(UInt64(field.type), 2)
                list += Self.bytes(UInt64(field.count), word)
                if field.bytes.count <= word {
                    list += field.bytes + [UInt8](repeating: 0, count: word - field.bytes.count)
                } else {
                    list += Self.bytes(end + UInt64(beyond.count), word)
                    beyond += field.bytes
                    beyond += [UInt8](repeating: 0, count: (8 - beyond.count % 8) % 8)
                }
            }
            let next = index + 1 < pages.count ? end + UInt64(beyond.count) : 0
            list += Self.bytes(next, word)
            list += [UInt8](repeating: 0, count: Int(end - place) - list.count)
            try write(list + beyond)
        }
        try file.patch(header, at: 0)
        try file.close()
    }

    private struct Field {
        let tag, type, count: Int
        let bytes: [UInt8]
    }

    /// The entries of a page's list, in the order of their tags.
    private static func fields(_ page: Page, isBig: Bool) -> [Field] {
        let picture = page.picture
        func shorts(_ tag: Int, _ values: [Int]) -> Field {
            Field(tag: tag, type: 3, count: values.count, bytes: values.flatMap { bytes(UInt64($0), 2) })
        }
        func longs(_ tag: Int, _ values: [UInt64]) -> Field {
            Field(
                tag: tag, type: isBig ? 16 : 4, count: values.count,
                bytes: values.flatMap { bytes($0, isBig ? 8 : 4) })
        }
        let isColour = picture.channels >= 3
        var fields = [
            longs(256, [UInt64(picture.width)]), longs(257, [UInt64(picture.height)]),
            shorts(258, Array(repeating: picture.bits, count: picture.channels)), shorts(259, [8]),
            shorts(262, [isColour ? 2 : 1]), longs(273, page.offsets), shorts(277, [picture.channels]),
            longs(278, [UInt64(page.rowsPerStrip)]), longs(279, page.counts),
        ]
        if let spacing = picture.spacing, let x = rational(10 / spacing.x), let y = rational(10 / spacing.y) {
            fields.append(Field(tag: 282, type: 5, count: 1, bytes: x))
            fields.append(Field(tag: 283, type: 5, count: 1, bytes: y))
        }
        fields.append(shorts(284, [1]))
        // Centimetres; 1 says that there is no unit.
        fields.append(shorts(296, [fields.contains { $0.tag == 282 } ? 3 : 1]))
        // Colours are not multiplied by alpha (2); what is not alpha is not specified (0).
        if picture.channels % 2 == 0 { fields.append(shorts(338, [picture.hasAlpha ? 2 : 0])) }
        fields.append(shorts(339, Array(repeating: picture.isFloat ? 3 : 1, count: picture.channels)))
        return fields
    }

    /// Two 32-bit numbers whose quotient is `value`, to at least six digits where it is from 1e-3 to 4e9.
    private static func rational(_ value: Double) -> [UInt8]? {
        let divisor = value < 4 ? 1e9 : value < 4000 ? 1e6 : 1
        let number = (value * divisor).rounded()
        guard number >= 1, number < 0x1p32 else { return nil }
        return bytes(UInt64(number), 4) + bytes(UInt64(divisor), 4)
    }

    private static func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}

extension Picture {
    /// Writes a TIFF of one page.
    ///
    /// - Throws: `ImagingError` `.cannotWrite`.
    public func writeTIFF(to path: String) throws { try TIFFWriter.write(to: path) { try $0.append(self) } }
}
