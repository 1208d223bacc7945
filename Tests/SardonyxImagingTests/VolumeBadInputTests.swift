import Testing

@testable import SardonyxImaging

/// Lies, cuts and damage in each format: an error with a reason or a right volume, never a trap.
struct VolumeBadInputTests {
    struct Lie: Sendable, CustomStringConvertible {
        let description: String
        let code: ImagingError.Code
        let says: String

        init(_ fields: String, _ code: ImagingError.Code, _ says: String) {
            (description, self.code, self.says) = (fields, code, says)
        }
    }

    /// Lines that replace those of the same name in a sound header, or are added to it; "-name" removes one.
    static let nrrdLies: [Lie] = [
        Lie("-type", .badHeader, "no field 'type'"), Lie("-sizes", .badHeader, "no field 'sizes'"),
        Lie("-encoding", .badHeader, "no field 'encoding'"), Lie("dimension: 0", .badHeader, "expected 1 to 16"),
        Lie("dimension: 99", .badHeader, "expected 1 to 16"), Lie("dimension: three", .badHeader, "'three'"),
        Lie("dimension: 4", .badHeader, "expected 4 whole numbers"), Lie("sizes: 2 2", .badHeader, "expected 3"),
        Lie("sizes: 2 -2 2", .badHeader, "the size of axis 2 is -2"), Lie("sizes: 2 2 0", .badHeader, "is 0"),
        Lie("sizes: 2 2 2.5", .badHeader, "whole numbers"), Lie("sizes: 2 2 99999999999999999999", .badHeader, "whole"),
        Lie("sizes: 4000000000 4000000000 4000000000", .tooLarge, "more than any file"),
        Lie("sizes: 100000 100000 100000", .truncated, "100000×100000×100000 uint8 (1.0 PB)"),
        Lie("sizes: 2 2 3", .truncated, "(12 bytes) but the file holds 8 bytes"),
        Lie("type: double", .badHeader, "add 'endian: little'"), Lie("type: block", .unsupported, "'block'"),
        Lie("type: long", .unsupported, "'long'"), Lie("encoding: bzip2", .unsupported, "'bzip2'"),
        Lie("encoding: zip", .unsupported, "'zip'"), Lie("encoding: gzip", .corrupt, "damaged"),
        Lie("encoding: hex", .truncated, "cannot hold so much"),
        Lie("encoding: text", .truncated, "cannot hold so much"),
        Lie("byte skip: -2", .badHeader, "byteskip is '-2'"), Lie("byte skip: 1", .truncated, "holds 7 bytes"),
        Lie("byte skip: 9223372036854775807", .truncated, "holds 0 bytes"), Lie("line skip: -1", .badHeader, "'-1'"),
        Lie("line skip: 9", .truncated, "holds 0 bytes"), Lie("spacings: 1 0 1", .badGeometry, "place no voxels"),
        Lie("spacings: 1 inf 1", .badGeometry, "place no voxels"), Lie("spacings: 1 1", .badHeader, "expected 3"),
        Lie("spacings: 1 x 1", .badHeader, "'x'"), Lie("space: up-and-down", .badHeader, "none of the format's"),
        Lie("space directions: (1,0,0) (0,1,0) (1,1,0)", .badGeometry, "place no voxels"),
        Lie("space directions: (1,0,0) (0,1,0) (nan,nan,nan)", .badGeometry, "place no voxels"),
        Lie("space directions: (0,0,0) (0,1,0) (0,0,1)", .badGeometry, "place no voxels"),
        Lie("space directions: (1,0,0) (0,1,0)", .badHeader, "expected 3 vectors"),
        Lie("space directions: (1,0,0) (0,1,0) (0,0,1", .badHeader, "expected vectors"),
        Lie("space directions: (1,0,0) (0,1,0) (0,0,z)", .badHeader, "expected 3 numbers"),
        Lie("space directions: 1 0 0", .badHeader, "expected vectors"), Lie("kinds: domain", .badHeader, "1 entries"),
        Lie("data file: /etc/passwd", .unsupported, "not in the header's folder"),
        Lie("data file: ../a.raw", .unsupported, "not in the header's folder"),
        Lie("data file: a/../../b.raw", .unsupported, "not in the header's folder"),
        Lie("data file: absent.raw", .cannotOpen, "cannot be opened"),
        Lie("data file: .", .cannotOpen, "no regular file"), Lie("data file: LIST", .cannotOpen, "cannot be opened"),
        Lie("data file: s%02d.raw 1 3 1", .badHeader, "3 files do not divide"),
        Lie("data file: s%02d.raw 0 9223372036854775807 1", .badHeader, "65536 or fewer"),
        Lie("data file: s%02d.raw 1 2 0", .badHeader, "by 0"),
        Lie("data file: s%s.raw 1 2 1", .badHeader, "no pattern"),
        Lie("data file: s%999d.raw 1 2 1", .badHeader, "no pattern"),
        Lie("data file: s%d%d.raw 1 2 1", .badHeader, "no pattern"), Lie("no colon", .badHeader, "no colon"),
        Lie("dimension: 3\ndimension: 3", .badHeader, "twice"),
    ]

