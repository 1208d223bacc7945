import Testing

@testable import SardonyxImaging

struct PictureTests {
    /// Grids over the same cube of about 120 mm: the standard ones, anisotropic, permuted, tilted by 15°.
    static let affines: [(name: String, affine: Affine, dims: SIMD3<Int>)] = {
        var rows: [(String, Affine, SIMD3<Int>)] = []
        for code in ["RAS", "LAS", "LPS", "PIR", "SRA", "ILP"] {
            let box = VoxelGrid(
                dims: SIMD3(60, 40, 24), affine: Affine(spacing: SIMD3(2, 3, 5), origin: SIMD3(-59, -58.5, -57.5)))
            let grid = box.reoriented(to: Orientation(code)!)
            rows.append((code, grid.affine, grid.dims))
        }
        let (c, s) = (0.9659258, 0.2588190)
        let tilt = Affine(SIMD4(c, -s, 0, 0), SIMD4(s, c, 0, 0), SIMD4(0, 0, 1, 0))
        for row in [rows[0], rows[4]] {
            rows.append((row.0 + " tilted", tilt.composed(after: row.1), row.2))
        }
        return rows
    }()

    /// A head of 120 mm with balls at places in the patient's millimetres, drawn through the affine alone.
    static func phantom(_ affine: Affine, _ dims: SIMD3<Int>, _ balls: [(SIMD3<Double>, Float)]) -> Volume<Float> {
        var volume = Volume<Float>(grid: VoxelGrid(dims: dims, affine: affine), repeating: 10)
        for k in 0..<dims.z {
            for j in 0..<dims.y {
                for i in 0..<dims.x {
                    let place = affine(SIMD3(Double(i), Double(j), Double(k)))
                    for (centre, value) in balls where Affine.length(place - centre) < 8 { volume[i, j, k] = value }
                }
            }
        }
        return volume
    }

    /// Balls at the patient's right, anterior and superior: each must shine on the side where a radiologist looks for
    /// it, and the opposite side must stay dark.
    @Test(arguments: affines.indices)
    func sidesAreRight(_ row: Int) throws {
        let (name, affine, dims) = PictureTests.affines[row]
        let right = SIMD3(32.0, 0, 0)
        let front = SIMD3(0, 32.0, 0)
        let top = SIMD3(0, 0, 32.0)
        let volume = PictureTests.phantom(affine, dims, [(right, 200), (front, 200), (top, 200)])
        let centre = PictureTests.phantom(affine, dims, [(.zero, 99)]).mask(above: 50)
        var view = ThreePlaneView()
        view.style.width = 3 * 300 + 4 * 20
        view.style.window = .range(0, 200)
        let picture = try view.render(volume, mask: centre)
        // 120 mm along every axis: three squares of 300 pixels, 20 apart, 46 below the top.
        #expect(picture.width == 3 * 300 + 4 * 20)
        let panels = [20, 340, 660].map { (x: $0, y: 46) }
        func light(_ panel: Int, _ mm: (across: Double, down: Double)) -> Int {
            let x = panels[panel].x + Int(150 + mm.across * 2.5)
            let y = panels[panel].y + Int(150 + mm.down * 2.5)
            return Int(picture[x, y].green)
        }
        // On the tilted grid the balls lie up to 15° beside the axes of the picture.
        let turn = stride(from: -12.0, through: 12.0, by: 2.0)
        let aside = name.hasSuffix("tilted") ? Array(turn) : [0]
        for panel in 0..<3 {
            let left = aside.map { light(panel, (-31, $0)) }.max()!
            let right = aside.map { light(panel, (31, $0)) }.max()!
            let top = aside.map { light(panel, ($0, -31)) }.max()!
            let bottom = aside.map { light(panel, ($0, 31)) }.max()!
            // A tilted slice through the middle misses a ball that lies beside it.
            if aside.count == 1 || panel == 0 {
                #expect(left > 180 && top > 180, "\(name), panel \(panel): \(left), \(top)")
            }
            #expect(right < 60 && bottom < 60, "\(name), panel \(panel): \(right), \(bottom)")
        }
    }

