import Testing

@testable import SardonyxImaging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Every kind of lie, cut and damage: a typed error that names the file, or a picture; never a trap.
struct PictureBadInputTests {
    static let rows = PictureFileTests.rows

    private static let codes: Set<ImagingError.Code> = [
        .truncated, .corrupt, .unknownFormat, .unsupported, .tooLarge, .mismatch,
    ]

    /// Without waiting for the disk, since there are thousands; ext4 waits where a file is overwritten.
    private static func write(_ bytes: ArraySlice<UInt8>, _ path: String) throws {
        unlink(path)
        let file = try #require(fopen(path, "wb"))
        defer { fclose(file) }
        try #require(bytes.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) } == bytes.count)
    }

    /// All pages, unless a damaged size makes them costly.
    private static func read(_ path: String) throws -> [Picture] {
        let file = try PictureFile(path)
        return try (0..<min(file.info.pageCount, 4)).map { page in
            let info = try file.info(page: page)
            guard info.width * info.height < 1 << 20 else {
                throw ImagingError(.tooLarge, path: path, problem: "too large for the test", remedy: "")
            }
            return try file.picture(page: page)
        }
    }

    /// A NaN is not equal to itself; its bits are.
    private static func bits(_ picture: Picture) -> [UInt32] {
        switch picture.samples {
        case .uint8(let values): values.map { UInt32($0) }
        case .uint16(let values): values.map { UInt32($0) }
        case .float(let values): values.map(\.bitPattern)
        }
    }

