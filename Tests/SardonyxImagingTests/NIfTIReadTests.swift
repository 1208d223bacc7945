import Testing

@testable import SardonyxImaging

/// Expected values: nibabel 5 on the same bytes, unless a row says otherwise.
struct NIfTIReadTests {
    static let types: [Stored.Case] = [
        .init(dataType: 2, bitpix: 8, component: nil, values: [0, 1, 2, 127, 128, 200, 254, 255]),
        .init(dataType: 256, bitpix: 8, component: nil, values: [-128, -1, 0, 1, 2, 100, 126, 127]),
        .init(dataType: 4, bitpix: 16, component: nil, values: [-32768, -257, -1, 0, 1, 258, 1000, 32767]),
        .init(dataType: 512, bitpix: 16, component: nil, values: [0, 1, 255, 256, 258, 40000, 65534, 65535]),
        .init(
            dataType: 8, bitpix: 32, component: nil,
            values: [-2_147_483_648, -65537, -1, 0, 1, 66051, 16_777_217, 2_147_483_647]),
        .init(
            dataType: 768, bitpix: 32, component: nil,
            values: [0, 1, 255, 66051, 16_777_217, 2_147_483_648, 4_000_000_000, 4_294_967_295]),
        .init(
            dataType: 1024, bitpix: 64, component: nil,
            values: [-9_007_199_254_740_992, -4_294_967_297, -1, 0, 1, 283_686_952_306_183, 4_294_967_296, 70000]),
        .init(
            dataType: 1280, bitpix: 64, component: nil,
            values: [
                0, 1, 255, 283_686_952_306_183, 4_294_967_296, 9_007_199_254_740_992, 9_223_372_036_854_775_808,
                18_446_744_073_709_549_568,
            ]),
        .init(dataType: 16, bitpix: 32, component: nil, values: [-1.5, 0, 0.1, 1e-30, 3.25, 1e30, -2e-10, 65504]),
        .init(dataType: 64, bitpix: 64, component: nil, values: [-1.5, 0, 0.1, 1e-30, 3.25, 1e30, -2e-10, 16_777_217]),
        .init(dataType: 32, bitpix: 64, component: 1, values: [-1.5, 0, 0.1, 1, 3.25, 100, -2, 7]),
        .init(dataType: 1792, bitpix: 128, component: 1, values: [-1.5, 0, 0.1, 1, 3.25, 100, -2, 7]),
        .init(dataType: 128, bitpix: 24, component: 1, values: [0, 1, 2, 127, 128, 200, 254, 255]),
        .init(dataType: 2304, bitpix: 32, component: 3, values: [0, 1, 2, 127, 128, 200, 254, 255]),
    ]

    /// Every type in both versions, both byte orders, plain and gzip, unscaled and scaled by 0.25 and −3.5.
    @Test(arguments: types)
    func everyType(_ row: Stored.Case) throws {
        let folder = TemporaryFolder()
        for version in [1, 2] {
            for big in [false, true] {
                for scaled in [false, true] {
                    var bytes = version == 1 ? NIfTIBytes() : .version2()
                    bytes.bigEndian = big
                    (bytes.dataType, bytes.bitpix) = (row.dataType, row.bitpix)
                    if scaled { (bytes.slope, bytes.intercept) = (0.25, -3.5) }
                    let file = bytes.file(row.values.flatMap { Stored.bytes(row.dataType, $0, bytes) })
                    let expected = row.values.map { value in
                        let stored = bytes.bitpix == 32 && row.dataType == 16 ? Double(Float(value)) : value
                        let colour = row.dataType == 128 || row.dataType == 2304
                        return scaled && !colour ? Float(stored * 0.25 - 3.5) : Float(stored)
                    }
                    for (name, file) in [("a.nii", file), ("a.nii.gz", try packed(file))] {
                        let image = try NIfTI(contentsOf: folder.write(file, to: name))
                        #expect(image.header.version == version)
                        #expect(image.header.isLittleEndian == !big)
                        #expect(try image.volume(component: row.component).voxels == expected)
                    }
                }
            }
        }
    }

