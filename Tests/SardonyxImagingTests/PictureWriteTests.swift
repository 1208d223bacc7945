import Testing

@testable import SardonyxImaging

/// What is written is what libpng and libtiff read.
struct PictureWriteTests {
    /// Slopes with some noise, so that every filter of PNG has rows that it suits.
    static func picture(
        _ width: Int, _ height: Int, _ channels: Int, _ kind: String, hasAlpha: Bool? = nil,
        spacing: SIMD2<Double>? = nil
    ) -> Picture {
        var random = Congruence()
        let values = (0..<width * height * channels).map { place -> UInt32 in
            let (x, y) = (place / channels % width, place / channels / width)
            let noise = y % 3 == 0 ? random.next32() % 5000 : 0
            return (UInt32(x * 311 + y * 173 * (place % channels)) + noise) & 0xffff
        }
        let samples: Picture.Samples =
            switch kind {
            case "uint8": .uint8(values.map { UInt8($0 >> 8) })
            case "uint16": .uint16(values.map { UInt16($0) })
            default: .float(values.map { Float($0) / 7 - 100 })
            }
        return Picture(
            width: width, height: height, channels: channels, samples: samples, hasAlpha: hasAlpha, spacing: spacing)
    }

    static let sizes = [(1, 1), (7, 5), (1, 300), (301, 1), (400, 150)]

    @Test(arguments: ["uint8", "uint16"], 1...4)
    func pngComesBack(_ kind: String, _ channels: Int) throws {
        let folder = TemporaryFolder()
        for (width, height) in Self.sizes {
            let picture = Self.picture(width, height, channels, kind, spacing: SIMD2(0.2, 0.5))
            try picture.writePNG(to: folder.path + "/p.png")
            #expect(try Picture(contentsOf: folder.path + "/p.png") == picture, "\(width)×\(height)")
        }
        #expect(folder.names == ["p.png"])
        let info = try Picture.info(folder.path + "/p.png")
        #expect("\(info.dataType)" == kind && info.format == "PNG" && info.hasAlpha == (channels % 2 == 0))
    }