    private static func check(_ error: Error, _ path: String, _ what: String) {
        let error = error as? ImagingError
        #expect(
            error.map { codes.contains($0.code) && $0.path == path } == true, "\(what): \(String(describing: error))")
    }

    /// An error, or the whole picture where only what follows it is missing.
    @Test(arguments: rows)
    func cutAnywhere(_ row: PictureFileTests.Row) throws {
        let folder = TemporaryFolder()
        let path = folder.write(row.file, to: "p")
        let whole = try Self.read(path)
        for percent in stride(from: 0, to: 100, by: 2) {
            try Self.write(row.file[..<(row.file.count * percent / 100)], path)
            do {
                #expect(try Self.read(path) == whole, "\(percent) %")
            } catch { Self.check(error, path, "\(percent) %") }
        }
    }

    /// One to three bits flipped, in the first bytes or anywhere: an error, or the same picture each time.
    @Test(arguments: rows)
    func damagedAnywhere(_ row: PictureFileTests.Row) throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/p"
        var random = Congruence(state: UInt64(row.file.count))
        for flip in 0..<60 {
            var file = row.file
            let reach = flip % 2 == 0 ? min(200, file.count) : file.count
            for _ in 0...(flip % 3) { file[Int(random.next32()) % reach] ^= 1 << UInt8(random.next32() % 8) }
            try Self.write(file[...], path)
            do {
                let once = try Self.read(path).map(Self.bits)
                #expect(try Self.read(path).map(Self.bits) == once, "flip \(flip)")
            } catch { Self.check(error, path, "flip \(flip)") }
        }
    }

    // MARK: - PNG

    static func png(
        _ width: UInt32, _ height: UInt32, _ depth: UInt8, _ colour: UInt8, _ chunks: [(String, [UInt8])] = []
    ) -> [UInt8] {
        func big(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
        func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
            let body = Array(name.utf8) + data
            var crc: UInt32 = .max
            for byte in body {
                crc ^= UInt32(byte)
                for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xedb8_8320 : 0) }
            }
            return big(UInt32(data.count)) + body + big(~crc)
        }
        let head = chunk("IHDR", big(width) + big(height) + [depth, colour, 0, 0, 0])
        // Two rows of two bytes, stored: 0 0 1, 0 2 3.
        let pixels: [UInt8] = [0x78, 1, 1, 6, 0, 0xf9, 0xff, 0, 0, 1, 0, 2, 3, 0, 17, 0, 7]
        let middle = chunks.flatMap { chunk($0.0, $0.1) }
        return [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10] + head + middle + chunk("IDAT", pixels) + chunk("IEND", [])
    }

    typealias Lie = (name: String, code: ImagingError.Code?, says: String, file: [UInt8])

    static let lies: [Lie] = {
        let palette = ("PLTE", [UInt8](repeating: 9, count: 9))
        var lies: [Lie] = [
            ("png, none", nil, "", png(2, 2, 8, 0)),
            ("png, no width", .corrupt, "IHDR", png(0, 2, 8, 0)),
            ("png, height beyond PNG", .corrupt, "out of range", png(2, 1 << 31, 8, 0)),
            ("png, more than the bytes hold", .corrupt, "cannot hold 20000 by 20000", png(20000, 20000, 8, 0)),
            ("png, more than is decoded", .tooLarge, "at most", png(900_000, 900_000, 8, 0)),
            ("png, depth 3", .corrupt, "IHDR", png(2, 2, 3, 0)),
            ("png, colour 5", .corrupt, "IHDR", png(2, 2, 8, 5)),
            ("png, no palette", .corrupt, "PLTE", png(2, 2, 8, 3)),
            ("png, a colour beyond the palette", .corrupt, "colour 3 of a palette of 3", png(2, 2, 8, 3, [palette])),
            ("png, more samples than there are", .corrupt, "", png(2, 2, 16, 6)),
            ("png, no resolution", nil, "", png(2, 2, 8, 0, [("pHYs", [0, 0, 0, 0, 0, 0, 0, 0, 1])])),
            ("png, a resolution too fine", nil, "", png(2, 2, 8, 0, [("pHYs", [255, 255, 255, 255, 0, 0, 0, 1, 1])])),
            ("no picture", .unknownFormat, "PNG, JPEG, TIFF", Array("GIF89a and so on".utf8)),
            ("nothing", .truncated, "empty", []),
            ("webp", .unsupported, "8-bit colour only", Array("RIFF0000WEBPVP8 ".utf8)),
            ("pnm of 16 bits", .unsupported, "go to 65535", Array("P5 1 1 65535\n00".utf8)),
        ]
        // MARK: JPEG
        let jpeg = rows.first { $0.name == "jpeg, turned 5" }!.file
        let frame = jpeg.indices.first { jpeg[$0] == 0xff && jpeg[$0 + 1] == 0xc0 }!
        func changed(_ place: Int, _ bytes: [UInt8]) -> [UInt8] {
            var file = jpeg
            file.replaceSubrange(place..<(place + bytes.count), with: bytes)
            return file
        }
        let exif = jpeg.indices.first { jpeg[$0..<($0 + 4)] == [0x45, 0x78, 0x69, 0x66] }! + 6
        lies += [
            ("jpeg, none", nil, "", jpeg),
            ("jpeg, more than the bytes hold", .corrupt, "cannot hold", changed(frame + 5, [0x7f, 0xff, 0x7f, 0xff])),
            ("jpeg, no width", .corrupt, "", changed(frame + 7, [0, 0])),
            ("jpeg, no components", .corrupt, "", changed(frame + 9, [0])),
            ("jpeg, 12 bits", .corrupt, "", changed(frame + 4, [12])),
            ("jpeg, EXIF's list beyond its end", nil, "", changed(exif + 4, [0xff, 0xff, 0xff, 0x7f])),
            ("jpeg, EXIF of 65535 entries", nil, "", changed(exif + 8, [0xff, 0xff])),
            ("jpeg, EXIF's mark", nil, "", changed(exif + 2, [41])),
        ]
        for value: UInt8 in [0, 9, 255] {
            let place = exif + 10 + 12 + 8  // behind the text
            lies.append(("jpeg, turned \(value)", nil, "", changed(place, [value])))
        }
        return lies + tiffLies
    }()

    // MARK: - TIFF

    static func tiff(_ changes: [UInt16: UInt32?], next: UInt32 = 0, floats: [UInt16: Float] = [:]) -> [UInt8] {
        var tags: [UInt16: UInt32] = [
            256: 2, 257: 2, 258: 8, 259: 1, 262: 1, 273: 400, 277: 1, 278: 2, 279: 4,
        ]
        for (tag, value) in changes { tags[tag] = value }
        var file: [UInt8] = [0x49, 0x49, 42, 0, 8, 0, 0, 0]
        func add(_ value: UInt32, _ count: Int) {
            for i in 0..<count { file.append(UInt8(truncatingIfNeeded: value >> (8 * i))) }
        }
        let all = tags.map { ($0.key, 4, $0.value) } + floats.map { ($0.key, 11, $0.value.bitPattern) }
        add(UInt32(all.count), 2)
        for (tag, type, value) in all.sorted(by: { $0.0 < $1.0 }) {
            add(UInt32(tag), 2)
            add(UInt32(type), 2)
            add(1, 4)
            add(value, 4)
        }
        add(next, 4)
        return file + [UInt8](repeating: 0, count: 400 - file.count) + [1, 2, 3, 4]
    }

    static let tiffLies: [Lie] = [
        ("tiff, none", nil, "", tiff([:])),
        ("tiff, no width", .corrupt, "zero", tiff([256: 0])),
        ("tiff, more than is decoded", .tooLarge, "at most", tiff([256: 60000, 257: 60000, 278: 60000])),
        ("tiff, more than the bytes hold", .corrupt, "", tiff([256: 30000, 257: 30000])),
        ("tiff, 13 bits", .unsupported, "13 bits", tiff([258: 13])),
        ("tiff, 24-bit numbers", .unsupported, "24 bits", tiff([258: 24, 339: 3])),
        ("tiff, floats of 8 bits", .unsupported, "8 bits", tiff([339: 3])),
        ("tiff, no samples", .corrupt, "", tiff([277: 0])),
        ("tiff, five samples", .unsupported, "5 samples; 4", tiff([277: 5, 279: 20])),
        ("tiff, complex", .unsupported, "complex", tiff([258: 32, 339: 6])),
        ("tiff, numbers from white", .unsupported, "0 is white", tiff([258: 32, 262: 0])),
        ("tiff, alpha in wide integers", .unsupported, "multiplied", tiff([258: 32, 277: 2, 338: 1, 279: 32])),
        ("tiff, no palette", .corrupt, "Colormap", tiff([258: 4, 262: 3])),
        // libtiff takes it as grey.
        ("tiff, no palette of 8 bits", nil, "", tiff([262: 3])),
        ("tiff, unknown colours", .unsupported, "", tiff([262: 99])),
        ("tiff, unknown compression", .corrupt, "", tiff([259: 99])),
        ("tiff, a strip beyond the end", .corrupt, "", tiff([273: 5000])),
        ("tiff, a strip that is too short", .corrupt, "", tiff([273: 402])),
        ("tiff, no strips", .corrupt, "", tiff([273: nil, 279: nil])),
        (
            "tiff, a tile larger than memory", .tooLarge, "strip or tile",
            tiff([322: 1 << 31, 323: 1 << 31, 324: 400, 325: 4])
        ),
        ("tiff, pages in a ring", nil, "", tiff([:], next: 8)),
        ("tiff, a page beyond the end", .corrupt, "", tiff([:], next: 5000)),
        ("tiff, turned 9", .corrupt, "Bad value", tiff([274: 9])),
        ("tiff, no resolution", nil, "", tiff([:], floats: [282: 0, 283: 0])),
        ("tiff, resolution not a number", .corrupt, "Bad value", tiff([:], floats: [282: .nan, 283: 100])),
        ("tiff, infinite resolution", nil, "", tiff([:], floats: [282: .infinity, 283: 100])),
        ("tiff, negative resolution", .corrupt, "Bad value", tiff([:], floats: [282: -100, 283: 100])),
    ]

    @Test func lies() throws {
        let folder = TemporaryFolder()
        for lie in Self.lies {
            let path = folder.write(lie.file, to: "lie")
            do {
                let picture = try Picture(contentsOf: path)
                let file = try PictureFile(path)
                #expect(lie.code == nil, "\(lie.name): \(file.info)")
                #expect(picture.spacing == nil && file.grid.affine.isInvertible, "\(lie.name)")
            } catch let error as ImagingError {
                #expect(error.code == lie.code && error.path == path, "\(lie.name): \(error)")
                #expect(error.problem.contains(lie.says), "\(lie.name): \(error)")
            }
        }
        for (path, code) in [(folder.path, ImagingError.Code.cannotOpen), (folder.path + "/no", .cannotOpen)] {
            #expect(withError { _ = try PictureFile(path) }?.code == code)
        }
        #expect(withError { _ = try PictureFile("/dev/null") }?.problem.contains("no regular file") == true)
    }
}
