import Testing

@testable import SardonyxImaging

/// Against Pillow, tifffile and imagecodecs: Tests/Pictures/whole.txt, which whole.py beside it makes, holds files and
/// what those read in them.
struct PictureFileTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let info: PictureFile.Info
        let page: Int
        let file: [UInt8]
        let samples: Picture.Samples
        var testDescription: String { name }

        init(_ line: Substring) {
            let cells = line.split(separator: "\t").map(String.init)
            let numbers = cells.map { Int($0) ?? 0 }
            let spacing = cells[8].split(separator: " ").compactMap { Double($0) }
            name = cells[0]
            info = PictureFile.Info(
                format: cells[1], width: numbers[2], height: numbers[3], channels: numbers[4],
                hasAlpha: cells[7] == "1", dataType: VoxelType.allCases.first { "\($0)" == cells[6] }!,
                pageCount: numbers[9], spacing: spacing.count == 2 ? SIMD2(spacing[0], spacing[1]) : nil)
            page = numbers[10]
            file = bytes(cells[11])
            let values = bytes(cells[12])
            samples = values.withUnsafeBytes { raw in
                switch cells[5] {
                case "uint8": .uint8(values)
                case "uint16":
                    .uint16((0..<raw.count / 2).map { raw.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self) })
                default: .float((0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) })
                }
            }
        }
    }

    static let rows = repositoryText("Tests/Pictures/whole.txt").split(separator: "\n").map(Row.init)

    @Test func thereAreManyPictures() {
        #expect(Self.rows.count == 166)
        #expect(Set(Self.rows.map(\.info.format)) == ["BMP", "JPEG", "PNG", "PNM", "TIFF"])
        #expect(Set(Self.rows.map { "\($0.info.dataType)" }).count == 10)
    }

    @Test(arguments: rows)
    func valuesAreThoseOfTheReference(_ row: Row) throws {
        let folder = TemporaryFolder()
        let path = folder.write(row.file, to: "p")
        let file = try PictureFile(path)
        let info = try file.info(page: row.page)
        func sameBits(_ a: PictureFile.Info, _ b: PictureFile.Info) -> Bool {
            (a.format, a.width, a.height, a.channels) == (b.format, b.width, b.height, b.channels)
                && (a.hasAlpha, a.dataType, a.pageCount) == (b.hasAlpha, b.dataType, b.pageCount)
        }
        #expect(sameBits(info, row.info), "\(info) \(row.info)")
        #expect((info.spacing == nil) == (row.info.spacing == nil), "\(info)")
        if let found = info.spacing, let wanted = row.info.spacing {
            // TIFF's resolution is read as a Float, and PNG's is whole.
            #expect(Affine.length(SIMD3((found - wanted) / wanted, 0)) < 1e-4, "\(found) \(wanted)")
        }
        let picture = try file.picture(page: row.page)
        #expect(picture.samples == row.samples)
        #expect((picture.width, picture.height, picture.channels) == (info.width, info.height, info.channels))
        #expect(picture.hasAlpha == info.hasAlpha && picture.spacing == info.spacing)
        #expect(try Picture(contentsOf: path, page: row.page) == picture)
        if row.page == 0 { #expect(try Picture.info(path) == info) }
        let beyond = withError { _ = try file.picture(page: info.pageCount) }
        #expect(beyond?.code == .mismatch && beyond?.description.contains("it has \(info.pageCount)") == true)
        #expect(withError { _ = try file.picture(page: -1) }?.code == .mismatch)
    }

    /// i to the patient's left, j to posterior: as SimpleITK 2.5.7's ReadImage places "tiff, pixels a centimetre"
    /// (spacing 0.1 and 0.2 mm in LPS).
    @Test func places() throws {
        let folder = TemporaryFolder()
        func open(_ name: String) throws -> PictureFile {
            let row = try #require(Self.rows.first { $0.name == name })
            return try PictureFile(folder.write(row.file, to: "p"))
        }
        let still = try open("tiff, pixels a centimetre").grid
        #expect(still.dims == SIMD3(7, 5, 1))
        let wanted = [-0.1, 0, 0, 0, 0, -0.2, 0, 0, 0, 0, 1, 0]
        #expect(zip(still.affine.flat, wanted).allSatisfy { abs($0 - $1) < 1e-7 })
        #expect("\(still.orientation)" == "LPS")
        let stack = try open("tiff, page 0")
        #expect(stack.grid.dims == SIMD3(7, 5, 3) && stack.grid.spacing == SIMD3(1, 1, 1))
        #expect(try stack.slice(2).samples[0] == stack.slice(0).samples[0] + 2000)
    }

    @Test func pagesThatDiffer() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/p.tif"
        try TIFFWriter.write(to: path) { file in
            for (width, channels) in [(3, 1), (3, 3), (2, 1)] {
                let values = [UInt8](repeating: 7, count: width * 2 * channels)
                try file.append(Picture(width: width, height: 2, channels: channels, samples: .uint8(values)))
            }
        }
        let file = try PictureFile(path)
        #expect(try (0..<3).map { try file.picture(page: $0).samples.count } == [6, 18, 4])
        #expect(try file.slice(0).width == 3)
        let error = withError { _ = try file.slice(2) }
        #expect(error?.code == .mismatch)
        #expect(error?.problem == "page 2 is 2×2 pixels of 1 uint8; page 0 is 3×2 pixels of 1 uint8")
        #expect(withError { _ = try file.slice(1) }?.code == .mismatch)
    }

    @Test func copiesAChannelOfARectangle() throws {
        let values = (0..<24).map { UInt16($0 * 100) }
        let expected: [Float] = [700, 1000, 1900, 2200]
        for samples in [Picture.Samples.uint16(values), .float(values.map { Float($0) })] {
            let picture = Picture(width: 4, height: 2, channels: 3, samples: samples)
            var copy = [Float](repeating: 0, count: 2)
            for y in 0..<2 {
                copy.withUnsafeMutableBufferPointer { picture.copy(channel: 1, x: 2..<4, y: y..<(y + 1), into: $0) }
                #expect(copy == Array(expected[(2 * y)...].prefix(2)))
            }
        }
    }

    /// Every picture behind the front of volume files: each channel of each slice, and a box.
    @Test(arguments: rows)
    func isAVolume(_ row: Row) throws {
        let folder = TemporaryFolder()
        let path = folder.write(row.file, to: "p")
        let file = try VolumeFile(contentsOf: path)
        let pictures = try PictureFile(path)
        #expect(file.format == .picture && file.grid == pictures.grid && file.frames == 1)
        #expect(file.components == row.info.channels && file.isColour == (row.info.channels >= 3))
        for k in 0..<row.info.pageCount {
            let picture = try pictures.slice(k)
            for channel in 0..<row.info.channels {
                for (x, y) in [(0..<picture.width, 0..<picture.height), (1..<3, 0..<1)] {
                    let box = VoxelBox(
                        lower: SIMD3(x.lowerBound, y.lowerBound, k), upper: SIMD3(x.upperBound, y.upperBound, k + 1))
                    var values = [[Float]](repeating: [Float](repeating: 0, count: box.count), count: 2)
                    try values[0].withUnsafeMutableBufferPointer { try file.read(box, component: channel, into: $0) }
                    values[1].withUnsafeMutableBufferPointer { picture.copy(channel: channel, x: x, y: y, into: $0) }
                    #expect(values[0] == values[1])
                }
            }
        }
    }

    @Test func volumesThatCannotBe() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/p.tif"
        try TIFFWriter.write(to: path) { file in
            for width in [3, 2] {
                try file.append(
                    Picture(width: width, height: 1, channels: 1, samples: .uint8(.init(repeating: 7, count: width))))
            }
        }
        let error = withError { _ = try VolumeFile(contentsOf: path) }
        #expect(error?.code == .mismatch && error?.path == path)
        // Many pages of the same bytes: 10.8 MB in each.
        let row = [UInt8](repeating: 0, count: 1_350_000 * 8)
        try Picture(width: 8, height: 1_350_000, channels: 1, samples: .uint8(row)).writeTIFF(to: path)
        var bytes = folder.read("p.tif")
        let list = bytes[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        let size = 2 + 12 * Int(bytes[list]) + 4
        for page in 1...99 {
            let place = bytes.count
            let last = page == 1 ? list : place - size
            let next = (0..<4).map { UInt8(truncatingIfNeeded: place >> (8 * $0)) }
            bytes.replaceSubrange((last + size - 4)..<(last + size), with: next)
            bytes += bytes[list..<(list + size - 4)] + [0, 0, 0, 0]
        }
        folder.write(bytes, to: "p.tif")
        let bomb = withError { _ = try VolumeFile(contentsOf: path) }
        #expect(bomb?.code == .tooLarge && bomb?.problem.contains("100 pages") == true, "\(String(describing: bomb))")
    }

    /// Long files are mapped.
    @Test func bytesOfAFile() throws {
        let folder = TemporaryFolder()
        let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 * $0) }
        let path = folder.write(bytes, to: "b")
        for longest in [0, 9_999, 10_000] {
            let file = try FileBytes(path, longest: longest)
            for _ in 0..<2 {
                #expect(file.withBytes { Array(UnsafeBufferPointer(start: $0, count: $1)) } == bytes)
                file.release()
            }
        }
    }
}