    static let metaLies: [Lie] = [
        Lie("-NDims", .badHeader, "no field 'NDims'"), Lie("-DimSize", .badHeader, "no field 'DimSize'"),
        Lie("-ElementType", .badHeader, "no field 'ElementType'"), Lie("NDims = 0", .badHeader, "expected 1 to 10"),
        Lie("NDims = 1000000000", .badHeader, "expected 1 to 10"), Lie("DimSize = 2 2", .badHeader, "expected 3"),
        Lie("DimSize = 2 2 -2", .badHeader, "is -2"),
        Lie("DimSize = 4000000000 4000000000 4000000000", .tooLarge, "more than any file"),
        Lie("DimSize = 2 2 300", .truncated, "holds 8 bytes"),
        Lie("ElementNumberOfChannels = 0", .badHeader, "expected 1 or more"),
        Lie("ElementNumberOfChannels = 9223372036854775807", .tooLarge, "more than any file"),
        Lie("ElementType = MET_STRING", .unsupported, "'MET_STRING'"), Lie("ObjectType = Tube", .unsupported, "'Tube'"),
        Lie("ElementSpacing = 1 0 1", .badGeometry, "place no voxels"),
        Lie("ElementSpacing = 1 nan 1", .badHeader, "expected 3 numbers"),
        Lie("Offset = 1 inf 1", .badHeader, "expected 3 numbers"),
        Lie("Offset = 1 1", .badHeader, "expected 3 numbers"),
        Lie("TransformMatrix = 1 0 0 0 1 0 1 1 0", .badGeometry, "place no voxels"),
        Lie("TransformMatrix = 1 0 0", .badHeader, "expected 9 numbers"),
        Lie("CompressedData = True", .corrupt, "damaged"), Lie("BinaryData = False", .truncated, "cannot hold so much"),
        Lie("HeaderSize = -2", .badHeader, "expected -1 or more"), Lie("HeaderSize = 1", .truncated, "holds 7 bytes"),
        Lie("CompressedData = True\nHeaderSize = 3", .unsupported, "raw data only"),
        Lie("ElementDataFile = /etc/passwd", .unsupported, "not in the header's folder"),
        Lie("ElementDataFile = LIST", .cannotOpen, "cannot be opened"),
        Lie("ElementDataFile =", .badHeader, "no field"),
        Lie("ElementDataFile = s%d.raw 1 3", .badHeader, "3 files do not divide"), Lie("no sign", .badHeader, "no '='"),
    ]

    private static let nrrd = ["NRRD0004", "type: uchar", "dimension: 3", "sizes: 2 2 2", "encoding: raw", "", ""]
    private static let meta = [
        "ObjectType = Image", "NDims = 3", "DimSize = 2 2 2", "ElementType = MET_UCHAR", "ElementDataFile = LOCAL", "",
    ]

    private func header(_ lines: [String], _ change: String, before end: Int) -> String {
        func name(_ line: String) -> String {
            String(line.prefix { $0 != ":" && $0 != "=" }.filter { $0 != " " })
        }
        let changes = change.split(separator: "\n").map(String.init)
        let gone = changes.map { $0.hasPrefix("-") ? String($0.dropFirst()) : name($0) }
        var kept = lines.filter { $0.isEmpty || !gone.contains(name($0)) }
        let added = changes.filter { !$0.hasPrefix("-") }
        kept.insert(contentsOf: added, at: kept.count - end)
        return kept.joined(separator: "\n")
    }

    @Test(arguments: nrrdLies)
    func nrrd(_ lie: Lie) throws {
        let text = header(VolumeBadInputTests.nrrd, lie.description, before: 2)
        try check(lie, text, "lie.nrrd")
    }

