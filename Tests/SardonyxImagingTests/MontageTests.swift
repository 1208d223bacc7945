import Testing

@testable import SardonyxImaging

struct MontageTests {
    /// A box of 12 × 16 × 20 mm whose voxel at the patient's right, front and top is bright, and its labels.
    static func marked() -> (image: Volume<Float>, labels: Volume<UInt16>) {
        let grid = VoxelGrid(dims: SIMD3(12, 8, 10), affine: Affine(spacing: SIMD3(1, 2, 2), origin: SIMD3(-5, 7, -9)))
        var image = Volume<Float>(grid: grid, repeating: 10)
        var labels = Volume<UInt16>(grid: grid)
        image[10, 6, 8] = 200
        labels[10, 6, 8] = 3
        for i in 1..<4 { for j in 1..<3 { for k in 2..<5 { labels[i, j, k] = 7 } } }
        return (image, labels)
    }

    static let style: PictureStyle = {
        var style = PictureStyle()
        style.width = 300
        style.window = .range(0, 200)
        style.fill = 0.5
        return style
    }()

    /// The same picture, to the last bit, in all 48 orders of storage, of image and of labels.
    @Test func orderOfStorage() throws {
        let (image, labels) = MontageTests.marked()
        var view = ThreePlaneView()
        view.style = MontageTests.style
        view.point = SIMD3(5, 19, 7)
        let reference = try view.render(PictureSource(image), labels: PictureSource(labels: labels))
        let montages = try SlicePlane.allCases.map { plane in
            var montage = Montage()
            montage.style = MontageTests.style
            montage.plane = plane
            montage.count = 4
            return (montage, try montage.render(PictureSource(image), labels: PictureSource(labels: labels)))
        }
        for (place, orientation) in allOrientations.enumerated() {
            let turned = PictureSource(image.reoriented(to: orientation))
            let other = allOrientations[(place * 7 + 3) % 48]
            let mask = PictureSource(labels: labels.reoriented(to: other))
            #expect(try view.render(turned, labels: mask) == reference, "\(orientation), labels \(other)")
            for (montage, expected) in montages {
                #expect(try montage.render(turned, labels: mask) == expected, "\(orientation), labels \(other)")
            }
        }
        // And the reference is right: the marker lies second from the right, the front and the top.
        let (scene, planes) = (try PictureScene(PictureSource(image), nil, MontageTests.style), SlicePlane.allCases)
        let addresses = zip(planes, [8, 6, 10]).map { SliceAddress(plane: $0, index: $1) }
        for (panel, expected) in zip(try scene.panels(addresses, 1).panels, [(1, 3), (1, 3), (3, 3)]) {
            let most = panel.pixels.max()!
            let lit = (0..<panel.height).flatMap { y in (0..<panel.width).map { ($0, y) } }
                .filter { panel[$0.0, $0.1].red > most / 2 }
            #expect(lit.contains { $0 == expected }, "\(lit)")
            #expect(lit.allSatisfy { abs($0.0 - expected.0) <= 1 && abs($0.1 - expected.1) <= 1 }, "\(lit)")
        }
    }

    static let rows: [(count: Int, range: Range<Int>, indices: [Int])] = [
        (1, 0..<181, [90]), (3, 0..<3, [0, 1, 2]), (4, 0..<8, [1, 3, 5, 7]), (5, 10..<20, [11, 13, 15, 17, 19]),
        (2, 7..<9, [7, 8]), (3, 0..<10, [1, 5, 8]),
    ]

    @Test(arguments: rows.indices)
    func places(_ row: Int) {
        let (count, range, indices) = MontageTests.rows[row]
        #expect(Montage.indices(count, range) == indices)
    }

    static let shapes: [(count: Int?, most: Int, aspect: Double, columns: Int, rows: Int)] = [
        (nil, 181, 181.0 / 217, 7, 3), (nil, 181, 1, 6, 3), (nil, 1, 1, 1, 1), (nil, 5, 1, 3, 2), (12, 181, 1, 4, 3),
        (40, 181, 217.0 / 181, 8, 5), (3, 10, 0.3, 3, 1), (2, 10, 4, 1, 2), (0, 10, 1, 1, 1), (100, 20, 1, 7, 3),
    ]

