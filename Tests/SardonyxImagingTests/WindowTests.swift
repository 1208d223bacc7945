import Testing

@testable import SardonyxImaging

struct WindowTests {
    static let texts: [(text: String, window: Window?)] = [
        ("auto", .percentiles(1, 99.5)), ("brain", .centre(40, width: 80)), ("lung", .centre(-600, width: 1500)),
        ("bone", .centre(400, width: 1800)), ("liver", .centre(60, width: 160)),
        ("soft-tissue", .centre(40, width: 400)), ("40,80", .centre(40, width: 80)),
        ("-600,1500", .centre(-600, width: 1500)), ("0.5,0.25", .centre(0.5, width: 0.25)),
        ("2%,98%", .percentiles(2, 98)), ("", nil), ("40", nil), ("40,", nil), ("40,0", nil), ("40,-1", nil),
        ("40,80,1", nil), ("nan,1", nil), ("0,inf", nil), ("1e40,1", nil), ("98%,2%", nil), ("2%,101%", nil),
        ("2%,98", nil), ("Brain", nil), ("-1%,50%", nil),
    ]

    @Test(arguments: texts.indices)
    func text(_ row: Int) { #expect(Window(WindowTests.texts[row].text) == WindowTests.texts[row].window) }

    @Test func limits() {
        var values = (0..<101).map { Float($0) }
        #expect(Window.percentiles(1, 99).limits(of: values) == (1, 99))
        #expect(Window.range(-40, 80).limits(of: values) == (-40, 80))
        #expect(Window.centre(40, width: 80).limits(of: values) == (0, 80))
        values += [.nan, .infinity, -.infinity]
        #expect(Window.percentiles(0, 100).limits(of: values) == (0, 100))
        // A few bright values among equal ones still show.
        #expect(Window.automatic.limits(of: [Float](repeating: 0, count: 999) + [7]) == (0, 7))
        #expect(Window.automatic.limits(of: [5, 5, 5]) == (5, 6))
        #expect(Window.automatic.limits(of: []) == (0, 1))
        #expect(Window.automatic.limits(of: [.nan, .infinity]) == (0, 1))
        #expect(Window.range(.nan, 3).limits(of: []) == (0, 1))
        let huge = Window.automatic.limits(of: [1e30, 1e30])
        #expect(huge.black < huge.white)
    }

    /// Black, white and the levels between are DICOM's LINEAR_EXACT: y = ((x − c) / w + ½) · 255.
    @Test func greysAreExact() throws {
        // 260 mm in 260 pixels: one value a pixel.
        let grid = VoxelGrid(dims: SIMD3(260, 20, 1), affine: .identity)
        let values = (0..<5200).map { Float($0 % 260 - 130) }
        let source = PictureSource(Volume<Float>(grid: grid, voxels: values), isPlaced: false)
        for (centre, width) in [(Float(40), Float(80)), (-20, 100), (0, 1), (10.5, 255)] {
            var view = ThreePlaneView()
            view.style.width = 300
            view.style.window = .centre(centre, width: width)
            let picture = try view.render(source)
            for i in 0..<260 {
                let exact = (Float(i - 130) - centre + width / 2) * 255 / width
                let level = UInt8(min(max(exact, 0), 255).rounded())
                let place = (picture.width - 260) / 2 + i
                #expect(picture[place, 25] == RGB(level, level, level), "\(centre), \(width), \(i)")
            }
        }
    }

    /// What cannot be shown is black or white, and its neighbours stay as they are.
    @Test func oddValues() throws {
        let grid = VoxelGrid(dims: SIMD3(260, 20, 1), affine: .identity)
        var volume = Volume<Float>(grid: grid, repeating: 50)
        for row in 0..<20 {
            volume[10, row, 0] = .nan
            volume[20, row, 0] = .infinity
            volume[30, row, 0] = -.infinity
            volume[40, row, 0] = .greatestFiniteMagnitude
        }
        var view = ThreePlaneView()
        view.style.width = 300
        view.style.window = .range(0, 100)
        let picture = try view.render(PictureSource(volume, isPlaced: false))
        let row = (0..<50).map { picture[(picture.width - 260) / 2 + $0, 25].red }
        #expect(row[10] == 0 && row[20] == 255 && row[30] == 0 && row[40] == 255)
        #expect(Set(row.enumerated().filter { $0.offset % 10 != 0 || $0.offset == 0 }.map(\.element)) == [128])
        for value in [Float.nan, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0, 7] {
            let flat = Volume<Float>(grid: grid, repeating: value)
            view.style.window = .automatic
            _ = try view.render(flat)
        }
    }
}