    @Test func labelsHaveColours() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/l.png"
        let labels = Picture(width: 3, height: 2, channels: 1, samples: .uint8([0, 1, 2, 2, 1, 0]))
        let palette = [RGB(0, 0, 0), RGB(255, 10, 20), RGB(30, 40, 250)]
        try labels.writePNG(to: path, palette: palette)
        let opaque = try Picture(contentsOf: path)
        let colours: [UInt8] = [0, 0, 0, 255, 10, 20, 30, 40, 250, 30, 40, 250, 255, 10, 20, 0, 0, 0]
        #expect(opaque.samples == .uint8(colours) && opaque.channels == 3)
        try labels.writePNG(to: path, palette: palette, opacities: [0, 128])
        let clear = try Picture(contentsOf: path)
        #expect(clear.channels == 4 && clear.hasAlpha)
        #expect((0..<6).map { clear.samples[4 * $0 + 3] } == [0, 128, 255, 255, 128, 0])
        // All 256 colours.
        let all = Picture(width: 256, height: 1, channels: 1, samples: .uint8(Array(0...255)))
        try all.writePNG(to: path, palette: (0..<256).map { RGB(UInt8($0), 7, UInt8(255 - $0)) })
        #expect(try (0..<256).allSatisfy { try Picture(contentsOf: path).samples[3 * $0] == Float($0) })
    }

    @Test func pngRefuses() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/p.png"
        let grey = Self.picture(2, 2, 1, "uint8")
        let black = [RGB](repeating: .black, count: 256)
        let rows: [(ImagingError.Code, String, () throws -> Void)] = [
            (.unsupported, "Float", { try Self.picture(2, 2, 1, "float").writePNG(to: path) }),
            (.unsupported, "not alpha", { try Self.picture(2, 2, 4, "uint8", hasAlpha: false).writePNG(to: path) }),
            (.unsupported, "1,000,000", { try Self.picture(1_000_001, 1, 1, "uint8").writePNG(to: path) }),
            (.unsupported, "one channel", { try Self.picture(2, 2, 3, "uint8").writePNG(to: path, palette: black) }),
            (.unsupported, "8 bits", { try Self.picture(2, 2, 1, "uint16").writePNG(to: path, palette: black) }),
            (.mismatch, "samples go to", { try grey.writePNG(to: path, palette: [.black]) }),
            (.mismatch, "257 colours", { try grey.writePNG(to: path, palette: black + [.white]) }),
            (
                .mismatch, "2 opacities",
                {
                    let blank = Picture(width: 1, height: 1, channels: 1, samples: .uint8([0]))
                    try blank.writePNG(to: path, palette: [.black], opacities: [1, 2])
                }
            ),
            (.cannotWrite, "No such file", { try grey.writePNG(to: folder.path + "/no/p.png") }),
            (.cannotWrite, "No such file", { try grey.writeTIFF(to: folder.path + "/no/p.tif") }),
            (.cannotWrite, "no page", { try TIFFWriter.write(to: path) { _ in } }),
        ]
        for (code, says, body) in rows {
            let error = withError(body)
            #expect(error?.code == code && error?.problem.contains(says) == true, "\(String(describing: error))")
            #expect(error?.path.hasPrefix(folder.path) == true)
        }
        #expect(folder.names == [])
    }

    /// A whole number of pixels a metre says 0.2 mm, 3 mm nearly and 300 mm not at all.
    @Test func pngSpacing() throws {
        let folder = TemporaryFolder()
        let rows: [(Double, Double?)] = [
            (0.2, 0.2), (3, 1000.0 / 333), (300, nil), (1e-9, nil), (0, nil), (-1, nil), (.nan, nil), (.infinity, nil),
        ]
        for (spacing, expected) in rows {
            let picture = Self.picture(2, 2, 1, "uint8", spacing: SIMD2(spacing, 0.25))
            try picture.writePNG(to: folder.path + "/p.png")
            let found = try Picture.info(folder.path + "/p.png").spacing
            #expect(found == expected.map { SIMD2($0, 0.25) }, "\(spacing)")
            try picture.writeTIFF(to: folder.path + "/p.tif")
            let tiff = try Picture.info(folder.path + "/p.tif").spacing
            #expect((tiff != nil) == (spacing == 0.2 || spacing == 3 || spacing == 300), "\(spacing)")
            if let tiff { #expect(abs(tiff.x / spacing - 1) < 1e-6 && tiff.y == 0.25) }
        }
    }

    @Test(arguments: ["uint8", "uint16", "float32"], 1...4)
    func tiffComesBack(_ kind: String, _ channels: Int) throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/p.tif"
        for (width, height) in Self.sizes {
            for hasAlpha in Set([false, channels % 2 == 0]) {
                let picture = Self.picture(width, height, channels, kind, hasAlpha: hasAlpha)
                try picture.writeTIFF(to: path)
                #expect(try Picture(contentsOf: path) == picture, "\(width)×\(height)")
            }
        }
        #expect(folder.names == ["p.tif"])
        let info = try Picture.info(path)
        #expect("\(info.dataType)" == kind && info.format == "TIFF")
    }

    @Test(arguments: [0xe000_0000, 100] as [UInt64])
    func tiffOfPages(_ longest: UInt64) throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/p.tif"
        let pages = (1...9).map { page in
            Self.picture(
                400 + page, 300, page % 4 + 1, ["uint8", "uint16", "float"][page % 3], spacing: SIMD2(0.5, 0.25))
        }
        try TIFFWriter.write(to: path, longest: longest) { file in
            for page in pages { try file.append(page) }
        }
        let file = try PictureFile(path)
        #expect(file.info.pageCount == 9)
        for (index, page) in pages.enumerated() { #expect(try file.picture(page: index) == page) }
        #expect(folder.read("p.tif")[2] == (longest == 100 ? 43 : 42))
    }

    /// What stood there stays when a page fails.
    @Test func tiffThatFails() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/p.tif"
        try Self.picture(3, 2, 1, "uint8").writeTIFF(to: path)
        let before = folder.read("p.tif")
        let failure = ImagingError(.blank, problem: "a failure of the caller's", remedy: "none")
        let error = withError {
            try TIFFWriter.write(to: path) { file in
                try file.append(Self.picture(30, 20, 1, "uint16"))
                throw failure
            }
        }
        #expect(error == failure)
        #expect(folder.read("p.tif") == before && folder.names == ["p.tif"])
    }
}