    @Test(arguments: shapes.indices)
    func shape(_ row: Int) {
        let (count, most, aspect, columns, rows) = MontageTests.shapes[row]
        let shape = Montage.shape(count, of: most, aspect: aspect)
        #expect(shape.columns == columns && shape.rows == rows, "\(shape)")
        #expect(shape.count <= most && shape.count <= columns * rows && shape.count > columns * (rows - 1))
    }

    /// Each slice's grey tells its index: they stand in order, evenly through the volume, or through the labels.
    @Test func slicesAreWhereTheyShouldBe() throws {
        let grid = VoxelGrid(dims: SIMD3(20, 20, 100), affine: Affine(spacing: SIMD3(1, 1, 1)))
        let image = Volume<Float>(grid: grid, voxels: (0..<grid.count).map { Float($0 / 400) })
        var labels = Mask(grid: grid)
        for k in 40..<60 { labels[3, 3, k] = 1 }
        var montage = Montage()
        montage.style.width = 640
        montage.style.window = .range(0, 255)
        montage.count = 10
        for (mask, expected) in [(Mask?.none, (0..<10).map { 5 + 10 * $0 }), (labels, (0..<10).map { 41 + 2 * $0 })] {
            let picture = try montage.render(PictureSource(image), labels: mask.map { PictureSource(labels: $0) })
            let shape = Montage.shape(10, of: 100, aspect: 1)
            let tile = (640 - 40 - (shape.columns - 1) * 4) / shape.columns
            let top = 20 + montage.style.lineHeight
            let left = (picture.width - shape.columns * (tile + 4) + 4) / 2
            for (place, index) in expected.enumerated() {
                let x = left + place % shape.columns * (tile + 4) + tile * 3 / 4
                let y = top + place / shape.columns * (tile + 4) + tile * 2 / 3
                #expect(picture[x, y].red == UInt8(index), "\(place)")
            }
        }
    }

    /// The plane in which the image was acquired is the default.
    @Test(arguments: [
        (SIMD3(1.0, 1.0, 1.0), SIMD3(30, 30, 30), "axial"), (SIMD3(1, 4, 1), SIMD3(30, 9, 30), "coronal"),
        (SIMD3(5, 1, 1), SIMD3(9, 30, 30), "sagittal"), (SIMD3(1, 1, 1), SIMD3(1, 30, 30), "sagittal"),
        (SIMD3(1, 1, 1.2), SIMD3(30, 30, 30), "axial"),
    ])
    func acquiredPlane(spacing: SIMD3<Double>, dims: SIMD3<Int>, plane: String) throws {
        let volume = GeometryTests.random(dims, Affine(spacing: spacing))
        var montage = Montage()
        montage.style.width = 300
        let picture = try montage.render(PictureSource(volume))
        montage.plane = SlicePlane(rawValue: plane)
        #expect(try montage.render(PictureSource(volume)) == picture)
    }

    /// However long or flat the voxels are, the picture stays within bounds.
    @Test(arguments: [SIMD3(1e-3, 1, 1e3), SIMD3(1e3, 1e-3, 1), SIMD3(1, 1e3, 1e-3)])
    func extremeVoxels(spacing: SIMD3<Double>) throws {
        let volume = GeometryTests.random(SIMD3(5, 6, 7), Affine(spacing: spacing))
        for width in [1, 100, 400] {
            var view = ThreePlaneView()
            view.style.width = width
            let planes = try view.render(volume)
            #expect(planes.width <= max(width, 100) + 60 && planes.height < 600)
            for plane in SlicePlane.allCases {
                var montage = Montage()
                montage.style.width = width
                montage.plane = plane
                let picture = try montage.render(PictureSource(volume))
                #expect(picture.width <= max(width, 100) + 60 && picture.height < 900, "\(picture.width)")
            }
        }
    }
}
