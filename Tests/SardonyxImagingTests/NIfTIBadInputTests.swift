import Testing

@testable import SardonyxImaging

/// Every kind of lie, cut and damage: a typed error that names the file, never a trap, never a wrong volume.
struct NIfTIBadInputTests {
    struct Lie: Sendable, CustomTestStringConvertible {
        let name: String
        let code: ImagingError.Code
        let says: String
        let change: @Sendable (inout NIfTIBytes) -> Void
        var testDescription: String { name }

        init(
            _ name: String, _ code: ImagingError.Code, _ says: String,
            _ change: @escaping @Sendable (inout NIfTIBytes) -> Void
        ) {
            (self.name, self.code, self.says, self.change) = (name, code, says, change)
        }
    }

    static let lies: [Lie] = [
        Lie("no dimensions", .badHeader, "dim[0] is 0") { $0.dim[0] = 0 },
        Lie("eight dimensions", .badHeader, "dim[0] is 8") { $0.dim[0] = 8 },
        Lie("negative dim[0]", .badHeader, "dim[0] is -3") { $0.dim[0] = -3 },
        Lie("zero size", .badHeader, "dim[2] is 0") { $0.dim[2] = 0 },
        Lie("negative size", .badHeader, "dim[3] is -5") { $0.dim[3] = -5 },
        Lie("product overflows", .tooLarge, "32767×32767") { $0.dim = [7] + Array(repeating: 32767, count: 7) },
        Lie("larger than the file", .truncated, "the header says 200×200×200 uint8 (8.0 MB) but the file holds 8 bytes")
        {
            $0.dim = [3, 200, 200, 200, 1, 1, 1, 1]
        },
        Lie("a time series larger than the file", .truncated, "2×2×2×9 uint8") { $0.dim = [4, 2, 2, 2, 9, 1, 1, 1] },
        Lie("wider type than the file", .truncated, "float64") { $0.dataType = 64 },
        Lie("offset inside the header", .badHeader, "vox_offset is 100") { $0.voxOffset = 100 },
        Lie("negative offset", .badHeader, "vox_offset is -352") { $0.voxOffset = -352 },
        Lie("offset not a number", .badHeader, "vox_offset is not a number") { $0.voxOffset = .nan },
        Lie("infinite offset", .badHeader, "vox_offset is infinite") { $0.voxOffset = .infinity },
        Lie("half an offset", .badHeader, "vox_offset is 352.5") { $0.voxOffset = 352.5 },
        Lie("offset past the end", .truncated, "holds 0 bytes") { $0.voxOffset = 1e6 },
        Lie("offset beyond any file", .badHeader, "vox_offset") { $0.voxOffset = 1e30 },
        Lie("unknown type", .unsupported, "datatype 0 (unknown)") { $0.dataType = 0 },
        Lie("binary", .unsupported, "1-bit binary") { $0.dataType = 1 },
        Lie("no such type", .unsupported, "datatype 77") { $0.dataType = 77 },
        Lie("negative type", .unsupported, "datatype -4") { $0.dataType = -4 },
        Lie("wrong size of header", .unknownFormat, "does not begin with") { $0.sizeOfHeader = 349 },
        Lie("ANALYZE", .unknownFormat, "ANALYZE") { $0.magic = [0, 0, 0, 0] },
        Lie("magic of the other version", .unknownFormat, "mark") { $0.magic = Array("n+2\0".utf8) },
        Lie("zero spacing", .badGeometry, "pixdim[2] is 0") { ($0.sformCode, $0.pixdim[2]) = (0, 0) },
        Lie("spacing not a number", .badGeometry, "pixdim[1] is not a number") {
            ($0.sformCode, $0.pixdim[1]) = (0, .nan)
        },
        Lie("infinite spacing", .badGeometry, "pixdim[3]") {
            ($0.sformCode, $0.qformCode, $0.pixdim[3]) = (0, 1, .infinity)
        },
        Lie("singular s-form", .badGeometry, "s-form") { $0.srows = [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0] },
        Lie("zero s-form", .badGeometry, "s-form") { $0.srows = Array(repeating: 0, count: 12) },
        Lie("s-form not a number", .badGeometry, "s-form") { $0.srows[3] = .nan },
        Lie("infinite s-form", .badGeometry, "s-form") { $0.srows[0] = .infinity },
        Lie("no rotation", .badGeometry, "no rotation") {
            ($0.sformCode, $0.qformCode, $0.quaternion[0]) = (0, 1, 3)
        },
        Lie("rotation not a number", .badGeometry, "no rotation") {
            ($0.sformCode, $0.qformCode, $0.quaternion[4]) = (0, 1, .nan)
        },
        Lie("slope without intercept", .badHeader, "scl_inter") { ($0.slope, $0.intercept) = (2, .nan) },
    ]

