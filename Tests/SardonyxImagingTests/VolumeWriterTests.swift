import Testing

@testable import SardonyxImaging

/// What is written is read back here; `Tools/lib/reference_files.py` has other libraries read it.
struct VolumeWriterTests {
    static let endings = [".nii", ".nii.gz", ".nrrd", ".mha"]
    static let grid = VoxelGrid(
        dims: SIMD3(5, 4, 3),
        affine: Affine(
            columns: SIMD3(0, 0.9, 0.1), SIMD3(-0.1, 0, 0.9), SIMD3(2.5, 0, 0), origin: SIMD3(-90.25, 12.5, 3)))

    @Test(arguments: endings)
    func everyType(_ ending: String) throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/a" + ending
        let grid = VolumeWriterTests.grid
        for form in VolumeFileTests.forms {
            let type = try #require(VoxelType(rawValue: form.type))
            let values = (0..<grid.count * 2).map { form.values[$0 % 8 ^ $0 / grid.count] }
            let bytes = values.flatMap { Stored.bytes(form.type, $0, NIfTIBytes()) }
            let writer = try VolumeWriter(
                path: path, grid: grid, frames: 2, dataType: type, spaceCode: 4, frameDuration: 2.5)
            // In pieces that respect neither voxels nor slices.
            for start in stride(from: 0, to: bytes.count, by: 37) {
                try bytes[start..<min(start + 37, bytes.count)].withUnsafeBytes { try writer.append($0) }
            }
            try writer.finish()
            writer.cancel()
            let file = try VolumeFile(contentsOf: path)
            #expect(isClose(file.grid.affine.flat, grid.affine.flat, 1e-5))
            #expect(file.dataType == type && file.frames == 2 && file.frameDuration == 2.5)
            #expect(file.spaceCode == (ending.hasPrefix(".nii") ? 4 : 1))
            for frame in 0..<2 {
                let expected = values[frame * grid.count..<(frame + 1) * grid.count].map { Float($0) }
                #expect(try file.volume(frame: frame).voxels == expected, "\(form) \(frame)")
            }
        }
        #expect(folder.names == ["a" + ending])
    }

    @Test func components() throws {
        let folder = TemporaryFolder()
        let grid = VolumeWriterTests.grid
        let rows: [(String, VoxelType, Int, isColour: Bool)] = [
            (".nii", .uint8, 3, true), (".nii.gz", .rgba32, 1, true), (".nii", .complex64, 1, false),
            (".nrrd", .rgb24, 1, true), (".nrrd", .uint8, 4, true), (".nrrd", .complex128, 1, false),
            (".nrrd", .int16, 7, false), (".mha", .uint8, 3, true), (".mha", .float32, 2, false),
        ]
        for (ending, type, components, isColour) in rows {
            let path = folder.path + "/c" + ending
            let count = grid.count * type.bytes * components
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 % 61) }
            let writer = try VolumeWriter(path: path, grid: grid, components: components, dataType: type)
            try bytes.withUnsafeBytes { try writer.append($0) }
            try writer.finish()
            let file = try VolumeFile(contentsOf: path)
            #expect(file.components == components * type.components && file.isColour == isColour, "\(ending) \(type)")
            let last = file.components - 1
            let decoder = VoxelDecoder(type: type.component, swapped: false, scaling: nil)
            var expected = [Float](repeating: 0, count: grid.count)
            let width = type.component.bytes
            bytes.withUnsafeBytes {
                decoder.decode(
                    $0.baseAddress! + last * width, step: (last + 1) * width, count: grid.count, into: &expected)
            }
            #expect(try file.volume(component: last).voxels == expected, "\(ending) \(type)")
        }
    }

    /// nibabel reads slope and intercept of these bytes as 0.5 and −3.
    @Test func scaling() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/s.nii"
        let grid = VoxelGrid(dims: SIMD3(2, 1, 1), affine: .identity)
        let writer = try VolumeWriter(path: path, grid: grid, dataType: .int16, scaling: (0.5, -3))
        try [Int16(10), -4].withUnsafeBytes { try writer.append($0) }
        try writer.finish()
        #expect(try VolumeFile(contentsOf: path).volume().voxels == [2, -5])
        for ending in [".nrrd", ".mha"] {
            let error = withError {
                _ = try VolumeWriter(path: folder.path + "/s" + ending, grid: grid, dataType: .int16, scaling: (2, 0))
            }
            #expect(error?.code == .unsupported)
        }
    }

    /// The compressed size stands in the header, as readers of MetaImage need it.
    @Test func compressedSize() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/z.mha"
        let grid = VoxelGrid(dims: SIMD3(100, 100, 100), affine: .identity)
        let writer = try VolumeWriter(path: path, grid: grid, dataType: .float32)
        var random = Congruence()
        for _ in 0..<100 {
            let plane = (0..<10000).map { _ in Float(random.next32() % 1000) }
            try plane.withUnsafeBytes { try writer.append($0) }
        }
        try writer.finish()
        let header = try MetaImageHeader(contentsOf: path)
        let size = try #require(Int(header.fields["CompressedDataSize"] ?? ""))
        let start = try header.layout().pieces[0].start
        #expect(folder.read("z.mha").count == Int(start) + size && size > 500_000)
        random = Congruence()
        let expected = (0..<1_000_000).map { _ in Float(random.next32() % 1000) }
        #expect(try VolumeFile(contentsOf: path).volume().voxels == expected)
    }

    @Test(arguments: endings)
    func nothingHalf(_ ending: String) throws {
        let folder = TemporaryFolder()
        let path = folder.write([1, 2, 3], to: "old" + ending)
        let grid = VoxelGrid(dims: SIMD3(2, 2, 2), affine: .identity)
        func begin() throws -> VolumeWriter { try VolumeWriter(path: path, grid: grid, dataType: .uint8) }
        let seven = [UInt8](repeating: 1, count: 7)
        #expect(withError { try begin().finish() }?.code == .mismatch)
        let tooMuch = withError {
            let writer = try begin()
            try seven.withUnsafeBytes { try writer.append($0) }
            #expect(folder.names.count == 2)
            try seven.withUnsafeBytes { try writer.append($0) }
        }
        #expect(tooMuch?.code == .mismatch)
        _ = try begin()
        let writer = try begin()
        writer.cancel()
        #expect(withError { try writer.finish() }?.code == .mismatch)
        #expect(folder.names == ["old" + ending])
        #expect(folder.read("old" + ending) == [1, 2, 3])
    }

    @Test func refusals() throws {
        let folder = TemporaryFolder()
        let grid = VoxelGrid(dims: SIMD3(2, 2, 2), affine: .identity)
        let flat = VoxelGrid(dims: SIMD3(2, 2, 2), affine: Affine(spacing: SIMD3(1, 1, 0)))
        let long = VoxelGrid(dims: SIMD3(1 << 40, 1, 1), affine: .identity)
        let rows: [(ImagingError.Code, () throws -> VolumeWriter)] = [
            (.unsupported, { try VolumeWriter(path: folder.path + "/a.png", grid: grid, dataType: .uint8) }),
            (.unsupported, { try VolumeWriter(path: folder.path + "/a.nhdr", grid: grid, dataType: .uint8) }),
            (
                .unsupported,
                { try VolumeWriter(path: folder.path + "/a.nii", grid: grid, components: 5, dataType: .uint8) }
            ),
            (
                .unsupported,
                { try VolumeWriter(path: folder.path + "/a.nii", grid: grid, frames: 40000, dataType: .uint8) }
            ),
            (.unsupported, { try VolumeWriter(path: folder.path + "/a.nii", grid: long, dataType: .uint8) }),
            (.unsupported, { try VolumeWriter(path: folder.path + "/a.mha", grid: grid, dataType: .float128) }),
            (.unsupported, { try VolumeWriter(path: folder.path + "/a.nrrd", grid: grid, dataType: .complex256) }),
            (.mismatch, { try VolumeWriter(path: folder.path + "/a.nii", grid: grid, frames: 0, dataType: .uint8) }),
            (
                .tooLarge,
                { try VolumeWriter(path: folder.path + "/a.mha", grid: long, frames: 1 << 40, dataType: .uint8) }
            ),
            (.badGeometry, { try VolumeWriter(path: folder.path + "/a.mha", grid: flat, dataType: .uint8) }),
            (.cannotWrite, { try VolumeWriter(path: folder.path + "/none/a.mha", grid: grid, dataType: .uint8) }),
        ]
        for (code, begin) in rows {
            let error = withError { _ = try begin() }
            #expect(error?.code == code, "\(String(describing: error))")
            #expect(error?.path.hasPrefix(folder.path) == true)
        }
        #expect(folder.names.isEmpty)
    }

    /// From any format to any, turned there and back: the same voxels in the same place.
    @Test(arguments: Sample.all.filter { $0.components == 1 })
    func conversion(_ sample: Sample) throws {
        let folder = TemporaryFolder()
        let file = try VolumeFile(contentsOf: sample.write(to: folder))
        for ending in VolumeWriterTests.endings {
            for code in ["LPS", "SAL", "PIR", "RAS"] {
                let orientation = try #require(Orientation(code))
                let turned = folder.path + "/turned" + ending
                // Slabs of one, two or three slices.
                try file.convert(to: turned, frame: file.frames - 1, orientation: orientation, slab: 16)
                let other = try VolumeFile(contentsOf: turned)
                let expected = try file.volume(frame: file.frames - 1).reoriented(to: orientation)
                #expect(other.frames == 1 && other.grid.orientation == orientation)
                #expect(isClose(other.grid.affine.flat, expected.affine.flat, 1e-5))
                #expect(try other.volume().voxels == expected.voxels, "\(ending) \(code)")
            }
            let whole = folder.path + "/whole" + ending
            try file.convert(to: whole)
            #expect(try VolumeFile(contentsOf: whole).frames == file.frames)
        }
    }
}