    /// nibabel cannot read these on x86; the bits are IEEE 754's: 1.5, −2.25, π to 113 bits, infinity.
    @Test func quadruplePrecision() throws {
        let quads: [(UInt64, UInt64)] = [
            (0x3fff_8000_0000_0000, 0), (0xc000_2000_0000_0000, 0), (0x4000_921f_b544_42d1, 0x8469_898c_c517_01b8),
            (0x7fff_0000_0000_0000, 0),
        ]
        let folder = TemporaryFolder()
        for big in [false, true] {
            var bytes = NIfTIBytes()
            (bytes.dataType, bytes.bitpix, bytes.bigEndian, bytes.dim) = (1536, 128, big, [3, 4, 1, 1, 1, 1, 1, 1])
            let data = quads.flatMap { high, low in
                big ? bytes.ordered(high) + bytes.ordered(low) : bytes.ordered(low) + bytes.ordered(high)
            }
            let values = try NIfTI(contentsOf: folder.write(bytes.file(data), to: "q.nii")).volume().voxels
            #expect(values == [1.5, -2.25, Float(Double.pi), .infinity])
        }
        #expect(VoxelDecoder.quad(high: 0x4000_921f_b544_42d1, low: 0x8469_898c_c517_01b8) == Double.pi)
        #expect(VoxelDecoder.quad(high: 0x7fff_8000_0000_0000, low: 0).isNaN)
        #expect(VoxelDecoder.quad(high: 0x0001_0000_0000_0000, low: 5) == 0)
    }

    struct Place: Sendable, CustomTestStringConvertible {
        let name: String
        let affine: [Double]
        let orientation: String
        let source: NIfTIHeader.AffineSource
        let change: @Sendable (inout NIfTIBytes) -> Void
        var testDescription: String { name }
    }

    static let places: [Place] = [
        Place(
            name: "s-form before q-form", affine: [-0.9, 0.1, 0, 90, 0.1, 1.2, 0.3, -126, 0, -0.2, 2.5, -72],
            orientation: "LAS", source: .sform
        ) {
            $0.srows = [-0.9, 0.1, 0, 90, 0.1, 1.2, 0.3, -126, 0, -0.2, 2.5, -72]
            $0.qformCode = 1
        },
        Place(
            name: "q-form, left-handed",
            affine: [0.666, -0.568059, -1.077362, -10, 0.536775, 0.88, 0.163681, 20, -0.27985, 0.33602, -2.25, 30.5],
            orientation: "RAI", source: .qform
        ) {
            ($0.sformCode, $0.qformCode) = (0, 1)
            ($0.quaternion, $0.pixdim) = ([0.1, 0.2, 0.3, -10, 20, 30.5], [-1, 0.9, 1.1, 2.5, 0, 0, 0, 0])
        },
        Place(
            name: "q-form, qfac 0 is 1", affine: [0, -3, 0, 5, 0, 0, 4, 6, -2, 0, 0, 7], orientation: "ILA",
            source: .qform
        ) {
            ($0.sformCode, $0.qformCode) = (0, 2)
            ($0.quaternion, $0.pixdim) = ([-0.5, 0.5, 0.5, 5, 6, 7], [0, 2, 3, 4, 0, 0, 0, 0])
        },
        Place(
            name: "q-form, half turn", affine: [-2, 0, 0, 5, 0, -3, 0, 6, 0, 0, 4, 7], orientation: "LPS",
            source: .qform
        ) {
            ($0.sformCode, $0.qformCode) = (0, 1)
            ($0.quaternion, $0.pixdim) = ([0, 0, 1.0000001, 5, 6, 7], [1, 2, 3, 4, 0, 0, 0, 0])
        },
        Place(
            name: "spacing only", affine: [-2, 0, 0, 1, 0, 3, 0, -3, 0, 0, 4, -6], orientation: "LAS", source: .spacing
        ) {
            ($0.sformCode, $0.pixdim) = (0, [1, 2, -3, 4, 0, 0, 0, 0])
        },
        // nibabel leaves the unit to its caller; the standard's unit code makes these 1000 times smaller.
        Place(
            name: "micrometres", affine: [0.5, 0, 0, 0.1, 0, 0.5, 0, 0.2, 0, 0, 0.5, 0.3], orientation: "RAS",
            source: .sform
        ) { ($0.units, $0.srows) = (3, [500, 0, 0, 100, 0, 500, 0, 200, 0, 0, 500, 300]) },
        Place(name: "metres", affine: [2, 0, 0, 1, 0, 2, 0, 1, 0, 0, 2, 1], orientation: "RAS", source: .sform) {
            ($0.units, $0.srows) = (1, [0.002, 0, 0, 0.001, 0, 0.002, 0, 0.001, 0, 0, 0.002, 0.001])
        },
    ]