    /// An outline's ends lie where the mask's lie, counted from the patient's left, front and top.
    @Test(arguments: ["RAS", "LAS", "LPS", "PIR", "SRA", "ILP"])
    func outlinesAreInPlace(_ code: String) throws {
        var mask = Mask(
            grid: VoxelGrid(
                dims: SIMD3(60, 40, 24), affine: Affine(spacing: SIMD3(2, 3, 5), origin: SIMD3(-59, -58.5, -57.5))))
        for k in 8..<19 { for j in 5..<17 { for i in 35..<50 { mask[i, j, k] = 1 } } }
        let ends = [(10.0, 40.0), (-45, -9), (-20, 35)]
        mask = mask.reoriented(to: try #require(Orientation(code)))
        var view = ThreePlaneView()
        view.style.width = 3 * 300 + 4 * 20
        let picture = try view.render(Volume<Float>(grid: mask.grid), mask: mask)
        for (panel, axes) in [(0, 1), (0, 2), (1, 2)].enumerated() {
            let yellow = (0..<300 * 300).filter {
                let pixel = picture[20 + 320 * panel + $0 % 300, 46 + $0 / 300]
                return pixel.red > 200 && pixel.green > 150 && pixel.blue < 60
            }
            for (places, axis) in [(yellow.map { $0 % 300 }, axes.0), (yellow.map { $0 / 300 }, axes.1)] {
                let found = try [#require(places.min()), #require(places.max()) + 1].map { 60 - Double($0) / 2.5 }
                #expect(isClose(found, [ends[axis].1, ends[axis].0], 0.8), "\(found)")
            }
        }
    }

    /// The letters stand where the sides are.
    @Test func letters() throws {
        let expected: [(SlicePlane, [Direction])] = [
            (.axial, [.right, .left, .anterior, .posterior]), (.coronal, [.right, .left, .superior, .inferior]),
            (.sagittal, [.anterior, .posterior, .superior, .inferior]),
        ]
        let (_, affine, dims) = PictureTests.affines[4]
        var view = ThreePlaneView()
        view.style.width = 3 * 300 + 4 * 20
        let picture = try view.render(PictureTests.phantom(affine, dims, []))
        for (panel, row) in expected.enumerated() {
            let (x, y) = (20 + 320 * panel, 46)
            let places = [(8, 139), (277, 139), (142, 8), (142, 271)]
            for (side, place) in zip(row.1, places) {
                for (line, bits) in BitmapFont.dots(side.rawValue).prefix(7).enumerated() {
                    for column in 0..<5 {
                        let pixel = picture[x + place.0 + 3 * column + 1, y + place.1 + 3 * line + 1]
                        #expect((pixel == .white) == (bits >> (4 - column) & 1 == 1), "\(row.0) \(side)")
                    }
                }
            }
        }
    }

    @Test func fontIsWhole() {
        for code in 33..<127 {
            let character = Character(UnicodeScalar(UInt8(code)))
            #expect(BitmapFont.dots(character) != BitmapFont.dots("\u{1}"), "\(character)")
        }
        #expect(BitmapFont.dots(" ").allSatisfy { $0 == 0 })
        #expect(BitmapFont.dots("é") == BitmapFont.dots("e") && BitmapFont.dots("u\u{308}") == BitmapFont.dots("u"))
        #expect(BitmapFont.dots("–") == BitmapFont.dots("-") && BitmapFont.dots("肝") == BitmapFont.dots("\u{1}"))
        #expect(RGBImage.textWidth("ab", scale: 2) == 22)
    }

    /// Spacing makes the shape: 30 voxels of 4 mm are as long as 120 of 1 mm.
    @Test func aspect() throws {
        let grid = VoxelGrid(dims: SIMD3(30, 60, 40), affine: Affine(spacing: SIMD3(4, 1, 1.5)))
        var view = ThreePlaneView()
        view.style.width = 240 + 240 + 120 + 4 * 20
        let picture = try view.render(Volume<Float>(grid: grid))
        // Axial 120×60 mm, coronal 120×60, sagittal 60×60 at 2 pixels a millimetre.
        #expect(picture.width == 20 + 240 + 20 + 240 + 20 + 120 + 20)
    }

    @Test func pngOnDisk() throws {
        let folder = TemporaryFolder()
        var image = RGBImage(width: 3, height: 2, colour: RGB(1, 2, 3))
        image[2, 1] = RGB(255, 0, 128)
        try image.writePNG(to: folder.path + "/a.png")
        let bytes = folder.read("a.png")
        // Signature; IHDR says 3×2, 8 bits, RGB.
        #expect(Array(bytes[0..<8]) == [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
        #expect(Array(bytes[16..<26]) == [0, 0, 0, 3, 0, 0, 0, 2, 8, 2])
        #expect(folder.names == ["a.png"])
        let error = withError { try image.writePNG(to: folder.path + "/no/a.png") }
        #expect(error?.code == .cannotWrite)
        #expect(error?.description.contains("No such file") == true)
    }

    @Test func masksMustFit() throws {
        let grid = VoxelGrid(dims: SIMD3(4, 4, 4), affine: .identity)
        let other = VoxelGrid(dims: SIMD3(4, 4, 5), affine: .identity)
        let error = withError { _ = try ThreePlaneView().render(Volume<Float>(grid: grid), mask: Mask(grid: other)) }
        #expect(error?.code == .mismatch)
        _ = try ThreePlaneView().render(Volume<Float>(grid: grid), mask: Mask(grid: grid))
    }
}