    @Test(arguments: metaLies)
    func metaImage(_ lie: Lie) throws {
        let isData = lie.description.hasPrefix("ElementDataFile")
        let text = header(VolumeBadInputTests.meta, lie.description, before: isData ? 1 : 2)
        try check(lie, text, "lie.mha")
    }

    private func check(_ lie: Lie, _ text: String, _ name: String) throws {
        let folder = TemporaryFolder()
        let path = folder.write(Array(text.utf8) + Array(200..<208), to: name)
        let error = withError { _ = try VolumeFile(contentsOf: path) }
        #expect(error?.code == lie.code, "\(String(describing: error))")
        #expect(error?.path.hasPrefix(folder.path) == true)
        #expect(error?.description.contains(lie.says) == true, "\(String(describing: error))")
    }

    @Test func soundHeaders() throws {
        let folder = TemporaryFolder()
        for (lines, name) in [(VolumeBadInputTests.nrrd, "a.nrrd"), (VolumeBadInputTests.meta, "a.mha")] {
            let bytes = Array(lines.joined(separator: "\n").utf8) + Array(200..<208)
            let file = try VolumeFile(contentsOf: folder.write(bytes, to: name))
            #expect(try file.volume().voxels == (200..<208).map { Float($0) })
        }
    }

    /// Each file of each sample cut at every 2 %: an error, except where numbers as text lose digits of the last one.
    @Test(arguments: Sample.all)
    func everyTruncation(_ sample: Sample) throws {
        let folder = TemporaryFolder()
        let path = sample.write(to: folder)
        for file in sample.files {
            let whole = fromBase64(file.base64)
            for percent in stride(from: 0, to: 100, by: 2) {
                folder.write(Array(whole.prefix(whole.count * percent / 100)), to: file.name)
                let error = withError { _ = try openedBothWays(path).volume() }
                #expect(error?.path.hasPrefix(folder.path) == true, "\(file.name) \(percent) %")
            }
            folder.write(whole, to: file.name)
        }
    }

    /// Every byte of each sample with one of its bits turned, or all: an error, or a volume of what the file can hold;
    /// in compressed data, whose checksums see it, the right volume.
    @Test(arguments: Sample.all)
    func everyBitFlip(_ sample: Sample) throws {
        let folder = TemporaryFolder()
        let path = sample.write(to: folder)
        var errors = 0
        for file in sample.files {
            let whole = fromBase64(file.base64)
            let isPacked = file.name.hasSuffix(".gz") || file.name.hasSuffix(".zraw")
            for place in whole.indices {
                var bytes = whole
                bytes[place] ^= place % 3 == 0 ? 0xff : 1 << UInt8(place % 8)
                folder.write(bytes, to: file.name)
                do {
                    let opened = try openedBothWays(path)
                    let volume = try opened.volume(frame: opened.frames - 1, component: opened.components - 1)
                    #expect(volume.affine.isInvertible && volume.voxels.count <= 8 * whole.count)
                    if isPacked {
                        let expected = sample.values(opened.grid.box, frame: 0, component: sample.components - 1)
                        #expect(volume.voxels == expected, "\(file.name) byte \(place)")
                    }
                } catch let error as ImagingError {
                    #expect(error.path.hasPrefix(folder.path) || error.path.hasPrefix("/tmp"))
                    errors += 1
                }
            }
            folder.write(whole, to: file.name)
        }
        #expect(errors > 20)
    }

    /// 100 MB behind 8 voxels, in each format that compresses: not unpacked, so the cut in its middle is not met.
    @Test func bombs() throws {
        let folder = TemporaryFolder()
        func cut(_ bytes: [UInt8], _ form: ByteWriter.Form) throws -> [UInt8] {
            let whole = try packed(bytes + [UInt8](repeating: 0, count: 100_000_000), form)
            return Array(whole[..<(whole.count / 2)])
        }
        let voxels = [UInt8](1...8)
        let nrrd = header(VolumeBadInputTests.nrrd, "encoding: gzip", before: 2)
        let meta = header(VolumeBadInputTests.meta, "CompressedData = True", before: 2)
        for (name, bytes) in [
            ("b.nii.gz", try cut(NIfTIBytes().file(voxels), .gzip)),
            ("b.nrrd", Array(nrrd.utf8) + (try cut(voxels, .gzip))),
            ("b.mha", Array(meta.utf8) + (try cut(voxels, .zlib))),
        ] {
            let file = try openedBothWays(folder.write(bytes, to: name))
            #expect(try file.volume().voxels == voxels.map { Float($0) }, "\(name)")
        }
        // The other way round: much promised, little there.
        let huge = header(VolumeBadInputTests.nrrd, "encoding: gzip\nsizes: 30000 30000 30000", before: 2)
        let path = folder.write(Array(huge.utf8) + (try cut(voxels, .gzip)), to: "h.nrrd")
        let error = withError { _ = try VolumeFile(contentsOf: path) }
        #expect(error?.code == .truncated && error?.description.contains("cannot hold so much") == true)
    }