    @Test(arguments: lies)
    func lie(_ row: Lie) throws {
        let folder = TemporaryFolder()
        for version in [1, 2] {
            // What version 2 cannot say (whole offsets only) or what is about version 1's fields.
            if version == 2, ["offset", "magic", "ANALYZE", "overflows"].contains(where: row.name.contains) {
                continue
            }
            for big in [false, true] {
                var bytes = version == 1 ? NIfTIBytes() : .version2()
                bytes.bigEndian = big
                row.change(&bytes)
                let path = folder.write(bytes.file([1, 2, 3, 4, 5, 6, 7, 8]), to: "lie.nii")
                let error = withError { _ = try NIfTI(contentsOf: path).volume() }
                #expect(error?.code == row.code, "\(String(describing: error))")
                #expect(error?.path == path)
                #expect(error?.description.contains(row.says) == true, "\(String(describing: error))")
            }
        }
    }

    @Test func version2Lies() throws {
        let huge: [[Int]] = [
            [3, .max, .max, 2, 1, 1, 1, 1], [1, .max, 1, 1, 1, 1, 1, 1], [7, 65536, 65536, 65536, 65536, 1, 1, 1],
            [3, 1 << 40, 1 << 20, 2, 1, 1, 1, 1],
        ]
        for dim in huge {
            var bytes = NIfTIBytes.version2()
            bytes.dim = dim
            #expect(withError { _ = try NIfTIHeader(parsing: bytes.header) }?.code == .tooLarge)
        }
        var header = NIfTIBytes.version2().header
        header[9] = 0x0d  // \n became \r
        #expect(withError { _ = try NIfTIHeader(parsing: header) }?.code == .corrupt)
    }

