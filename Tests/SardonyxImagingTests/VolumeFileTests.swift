import Testing

@testable import SardonyxImaging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Reading of all formats through one front. `Tools/lib/reference_files.py` compares it with the libraries themselves.
struct VolumeFileTests {
    @Test(arguments: Sample.all)
    func otherLibrariesFiles(_ sample: Sample) throws {
        let folder = TemporaryFolder()
        let file = try VolumeFile(contentsOf: sample.write(to: folder))
        #expect(file.grid.dims == SIMD3(3, 4, 2))
        #expect(isClose(file.grid.affine.flat, Sample.affine, 1e-5), "\(file.grid.affine.flat)")
        #expect(file.frames == sample.frames && file.components == sample.components)
        #expect(file.isColour == (sample.description == "colour.nrrd"))
        for frame in 0..<file.frames {
            for component in 0..<file.components {
                let volume = try file.volume(frame: frame, component: component)
                #expect(volume.voxels == sample.values(file.grid.box, frame: frame, component: component))
            }
        }
    }

    /// Compressed voxels of one stream stay in memory where there is room for them, and are the same there.
    @Test(arguments: Sample.all)
    func keptInMemory(_ sample: Sample) throws {
        let folder = TemporaryFolder()
        let path = sample.write(to: folder)
        let file = try openedBothWays(path)
        let isPacked = [
            "float-gzip.nrrd", "detached.nhdr", "itk.nrrd", "zlib.mha", "pair.mhd", "two.nii.gz", "vector.nii.gz",
        ].contains(sample.description)
        for (room, isKept) in [(1 << 20, isPacked), (23, false), (0, false)] {
            let kept = try VolumeFile(contentsOf: path, memory: room)
            #expect((kept.residentBytes > 0) == isKept, "\(sample) \(room)")
            #expect(try kept.volume().voxels == file.volume().voxels)
        }
    }

    /// Every box of every sample is what the whole volume has there.
    @Test(arguments: Sample.all)
    func everyBox(_ sample: Sample) throws {
        let folder = TemporaryFolder()
        let file = try VolumeFile(contentsOf: sample.write(to: folder))
        let (frame, component) = (file.frames - 1, file.components - 1)
        var count = 0
        for corner in 0..<1000 {
            let ends = [corner % 10, corner / 10 % 10, corner / 100].map { ($0 / 3, $0 % 3 + 1) }
            let box = VoxelBox(
                lower: SIMD3(ends[0].0, ends[1].0, ends[2].0),
                upper: SIMD3(ends[0].0 + ends[0].1, ends[1].0 + ends[1].1, ends[2].0 + ends[2].1))
            guard file.grid.contains(box) else { continue }
            var values = [Float](repeating: .nan, count: box.count)
            try values.withUnsafeMutableBufferPointer {
                try file.read(box, frame: frame, component: component, into: $0)
            }
            #expect(values == sample.values(box, frame: frame, component: component), "\(box)")
            let part = try file.volume(of: box, frame: frame, component: component)
            #expect(part.affine(.zero) == file.grid.affine(SIMD3<Double>(box.lower)))
            count += 1
        }
        #expect(count == 6 * 9 * 3)
    }

    @Test func boxesOutside() throws {
        let folder = TemporaryFolder()
        let file = try VolumeFile(contentsOf: Sample.all[0].write(to: folder))
        var room = [Float](repeating: 0, count: 24)
        func read(_ box: VoxelBox, frame: Int = 0, component: Int = 0) -> ImagingError.Code? {
            withError {
                try room.withUnsafeMutableBufferPointer {
                    try file.read(box, frame: frame, component: component, into: $0)
                }
            }?.code
        }
        #expect(read(file.grid.box) == nil)
        #expect(read(VoxelBox(upper: SIMD3(3, 4, 3))) == .mismatch)
        #expect(read(VoxelBox(lower: SIMD3(-1, 0, 0), upper: SIMD3(2, 4, 2))) == .mismatch)
        #expect(read(VoxelBox(lower: SIMD3(2, 0, 0), upper: SIMD3(1, 4, 2))) == .mismatch)
        #expect(read(VoxelBox(upper: SIMD3(.max, .max, .max))) == .mismatch)
        #expect(read(VoxelBox(upper: SIMD3(2, 4, 2))) == .mismatch)
        #expect(read(file.grid.box, frame: 1) == .mismatch)
        #expect(read(file.grid.box, component: -1) == .mismatch)
        room = []
        #expect(read(VoxelBox(lower: SIMD3(1, 1, 1), upper: SIMD3(1, 4, 2))) == nil)
    }

