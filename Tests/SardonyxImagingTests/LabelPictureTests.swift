import Testing

@testable import SardonyxImaging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

struct LabelPictureTests {
    /// Two cubes side by side, labels 2 and 5, on a grey of 50; axial slices are 40 by 40 mm.
    static func cubes() -> (image: Volume<Float>, labels: Volume<UInt16>) {
        let grid = VoxelGrid(dims: SIMD3(40, 40, 10), affine: Affine(spacing: SIMD3(1, 1, 1)))
        var labels = Volume<UInt16>(grid: grid)
        for k in 2..<8 { for j in 10..<30 { for i in 10..<30 { labels[i, j, k] = i >= 20 ? 2 : 5 } } }
        return (Volume<Float>(grid: grid, repeating: 50), labels)
    }

    /// Each label has its colour: lines side by side at the common border, fill between them, the grey outside.
    @Test func colours() throws {
        let (image, labels) = LabelPictureTests.cubes()
        var style = PictureStyle()
        style.window = .range(0, 200)
        style.fill = 0.25
        style.outline = 2
        style.labels = [LabelStyle(2, "liver", RGB(255, 0, 0)), LabelStyle(5, "tumour", RGB(0, 0, 255))]
        let scene = try PictureScene(PictureSource(image), PictureSource(labels: labels), style)
        let picture = try scene.panels([SliceAddress(plane: .axial, index: 4)], 10).panels[0]
        // The patient's right is on the left: label 2 from 100 to 200, label 5 from 200 to 300.
        let row = (0..<400).map { picture[$0, 200] }
        let grey = RGB(64, 64, 64)
        #expect(row[98] == grey && row[99] == grey && row[301] == grey)
        #expect(row[100] == RGB(255, 0, 0) && row[101] == RGB(255, 0, 0) && row[199] == RGB(255, 0, 0))
        #expect(row[200] == RGB(0, 0, 255) && row[201] == RGB(0, 0, 255) && row[299] == RGB(0, 0, 255))
        #expect(row[150] == RGB(112, 48, 48) && row[250] == RGB(48, 48, 112))
        style.outline = 0
        let filled = try PictureScene(PictureSource(image), PictureSource(labels: labels), style)
            .panels([SliceAddress(plane: .axial, index: 4)], 10).panels[0]
        #expect(filled[102, 200] == RGB(112, 48, 48))
        // A lone label's line runs on its border.
        let lone = Volume<UInt16>(grid: labels.grid, voxels: labels.voxels.map { $0 == 5 ? 5 : 0 })
        style.labels.removeFirst()
        style.outline = 2
        style.fill = 0
        let single = try PictureScene(PictureSource(image), PictureSource(labels: lone), style)
            .panels([SliceAddress(plane: .axial, index: 4)], 10).panels[0]
        #expect((198...201).map { single[$0, 200].blue } == [64, 255, 255, 64])
        // Slices beside the cubes have none of it.
        let beside = try scene.panels([SliceAddress(plane: .axial, index: 9)], 10).panels[0]
        #expect((0..<400).allSatisfy { beside[$0, 200] == grey })
    }

    /// The legend names what was given and what occurs; a lone label is "mask" in yellow, whatever its value.
    @Test func legend() throws {
        let (image, labels) = LabelPictureTests.cubes()
        func legend(_ given: [LabelStyle], _ labels: Volume<UInt16>) throws -> [LabelStyle] {
            var style = PictureStyle()
            style.labels = given
            return try PictureScene(PictureSource(image), PictureSource(labels: labels), style).legend
        }
        #expect(try legend([], labels) == [LabelStyle(2, "label 2"), LabelStyle(5, "label 5")])
        let cyst = LabelStyle(3, "cyst", .white)
        #expect(try legend([cyst], labels) == [LabelStyle(2, "label 2"), cyst, LabelStyle(5, "label 5")])
        let one = Volume<UInt16>(grid: labels.grid, voxels: labels.voxels.map { $0 == 2 ? 255 : 0 })
        #expect(try legend([], one) == [LabelStyle(255, "mask", RGB(255, 214, 0))])
        #expect(try legend([], Volume<UInt16>(grid: labels.grid)) == [LabelStyle(1, "mask")])
        // Patches of the legend stand below the picture.
        var view = ThreePlaneView()
        view.style.width = 800
        let picture = try view.render(PictureSource(image), labels: PictureSource(labels: labels))
        let last = picture.height - 10 - view.style.lineHeight
        #expect(picture[21, last + 1] == LabelStyle.colour(of: 2) && picture[33, last + 12] == LabelStyle.colour(of: 2))
        // Hundreds of labels do not make a book.
        var many = labels
        for k in 0..<10 { for i in 0..<40 { many[i, 35, k] = UInt16(1 + i + 40 * k) } }
        view.style.fill = 0.3
        #expect(try view.render(PictureSource(image), labels: PictureSource(labels: many)).height < 900)
    }

    @Test func lists() {
        #expect(LabelStyle.list("1=liver,65535=a = b") == [LabelStyle(1, "liver"), LabelStyle(65535, "a = b")])
        for bad in ["", "1", "1=", "0=a", "65536=a", "1=a,", "1=a,1=b", "a=1", "=a", "99999999999999999999=a"] {
            #expect(LabelStyle.list(bad) == nil, "\(bad)")
        }
    }