    @Test(arguments: places)
    func affine(_ row: Place) throws {
        var bytes = NIfTIBytes()
        bytes.dim = [3, 2, 3, 4, 1, 1, 1, 1]
        row.change(&bytes)
        for version in [1, 2] {
            bytes.version = version
            if version == 2 { (bytes.voxOffset, bytes.magic) = (544, Array("n+2\0".utf8)) }
            let header = try NIfTIHeader(parsing: bytes.header)
            #expect(isClose(header.affine.flat, row.affine), "\(header.affine.flat)")
            #expect(header.affineSource == row.source)
            #expect(header.grid.orientation.description == row.orientation)
        }
    }

    @Test func headerFields() throws {
        var bytes = NIfTIBytes()
        (bytes.dim, bytes.sformCode) = ([5, 2, 3, 4, 5, 6, 1, 1], 4)
        let header = try NIfTIHeader(parsing: bytes.header)
        #expect(header.dims == [2, 3, 4, 5, 6])
        #expect(header.frames == 30)
        #expect(header.spaceCode == 4)
        #expect(header.text == "a test")
        #expect(header.grid.dims == SIMD3(2, 3, 4))
        #expect(header.scaling == nil)
        (bytes.slope, bytes.intercept) = (0, .nan)
        #expect(try NIfTIHeader(parsing: bytes.header).scaling == nil)
        // A 2D image whose writer left the third spacing at 0.
        (bytes.dim, bytes.sformCode, bytes.pixdim) = ([2, 2, 3, 0, 0, 0, 0, 0], 0, [1, 2, 2, 0, 0, 0, 0, 0])
        #expect(try NIfTIHeader(parsing: bytes.header).grid.spacing == SIMD3(2, 2, 1))
    }

    @Test func framesPairsAndExtensions() throws {
        let folder = TemporaryFolder()
        var bytes = NIfTIBytes()
        bytes.dim = [4, 2, 1, 1, 3, 1, 1, 1]
        let frames = try NIfTI(contentsOf: folder.write(try packed(bytes.file([1, 2, 3, 4, 5, 6])), to: "f.nii.gz"))
        #expect(try (0..<3).map { try frames.volume(frame: $0).voxels } == [[1, 2], [3, 4], [5, 6]])
        #expect(withError { _ = try frames.volume(frame: 3) }?.code == .mismatch)

        bytes.voxOffset = 400
        let extended = try NIfTI(contentsOf: folder.write(bytes.file([1, 2, 3, 4, 5, 6]), to: "e.nii"))
        #expect(try extended.volume(frame: 2).voxels == [5, 6])

        (bytes.magic, bytes.voxOffset) = (Array("ni1\0".utf8), 0)
        folder.write(bytes.header, to: "p.hdr")
        folder.write(try packed([1, 2, 3, 4, 5, 6]), to: "p.img.gz")
        for name in ["p.hdr", "p.img.gz"] {
            let pair = try NIfTI(contentsOf: folder.path + "/" + name)
            #expect(try pair.volume(frame: 1).voxels == [3, 4])
        }
        // Gzip by content, not by name.
        bytes = NIfTIBytes()
        let named = folder.write(try packed(bytes.file([1, 2, 3, 4, 5, 6, 7, 8])), to: "z.nii")
        #expect(try NIfTI(contentsOf: named).volume().voxels == [1, 2, 3, 4, 5, 6, 7, 8])
    }

    /// nibabel: mean 44.61177355282364, maximum 254, voxel (90, 100, 80) 130.
    @Test(.enabled(if: fileExists(ch2)))
    func realHead() throws {
        let image = try NIfTI(contentsOf: ch2)
        let volume = try image.volume()
        #expect(volume.dims == SIMD3(181, 217, 181))
        #expect(volume.affine.flat == [1, 0, 0, -90, 0, 1, 0, -125, 0, 0, 1, -71])
        #expect(abs(volume.voxels.reduce(0.0) { $0 + Double($1) } / 7_109_137 - 44.61177355282364) < 1e-9)
        #expect(volume.voxels.max() == 254)
        #expect(image.header.spaceCode == 4)
    }
}