    struct Form: Sendable, CustomStringConvertible {
        let type: Int
        let names: (nrrd: String, meta: String)
        let values: [Double]
        var description: String { names.nrrd }
    }

    static let forms: [Form] = NIfTIReadTests.types.compactMap { row in
        let names: [Int: (String, String)] = [
            2: ("unsigned char", "UCHAR"), 256: ("int8_t", "CHAR"), 4: ("short", "SHORT"),
            512: ("uint16", "USHORT"), 8: ("signed int", "INT"), 768: ("unsigned int", "UINT"),
            1024: ("long long int", "LONG_LONG"), 1280: ("uint64_t", "ULONG_LONG"), 16: ("float", "FLOAT"),
            64: ("double", "DOUBLE"),
        ]
        return names[row.dataType].map { Form(type: row.dataType, names: $0, values: row.values) }
    }

    /// Every type, byte order and encoding of NRRD and MetaImage; headers and bytes are made here from the formats'
    /// descriptions.
    @Test(arguments: forms)
    func everyForm(_ form: Form) throws {
        #expect(VolumeFileTests.forms.count == 10)
        let folder = TemporaryFolder()
        let expected = form.values.map { Float($0) }
        for big in [false, true] {
            var order = NIfTIBytes()
            order.bigEndian = big
            let raw = form.values.flatMap { Stored.bytes(form.type, $0, order) }
            let hex = raw.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            let text = form.values.map { $0.rounded() == $0 && abs($0) < 1e19 ? exact($0) : "\($0)" }
            let data: [(String, [UInt8])] = [
                ("raw", raw), ("gzip", try packed(raw)), ("hex", Array(hex.utf8)),
                ("ascii", Array(text.joined(separator: "\n").utf8)),
            ]
            for (encoding, bytes) in data {
                let header = """
                    NRRD0004
                    # made for a test
                    type: \(form.names.nrrd)
                    dimension: 3
                    sizes: 2 2 2
                    endian: \(big ? "big" : "little")
                    encoding: \(encoding)
                    """
                let attached = folder.write(Array((header + "\n\n").utf8) + bytes, to: "a.nrrd")
                let skip = encoding == "gzip" ? "line skip: 0" : "byte skip: 3"
                folder.write(encoding == "gzip" ? bytes : [1, 2, 3] + bytes, to: "a.data")
                let beside = folder.write(Array((header + "\n\(skip)\ndata file: a.data\n").utf8), to: "a.nhdr")
                for path in [attached, beside] {
                    let file = try VolumeFile(contentsOf: path)
                    #expect(file.format == .nrrd && file.dataType.rawValue == form.type)
                    #expect(try file.volume().voxels == expected, "\(encoding) \(big)")
                }
            }
            for (fields, bytes) in [
                ("BinaryData = True", raw), ("BinaryData = False", data[3].1),
                ("BinaryData = True\nCompressedData = True", try packed(raw, .zlib)),
            ] {
                let header = """
                    ObjectType = Image
                    NDims = 3
                    \(fields)
                    BinaryDataByteOrderMSB = \(big ? "True" : "False")
                    DimSize = 2 2 2
                    ElementType = MET_\(form.names.meta)
                    ElementDataFile =
                    """
                let local = folder.write(Array((header + " LOCAL\n").utf8) + bytes, to: "a.mha")
                folder.write(bytes, to: "b.data")
                let beside = folder.write(Array((header + " b.data\n").utf8), to: "a.mhd")
                for path in [local, beside] {
                    let file = try VolumeFile(contentsOf: path)
                    #expect(file.format == .metaImage && file.dataType.rawValue == form.type)
                    #expect(try file.volume().voxels == expected, "\(fields) \(big)")
                }
            }
        }
    }