    /// Slices run through the centroid, or where the labels are when it lies beside them.
    @Test func focus() throws {
        let grid = VoxelGrid(dims: SIMD3(40, 20, 20), affine: Affine(spacing: SIMD3(-1, 1, 1)))
        var labels = Mask(grid: grid)
        for j in 4..<9 { for k in 5..<8 { labels[3, j, k] = 1 } }
        for i in 30..<34 { for j in 4..<9 { for k in 5..<8 { labels[i, j, k] = 2 } } }
        let survey = try LabelSurvey(of: PictureSource(labels: labels))
        #expect(survey.counts.map(\.value) == [1, 2] && survey.counts.map(\.count) == [15, 60])
        // x runs against i: the larger ones lie at 6…9, their mean with the other at 13.
        #expect(survey.focus(0) == 6 && survey.focus(1) == 6 && survey.focus(2) == 6)
        #expect(survey.extent(0) == 6..<37 && survey.extent(1) == 4..<9 && survey.extent(2) == 5..<8)
        let none = try LabelSurvey(of: PictureSource(labels: Mask(grid: grid)))
        #expect(none.focus(0) == nil && none.extent(1) == nil && none.counts.isEmpty)
    }

    @Test func whatIsNoLabel() throws {
        let grid = VoxelGrid(dims: SIMD3(7, 1, 1), affine: .identity)
        let odd = Volume<Float>(grid: grid, voxels: [.nan, -3, 0.4, 0.5, 1.4, 65535, -.infinity])
        let survey = try LabelSurvey(of: PictureSource(odd))
        #expect(survey.counts.map(\.value) == [1, 65535] && survey.counts.map(\.count) == [2, 1])
        for value in [Float(65536), .infinity] {
            let bad = PictureSource(Volume<Float>(grid: grid, repeating: value))
            #expect(withError { _ = try LabelSurvey(of: bad) }?.code == .mismatch)
        }
        let image = PictureSource(Volume<Float>(grid: grid))
        let colours = PictureSource(colours: [odd, odd, odd])
        #expect(withError { _ = try Montage().render(image, labels: colours) }?.code == .mismatch)
        let unplaced = PictureSource(labels: Mask(grid: grid), isPlaced: false)
        #expect(withError { _ = try Montage().render(image, labels: unplaced) }?.code == .mismatch)
        let moved = Mask(
            grid: VoxelGrid(dims: grid.dims, affine: Affine(spacing: SIMD3(1, 1, 1), origin: SIMD3(5, 0, 0))))
        #expect(withError { _ = try Montage().render(image, labels: PictureSource(labels: moved)) }?.code == .mismatch)
        let flat = Volume<Float>(grid: VoxelGrid(dims: grid.dims, affine: Affine(spacing: SIMD3(1, 0, 1))))
        #expect(withError { _ = try Montage().render(PictureSource(flat)) }?.code == .badGeometry)
    }

    @Test func points() throws {
        let volume = GeometryTests.random(SIMD3(10, 10, 10), Affine(spacing: SIMD3(2, 2, 2), origin: SIMD3(-9, -9, 0)))
        var view = ThreePlaneView()
        view.style.width = 300
        let middle = try view.render(volume)
        view.point = SIMD3(1, 1, 10)
        #expect(try view.render(volume) == middle)
        view.point = SIMD3(9.9, 9.9, 18.9)
        #expect(try view.render(volume) != middle)
        for point in [
            SIMD3(10.1, 0, 0), SIMD3(0, -10.1, 0), SIMD3(0, 0, -1.1), SIMD3(.nan, 0, 0), SIMD3(.infinity, 0, 0),
        ] {
            view.point = point
            let error = withError { _ = try view.render(volume) }
            #expect(error?.code == .mismatch && error?.remedy == "choose one inside: its middle is (0, 0, 9) mm")
        }
        view.point = .zero
        #expect(withError { _ = try view.render(PictureSource(volume, isPlaced: false)) }?.code == .mismatch)
    }

    /// Distances in OKLab as normal, protanope, deuteranope and tritanope eyes see them (Machado et al. 2009, severity
    /// 1): no two colours of the palette come closer than its comment says.
    @Test func palette() {
        let eyes: [[Double]] = [
            [1, 0, 0, 0, 1, 0, 0, 0, 1],
            [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
            [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881],
            [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900],
        ]
        func product(_ m: [Double], _ v: [Double]) -> [Double] {
            (0..<3).map { row in (0..<3).reduce(0) { $0 + m[3 * row + $1] * v[$1] } }
        }
        func oklab(_ colour: RGB, _ eye: [Double]) -> [Double] {
            let linear = [colour.red, colour.green, colour.blue].map { byte -> Double in
                let c = Double(byte) / 255
                return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4)
            }
            let seen = product(eye, linear).map { min(max($0, 0), 1) }
            let cones = product(
                [
                    0.4122214708, 0.5363325363, 0.0514459929, 0.2119034982, 0.6806995451, 0.1073969566, 0.0883024619,
                    0.2817188376, 0.6299787005,
                ], seen)
            return product(
                [
                    0.2104542553, 0.7936177850, -0.0040720468, 1.9779984951, -2.4285922050, 0.4505937099, 0.0259040371,
                    0.7827717662, -0.8086757660,
                ], cones.map { cbrt($0) })
        }
        func least(_ count: Int) -> Double {
            let seen = eyes.map { eye in LabelStyle.palette.prefix(count).map { oklab($0, eye) } }
            var least = Double.infinity
            for colours in seen {
                for a in 0..<count {
                    for b in 0..<a {
                        least = min(
                            least,
                            zip(colours[a], colours[b]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot())
                    }
                }
            }
            return least
        }
        #expect(LabelStyle.palette.count == 16)
        #expect(least(6) > 0.137 && least(12) > 0.073 && least(16) > 0.058)
        for colour in LabelStyle.palette { #expect((0.54...0.94).contains(oklab(colour, eyes[0])[0])) }
        #expect(LabelStyle.colour(of: 17) == LabelStyle.colour(of: 1))
        #expect(LabelStyle.colour(of: -5) == LabelStyle.colour(of: 11))
    }
}
