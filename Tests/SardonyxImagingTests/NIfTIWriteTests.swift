import Testing

@testable import SardonyxImaging

struct NIfTIWriteTests {
    static let oblique = Affine(
        columns: SIMD3(0.9, 0.1, 0), SIMD3(-0.1, 0.9, 0), SIMD3(0, 0, 2.5), origin: SIMD3(-90.25, 12.5, 3))

    @Test func roundTrip() throws {
        let folder = TemporaryFolder()
        let grid = VoxelGrid(dims: SIMD3(3, 2, 2), affine: NIfTIWriteTests.oblique)
        let floats = Volume<Float>(grid: grid, voxels: [0, 1.5, -2, 3, .infinity, 5, 1e-30, 7, 8, 9, 10, 11])
        let shorts = Volume<Int16>(grid: grid, voxels: (0..<12).map { Int16($0 * 2000 - 12000) })
        for name in ["a.nii", "a.nii.gz"] {
            let path = folder.path + "/" + name
            try NIfTI.write(floats, to: path, spaceCode: 4)
            var image = try NIfTI(contentsOf: path)
            #expect(try image.volume().voxels == floats.voxels)
            #expect(isClose(image.header.affine.flat, grid.affine.flat, 1e-6))
            #expect(image.header.spaceCode == 4)
            #expect(image.header.qformCode == 4)
            #expect(image.header.text == "Sardonyx")
            try NIfTI.write(shorts, to: path)
            image = try NIfTI(contentsOf: path)
            #expect(try image.volume().voxels == shorts.voxels.map { Float($0) })
        }
        #expect(folder.read("a.nii.gz").starts(with: [0x1f, 0x8b]))
        #expect(folder.read("a.nii").count == 352 + 24)
    }

    /// The q-form must say the same as the s-form in all 48 orientations and oblique; where it cannot (shear), its code
    /// is 0.
    @Test func qform() throws {
        var count = 0
        let half = 0.5.squareRoot()
        let turn = Affine(SIMD4(half, -half, 0, 1), SIMD4(half, half, 0, 2), SIMD4(0, 0, 1, 3))
        for code in allOrientations {
            for outer in [Affine.identity, turn] {
                let base = VoxelGrid(
                    dims: SIMD3(4, 5, 6), affine: outer.composed(after: Affine(spacing: SIMD3(1, 2, 3))))
                let grid = VoxelGrid(
                    dims: SIMD3(4, 5, 6),
                    affine: outer.composed(
                        after: VoxelGrid(dims: base.dims, affine: Affine(spacing: SIMD3(1, 2, 3)))
                            .reoriented(to: code).affine))
                var bytes = NIfTI.headerBytes(grid, type: .uint8, spaceCode: 1, text: "")
                #expect(bytes[252] == 1)
                (bytes[254], bytes[255]) = (0, 0)
                let header = try NIfTIHeader(parsing: bytes)
                #expect(header.affineSource == .qform)
                #expect(isClose(header.affine.flat, grid.affine.flat, 1e-5), "\(code)")
                count += 1
            }
        }
        #expect(count == 96)
        let sheared = Affine(SIMD4(1, 0.3, 0, 0), SIMD4(0, 1, 0, 0), SIMD4(0, 0, 1, 0))
        let bytes = NIfTI.headerBytes(
            VoxelGrid(dims: SIMD3(2, 2, 2), affine: sheared), type: .uint8, spaceCode: 1, text: "")
        #expect(bytes[252] == 0 && bytes[254] == 1)
    }

    @Test func failuresLeaveNothing() throws {
        let folder = TemporaryFolder()
        let volume = Mask(grid: VoxelGrid(dims: SIMD3(2, 2, 2), affine: .identity))
        let cases: [(String, ImagingError.Code)] = [
            (folder.path + "/no/such/folder/a.nii", .cannotWrite), (folder.path + "/a.png", .unsupported),
            (folder.path + "/.nii/", .unsupported),
        ]
        for (path, code) in cases {
            let error = withError { try NIfTI.write(volume, to: path) }
            #expect(error?.code == code)
            #expect(error?.path == path)
        }
        let flat = Mask(grid: VoxelGrid(dims: SIMD3(2, 2, 2), affine: Affine(spacing: SIMD3(1, 0, 1))))
        #expect(withError { try NIfTI.write(flat, to: folder.path + "/f.nii") }?.code == .badGeometry)
        let long = Mask(grid: VoxelGrid(dims: SIMD3(40000, 1, 1), affine: .identity))
        #expect(withError { try NIfTI.write(long, to: folder.path + "/l.nii") }?.code == .unsupported)
        #expect(folder.names.isEmpty)
        // A failure in the middle keeps the old file and removes the new part.
        let path = folder.write([1, 2, 3], to: "old.nii")
        #expect(throws: ImagingError.self) {
            try writeThenRename(path) { temporary in
                let writer = try ByteWriter(temporary, for: path)
                try [UInt8](repeating: 9, count: 100).withUnsafeBytes { try writer.write($0) }
                throw ImagingError(.cannotWrite, path: path, problem: "made up", remedy: "none")
            }
        }
        #expect(folder.names == ["old.nii"])
        #expect(folder.read("old.nii") == [1, 2, 3])
    }

    @Test(.enabled(if: fileExists("/dev/full")))
    func fullDisk() throws {
        for form in [nil, ByteWriter.Form.gzip] {
            let error = withError {
                let writer = try ByteWriter("/dev/full", for: "out.nii", as: form)
                try [UInt8](repeating: 1, count: 1000).withUnsafeBytes { try writer.write($0) }
                try writer.close()
            }
            #expect(error?.code == .cannotWrite)
            #expect(error?.description.hasPrefix("out.nii: cannot be written (No space left") == true)
        }
    }
}

/// All 48.
let allOrientations: [Orientation] = {
    let letters: [Character] = ["R", "L", "A", "P", "S", "I"]
    return letters.flatMap { a in
        letters.flatMap { b in letters.compactMap { c in Orientation(String([a, b, c])) } }
    }
}()