    private func exact(_ value: Double) -> String {
        value < 0 ? "-" + String(UInt64(-value)) : String(UInt64(value))
    }

    struct Place: Sendable, CustomStringConvertible {
        let description: String
        let fields: String
        let affine: [Double]
        var duration = 0.0
        var sizes = "2 2 2"
    }

    /// Expected: SimpleITK 2.5 on the same bytes, turned from LPS to RAS; rows with units or time by the format's text.
    static let nrrdPlaces: [Place] = [
        Place(description: "nothing", fields: "", affine: [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0]),
        Place(
            description: "spacings", fields: "spacings: 0.5 2 3", affine: [-0.5, 0, 0, 0, 0, -2, 0, 0, 0, 0, 3, 0]),
        Place(
            description: "RAS",
            fields: "space: RAS\nspace directions: (0,2,0) (0,0,-1.5) (0.5,0,0)\nspace origin: (1,2,3)",
            affine: [0, 0, 0.5, 1, 2, 0, 0, 2, 0, -1.5, 0, 3]),
        Place(
            description: "LAS by its long name",
            fields: "space: left-anterior-superior\nspace directions: (0,2,0) (0, 0, -1.5) (0.5,0,0)\n"
                + "space origin: (1, 2, 3)", affine: [0, 0, -0.5, -1, 2, 0, 0, 2, 0, -1.5, 0, 3]),
        Place(
            description: "LPS in micrometres",
            fields: "space: LPS\nspace units: \"um\" \"um\" \"um\"\nspace directions: (500,0,0) (0,250,0) (0,0,2000)\n"
                + "space origin: (1000,2000,3000)", affine: [-0.5, 0, 0, -1, 0, -0.25, 0, -2, 0, 0, 2, 3]),
        Place(
            description: "minima of cells", fields: "spacings: 1 2 3\naxis mins: 4 5 6",
            affine: [-1, 0, 0, -4.5, 0, -2, 0, -6, 0, 0, 3, 7.5]),
        Place(
            description: "minima of nodes", fields: "spacings: 1 2 3\naxis mins: 4 5 6\ncenterings: node node node",
            affine: [-1, 0, 0, -4, 0, -2, 0, -5, 0, 0, 3, 6]),
        Place(
            description: "a space with time",
            fields: "space: RAST\nspace directions: (1,0,0,0) (0,1,0,0) (0,0,1,0) (0,0,0,2.5)\n"
                + "space origin: (0,0,0,0)", affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0], duration: 2.5,
            sizes: "2 2 1 2"),
        Place(
            description: "time with a unit",
            fields: "spacings: 1 1 1 500\nkinds: space space space time\nunits: \"mm\" \"mm\" \"mm\" \"ms\"",
            affine: [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0], duration: 0.5, sizes: "2 2 1 2"),
        Place(
            description: "a slice", fields: "space: RAS\nspace directions: (0,2,0) (0,0,3)\nspace origin: (1,2,3)",
            affine: [0, 0, 1, 1, 2, 0, 0, 2, 0, 3, 0, 3], sizes: "4 2"),
    ]

    @Test(arguments: nrrdPlaces)
    func nrrdGeometry(_ row: Place) throws {
        let folder = TemporaryFolder()
        let dimension = row.sizes.split(separator: " ").count
        let header =
            "NRRD0005\ntype: uchar\ndimension: \(dimension)\nsizes: \(row.sizes)\nencoding: raw\n\(row.fields)"
        let bytes = Array((header + (row.fields.isEmpty ? "\n" : "\n\n")).utf8) + Array(0..<8)
        let file = try VolumeFile(contentsOf: folder.write(bytes, to: "g.nrrd"))
        #expect(isClose(file.grid.affine.flat, row.affine, 1e-12), "\(file.grid.affine.flat)")
        #expect(file.frameDuration == row.duration)
        #expect(try file.volume(frame: file.frames - 1).voxels.last == 7)
    }

    /// Expected: SimpleITK 2.5 on the same bytes, turned from LPS to RAS; centimetres by the format's text.
    static let metaPlaces: [Place] = [
        Place(
            description: "by other names",
            fields: "Rotation = 0 1 0 -1 0 0 0 0 1\nPosition = 1 2 3\nElementSize = 2 3 4",
            affine: [0, 3, 0, -1, -2, 0, 0, -2, 0, 0, 4, 3]),
        Place(
            description: "a negative spacing", fields: "ElementSpacing = 5 -6 7",
            affine: [-5, 0, 0, 0, 0, 6, 0, 0, 0, 0, 7, 0]),
        Place(
            description: "centimetres", fields: "DistanceUnits = cm\nOffset = 1 2 3",
            affine: [-10, 0, 0, -10, 0, -10, 0, -20, 0, 0, 10, 30]),
        Place(
            description: "a slice", fields: "TransformMatrix = 0 1 -1 0\nOffset = 5 6\nElementSpacing = 2 3",
            affine: [0, 3, 0, -5, -2, 0, 0, -6, 0, 0, 1, 0], sizes: "4 2"),
        Place(
            description: "a series", fields: "Offset = 5 6 7 0\nElementSpacing = 2 3 4 1.5",
            affine: [-2, 0, 0, -5, 0, -3, 0, -6, 0, 0, 4, 7], duration: 1.5, sizes: "2 2 1 2"),
    ]

    @Test(arguments: metaPlaces)
    func metaImageGeometry(_ row: Place) throws {
        let folder = TemporaryFolder()
        let dimension = row.sizes.split(separator: " ").count
        let header = """
            Comment = made for a test
            NDims = \(dimension)
            \(row.fields)
            DimSize = \(row.sizes)
            HeaderSize = -1
            ElementType = MET_UCHAR
            ElementDataFile = LOCAL

            """
        let path = folder.write(Array(header.utf8) + Array("padding".utf8) + Array(0..<8), to: "g.mha")
        let file = try VolumeFile(contentsOf: path)
        #expect(isClose(file.grid.affine.flat, row.affine, 1e-12), "\(file.grid.affine.flat)")
        #expect(file.frameDuration == row.duration)
        #expect(try file.volume(frame: file.frames - 1).voxels.last == 7)
    }

    /// Slices in files of their own, by names and by patterns, and boxes that cross them.
    @Test func severalFiles() throws {
        let folder = TemporaryFolder()
        for n in 0..<4 {
            folder.write(
                Array("two lines\nbefore\n".utf8) + (0..<6).map { UInt8(6 * n + $0) }, to: "s0\(2 * n + 1).raw")
        }
        let names = "s01.raw\ns03.raw\ns05.raw\ns07.raw\n"
        let nrrd = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 3 2 4\nencoding: raw\nline skip: 2\ndata file: "
        let meta = "NDims = 3\nHeaderSize = 17\nDimSize = 3 2 4\nElementType = MET_UCHAR\nElementDataFile = "
        for (header, ending) in [
            (nrrd + "LIST\n" + names, ".nhdr"), (nrrd + "s%02d.raw 1 7 2\n", ".nhdr"),
            (meta + "LIST\n" + names, ".mhd"),
            (meta + "s%02d.raw 1 7 2\n", ".mhd"),
        ] {
            let file = try VolumeFile(contentsOf: folder.write(Array(header.utf8), to: "h" + ending))
            #expect(try file.volume().voxels == (0..<24).map { Float($0) })
            let box = VoxelBox(lower: SIMD3(1, 1, 1), upper: SIMD3(3, 2, 4))
            #expect(try file.volume(of: box).voxels == [10, 11, 16, 17, 22, 23])
        }
    }

    /// A box from many threads at once, out of a compressed file.
    @Test func threads() async throws {
        let folder = TemporaryFolder()
        let grid = VoxelGrid(dims: SIMD3(40, 30, 20), affine: .identity)
        let path = folder.path + "/t.nii.gz"
        try NIfTI.write(Volume<Int16>(grid: grid, voxels: (0..<24000).map { Int16($0) }), to: path)
        let file = try VolumeFile(contentsOf: path)
        // What has been opened needs the file's name no more.
        unlink(path)
        let right = await withTaskGroup(of: Bool.self) { group in
            for n in 0..<64 {
                group.addTask {
                    let lower = SIMD3(n % 8, n % 5, n % 3)
                    let box = VoxelBox(lower: lower, upper: lower &+ SIMD3(30, 20, 15))
                    guard let part = try? file.volume(of: box) else { return false }
                    let last = box.upper &- 1
                    return part.voxels.first == Float(lower.x + 40 * (lower.y + 30 * lower.z))
                        && part.voxels.last == Float(last.x + 40 * (last.y + 30 * last.z))
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(right == 64)
    }

    /// No decoded file is left behind, and a folder that cannot take it is named.
    @Test func temporaryFolder() throws {
        let (folder, other) = (TemporaryFolder(), TemporaryFolder())
        let path = Sample.all[1].write(to: folder)
        let file = try VolumeFile(contentsOf: path, temporaryFolder: other.path)
        #expect(other.names.isEmpty)
        #expect(try file.volume().voxels.count == 24)
        let error = withError { _ = try VolumeFile(contentsOf: path, temporaryFolder: other.path + "/none") }
        #expect(error?.code == .cannotWrite)
        #expect(error?.path == other.path + "/none")
    }

    struct Head: Sendable, CustomStringConvertible {
        let description: String
        let dims: SIMD3<Int>
        let type: VoxelType
        let sum: Double
        /// Of the voxel at half the dimensions.
        let middle: Float
        let orientation: String
        var path: String { "/usr/share/mricron/templates/\(description).nii.gz" }
    }

    /// Debian's volumes of mricron; expected: `nibabel.load(path)`, its shape, get_fdata().sum(), aff2axcodes.
    static let heads = [
        Head(
            description: "ch2", dims: SIMD3(181, 217, 181), type: .uint8, sum: 317_151_210, middle: 33,
            orientation: "RAS"),
        Head(
            description: "inia19-NeuroMaps", dims: SIMD3(168, 206, 128), type: .int16, sum: 502_525_881, middle: 1497,
            orientation: "RAS"),
        Head(
            description: "inia19-t1-brain", dims: SIMD3(168, 206, 128), type: .float32, sum: 75_356_682.64319038,
            middle: 88.77368927001953, orientation: "RAS"),
        Head(
            description: "JHU-WhiteMatter-labels-2mm", dims: SIMD3(91, 109, 91), type: .uint8, sum: 420763, middle: 6,
            orientation: "RAS"),
        Head(
            description: "jhu189", dims: SIMD3(157, 189, 136), type: .uint8, sum: 106_507_886, middle: 0,
            orientation: "LAS"),
    ]

    @Test(.enabled(if: fileExists(ch2)), arguments: heads)
    func realHeads(_ head: Head) throws {
        let file = try VolumeFile(contentsOf: head.path)
        #expect(file.format == .nifti && file.grid.dims == head.dims && file.dataType == head.type)
        #expect(file.grid.orientation.description == head.orientation)
        let volume = try file.volume()
        #expect(abs(volume.voxels.reduce(0.0) { $0 + Double($1) } - head.sum) <= 1e-9 * head.sum)
        #expect(volume[head.dims.x / 2, head.dims.y / 2, head.dims.z / 2] == head.middle)
        #expect(try volume == NIfTI(contentsOf: head.path).volume())
    }
}