    @Test func everyTruncation() throws {
        let folder = TemporaryFolder()
        var bytes = NIfTIBytes()
        bytes.dim = [3, 16, 16, 16, 1, 1, 1, 1]
        var random = Congruence()
        let voxels = (0..<4096).map { _ in UInt8(truncatingIfNeeded: random.next32()) }
        let plain = bytes.file(voxels)
        for (name, whole) in [("t.nii", plain), ("t.nii.gz", try packed(plain))] {
            let path = folder.write(whole, to: name)
            #expect(try NIfTI(contentsOf: path).volume().voxels == voxels.map { Float($0) })
            for percent in 0..<100 {
                let part = Array(whole[0..<(whole.count * percent / 100)])
                folder.write(part, to: name)
                let error = withError { _ = try NIfTI(contentsOf: path).volume() }
                let codes: [ImagingError.Code] = [.truncated, .corrupt, .unknownFormat]
                #expect(error.map { codes.contains($0.code) } == true, "\(percent) %: \(String(describing: error))")
                if percent == 50, name == "t.nii" {
                    #expect(
                        error?.description
                            == "\(path): the header says 16×16×16 uint8 (4.1 kB) but the file holds 1.9 kB; "
                            + "it is cut short: copy it again")
                }
                if percent == 50, name == "t.nii.gz" {
                    #expect(error?.description.contains("after decompression; it is cut short") == true)
                }
            }
        }
    }

    /// The checksum of gzip catches damage that still decompresses.
    @Test func damagedGzip() throws {
        let folder = TemporaryFolder()
        let path = folder.write(try packed(NIfTIBytes().file([1, 2, 3, 4, 5, 6, 7, 8])), to: "d.nii.gz")
        let whole = folder.read("d.nii.gz")
        for place in [whole.count - 8, whole.count - 4, whole.count / 2] {
            var bytes = whole
            bytes[place] ^= 0x55
            folder.write(bytes, to: "d.nii.gz")
            #expect(withError { _ = try NIfTI(contentsOf: path).volume() } != nil, "byte \(place)")
        }
    }

    /// The checksum lies behind the voxels, where a reader that stops at the last voxel never looks.
    @Test func damagedOrMissingChecksum() throws {
        let folder = TemporaryFolder()
        var bytes = NIfTIBytes()
        // Voxels that fill the reader's chunks exactly.
        bytes.dim = [3, 64, 64, 64, 1, 1, 1, 1]
        var random = Congruence()
        let voxels = (0..<64 * 64 * 64).map { _ in UInt8(truncatingIfNeeded: random.next32()) }
        let path = folder.write(try packed(bytes.file(voxels)), to: "c.nii.gz")
        let whole = folder.read("c.nii.gz")
        #expect(try NIfTI(contentsOf: path).volume().voxels.count == 64 * 64 * 64)
        for place in [whole.count - 8, whole.count - 1] {
            var damaged = whole
            damaged[place] ^= 1
            folder.write(damaged, to: "c.nii.gz")
            #expect(withError { _ = try NIfTI(contentsOf: path).volume() }?.code == .corrupt, "byte \(place)")
        }
        for missing in [1, 5, 8] {
            folder.write(whole.dropLast(missing), to: "c.nii.gz")
            #expect(withError { _ = try NIfTI(contentsOf: path).volume() }?.code == .truncated, "\(missing) bytes")
        }
    }

    /// 64 MB behind 8 voxels, and the compressed file cut in the middle: reading succeeds, so it never went there.
    @Test func bombIsNotUnpacked() throws {
        let folder = TemporaryFolder()
        let path = folder.write(
            try packed(NIfTIBytes().file([1, 2, 3, 4, 5, 6, 7, 8]) + [UInt8](repeating: 0, count: 64_000_000)),
            to: "b.nii.gz")
        let whole = folder.read("b.nii.gz")
        folder.write(Array(whole[0..<(whole.count / 2)]), to: "b.nii.gz")
        #expect(try NIfTI(contentsOf: path).volume().voxels == [1, 2, 3, 4, 5, 6, 7, 8])
    }

    /// 27 TB promised by a small gzip: refused by what deflate can do, before anything is allocated.
    @Test func gzipThatCannotHoldWhatItSays() throws {
        let folder = TemporaryFolder()
        var bytes = NIfTIBytes()
        bytes.dim = [3, 30000, 30000, 30000, 1, 1, 1, 1]
        let path = folder.write(try packed(bytes.file([UInt8](repeating: 0, count: 100_000))), to: "l.nii.gz")
        let error = withError { _ = try NIfTI(contentsOf: path) }
        #expect(error?.code == .truncated)
        #expect(error?.description.contains("30000×30000×30000 uint8 (27.0 TB)") == true)
        // Believable by size, yet absent: found while reading.
        bytes.dim = [3, 100, 100, 50, 1, 1, 1, 1]
        let small = folder.write(try packed(bytes.file([UInt8](repeating: 0, count: 400_000))), to: "s.nii.gz")
        let missing = withError { _ = try NIfTI(contentsOf: small).volume() }
        #expect(missing?.code == .truncated)
        #expect(missing?.description.contains("(500.0 kB) but the file holds 400.0 kB after decompression") == true)
    }

    @Test func notAFile() throws {
        let folder = TemporaryFolder()
        let cases: [(String, ImagingError.Code)] = [
            (folder.path, .cannotOpen), (folder.path + "/absent.nii", .cannotOpen), ("/dev/null", .cannotOpen),
            ("", .cannotOpen), (folder.write([], to: "empty.nii"), .truncated),
            (folder.write([0x1f, 0x8b], to: "gz.nii.gz"), .truncated),
            (folder.write(Array("PNG, this is no NIfTI".utf8), to: "x.nii"), .unknownFormat),
        ]
        for (path, code) in cases {
            let error = withError { _ = try NIfTI(contentsOf: path).volume() }
            #expect(error?.code == code, "\(path): \(String(describing: error))")
        }
        // A pair whose voxels are missing names the missing file.
        var bytes = NIfTIBytes()
        (bytes.magic, bytes.voxOffset) = (Array("ni1\0".utf8), 0)
        let alone = folder.write(bytes.header, to: "alone.hdr")
        #expect(withError { _ = try NIfTI(contentsOf: alone) }?.path == folder.path + "/alone.img")
        let misnamed = folder.write(bytes.header, to: "alone.dat")
        #expect(withError { _ = try NIfTI(contentsOf: misnamed) }?.code == .badHeader)
    }

    @Test func colourWithoutComponent() throws {
        let folder = TemporaryFolder()
        var bytes = NIfTIBytes()
        (bytes.dataType, bytes.dim) = (128, [3, 1, 1, 1, 1, 1, 1, 1])
        let image = try NIfTI(contentsOf: folder.write(bytes.file([1, 2, 3]), to: "c.nii"))
        #expect(withError { _ = try image.volume() }?.code == .mismatch)
        #expect(withError { _ = try image.volume(component: 3) }?.code == .mismatch)
        #expect(withError { _ = try image.volume(component: -1) }?.code == .mismatch)
        #expect(try image.volume(component: 2).voxels == [3])
    }

    /// Random files and every header byte set to extremes: an error or a volume, never a trap.
    @Test func noise() throws {
        let folder = TemporaryFolder()
        var random = Congruence(state: 7)
        for size in stride(from: 0, to: 2000, by: 37) {
            var bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next32()) }
            let path = folder.write(bytes, to: "n.nii")
            #expect(withError { _ = try NIfTI(contentsOf: path).volume() } != nil)
            if size > 2 {
                (bytes[0], bytes[1]) = (0x1f, 0x8b)
                folder.write(bytes, to: "n.nii")
                #expect(withError { _ = try NIfTI(contentsOf: path).volume() } != nil)
            }
        }
        for base in [NIfTIBytes(), .version2()] {
            let whole = base.file([1, 2, 3, 4, 5, 6, 7, 8])
            for place in 0..<base.header.count {
                for value: UInt8 in [0, 0x7f, 0x80, 0xff] {
                    var bytes = whole
                    bytes[place] = value
                    let path = folder.write(bytes, to: "n.nii")
                    if let volume = try? NIfTI(contentsOf: path).volume() {
                        #expect(volume.voxels.count <= 8)
                        #expect(volume.affine.isInvertible)
                    }
                }
            }
        }
    }
}