    /// Several gzip members are one file; what follows the last and is none is passed over.
    @Test func gzipMembers() throws {
        let folder = TemporaryFolder()
        let whole = NIfTIBytes().file([UInt8](1...8))
        var joined: [UInt8] = []
        for part in [whole[..<100], whole[100..<355], whole[355...]] { joined += try packed(Array(part)) }
        for tail: [UInt8] in [[], [0, 0, 0], [0x1f], [1, 2, 3, 4, 5]] {
            let path = folder.write(joined + tail, to: "m.nii.gz")
            #expect(try openedBothWays(path).volume().voxels == (1...8).map { Float($0) })
        }
        let path = folder.write(Array(joined.dropLast(3)), to: "m.nii.gz")
        #expect(withError { _ = try openedBothWays(path) }?.code == .truncated)
    }

    /// A file that shrinks after it has been opened gives an error, not a signal.
    @Test func shrinks() throws {
        let folder = TemporaryFolder()
        let path = folder.write(NIfTIBytes().file([UInt8](1...8)), to: "s.nii")
        let file = try VolumeFile(contentsOf: path)
        folder.write(NIfTIBytes().header, to: "s.nii")
        #expect(withError { _ = try file.volume() }?.code == .truncated)
    }

    @Test func otherFiles() throws {
        let folder = TemporaryFolder()
        let rows: [(String, [UInt8], ImagingError.Code, String)] = [
            ("a.bin", [], .truncated, "empty"), ("a.bin", Array("hello".utf8), .unknownFormat, "not known"),
            ("a.nii", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], .corrupt, "PNG picture"),
            ("a.dcm", [UInt8](repeating: 0, count: 128) + Array("DICM".utf8), .unknownFormat, "DICOM"),
            ("a.nrrd", Array("hello".utf8), .unknownFormat, "NRRD0001"), ("a.mha", [], .badHeader, "NDims"),
            ("a.mhd", Array("hello".utf8), .unknownFormat, "'='"), ("a.nii", [], .truncated, "empty"),
            ("a.nrrd", Array("NRRD0009\n\n".utf8), .unknownFormat, "NRRD0001"),
        ]
        for (name, bytes, code, says) in rows {
            let path = folder.write(bytes, to: name)
            let error = withError { _ = try VolumeFile(contentsOf: path) }
            #expect(error?.code == code && error?.path == path, "\(String(describing: error))")
            #expect(error?.description.contains(says) == true, "\(String(describing: error))")
        }
        for path in [folder.path, folder.path + "/absent.nrrd", "/dev/null"] {
            #expect(withError { _ = try VolumeFile(contentsOf: path) }?.code == .cannotOpen)
        }
        // What is quoted neither moves the cursor nor fills the screen.
        let escape =
            "NRRD0004\ntype: \u{1b}[2J\u{7}" + String(repeating: "x", count: 9000) + "\ndimension: 1\nsizes: 1\n\n"
        let loud = withError { _ = try VolumeFile(contentsOf: folder.write(Array(escape.utf8), to: "l.nrrd")) }
        #expect(loud?.code == .unsupported)
        #expect(loud?.problem.utf8.allSatisfy { $0 >= 32 } == true && loud?.problem.count == 401)
        // More names than any volume has slices: refused before they fill the memory.
        let names = "NDims = 3\nDimSize = 1 1 1\nElementType = MET_CHAR\nElementDataFile = LIST\n"
        let many = Array(names.utf8) + Array(String(repeating: "a\n", count: 70000).utf8)
        #expect(withError { _ = try VolumeFile(contentsOf: folder.write(many, to: "n.mhd")) }?.code == .badHeader)
        // A header without an end.
        let endless = folder.write([UInt8](repeating: 65, count: 9_000_000), to: "e.mha")
        #expect(withError { _ = try VolumeFile(contentsOf: endless) }?.code == .badHeader)
    }
}
