import Testing

@testable import SardonyxImaging

/// Expected values: nibabel's `aff2axcodes`, SciPy's `zoom(grid_mode=True, mode="nearest")` and `affine_transform`.
struct GeometryTests {
    static let codes: [(columns: [SIMD3<Double>], code: String)] = [
        ([SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)], "RAS"),
        ([SIMD3(-1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)], "LAS"),
        ([SIMD3(-1, 0, 0), SIMD3(0, -1, 0), SIMD3(0, 0, 1)], "LPS"),
        ([SIMD3(0, 0.1, -2), SIMD3(0.9, 0.3, 0), SIMD3(0.2, -1, 0.1)], "IRP"),
        ([SIMD3(-0.2, 0.9, 0.1), SIMD3(0.1, 0.2, 1.5), SIMD3(1, 0.1, 0)], "ASR"),
        ([SIMD3(0.1, -0.1, 1), SIMD3(-0.8, 0.6, 0.1), SIMD3(0.6, 0.8, -0.1)], "SLA"),
        // The largest cosine first, though another way to pair the axes has a larger sum.
        ([SIMD3(0.71, -0.19, -0.68), SIMD3(-0.7, -0.31, -0.64), SIMD3(-0.09, 0.93, -0.36)], "RIA"),
        ([SIMD3(0.71, 0.61, 0.35), SIMD3(-0.7, 0.56, 0.44), SIMD3(0.07, -0.56, 0.82)], "RAS"),
        ([SIMD3(0.8, 0.61, 0), SIMD3(-0.6, 0.8, 0), SIMD3(0, 0, 1)], "RAS"),
    ]

    @Test(arguments: codes.indices)
    func orientationCode(_ row: Int) {
        let (columns, code) = GeometryTests.codes[row]
        let affine = Affine(columns: columns[0], columns[1], columns[2], origin: SIMD3(5, -6, 7))
        #expect(Orientation(affine).description == code)
    }

    @Test func orientationNames() {
        #expect(Orientation("RAS") == .ras)
        for bad in ["", "RA", "RASI", "RLS", "ras", "XAS", "RRA"] { #expect(Orientation(bad) == nil, "\(bad)") }
        #expect(allOrientations.count == 48)
    }

    @Test func affineAlgebra() throws {
        let a = Affine(SIMD4(1, 2, 3, 4), SIMD4(0, 1, 4, 5), SIMD4(5, 6, 0, 6))
        #expect(a.determinant == 1)
        // numpy.linalg.inv
        #expect(isClose(try #require(a.inverse).flat, [-24, 18, 5, -24, 20, -15, -4, 19, -5, 4, 1, -6], 1e-9))
        #expect(a(SIMD3(1, -1, 2)) == SIMD3(9, 12, 5))
        let b = Affine(spacing: SIMD3(2, 3, 4), origin: SIMD3(1, 1, 1))
        #expect(a.composed(after: b)(SIMD3(1, 2, 3)) == a(b(SIMD3(1, 2, 3))))
        #expect(b.spacing == SIMD3(2, 3, 4))
        #expect(Affine(spacing: SIMD3(1, 0, 1)).inverse == nil)
        #expect(Affine(spacing: SIMD3(1, .nan, 1)).inverse == nil)
        #expect(Affine(spacing: SIMD3(1e-4, 1e-4, 1e-4)).inverse != nil)
    }

    /// Each voxel keeps its value and its place in the patient in all 48 orientations, and comes back.
    @Test func reorientation() throws {
        let tilt = Affine(SIMD4(0.9, 0.2, 0, -10), SIMD4(-0.2, 1.1, 0.3, 20), SIMD4(0.1, -0.3, 2, 30))
        let grid = VoxelGrid(dims: SIMD3(2, 3, 4), affine: tilt)
        let volume = Volume<Float>(grid: grid, voxels: (0..<24).map { Float($0) })
        let inverse = try #require(tilt.inverse)
        for orientation in allOrientations {
            let turned = volume.reoriented(to: orientation)
            #expect(turned.grid.orientation == orientation)
            #expect(turned.reoriented(to: .ras).voxels == volume.voxels)
            #expect(turned.reoriented(to: .ras).grid.isAligned(with: grid, tolerance: 1e-9))
            for k in 0..<turned.dims.z {
                for j in 0..<turned.dims.y {
                    for i in 0..<turned.dims.x {
                        let source = inverse(turned.affine(SIMD3(Double(i), Double(j), Double(k))))
                        let (x, y, z) = (Int(source.x.rounded()), Int(source.y.rounded()), Int(source.z.rounded()))
                        #expect(turned[i, j, k] == volume[x, y, z])
                    }
                }
            }
        }
    }

    static func random(_ dims: SIMD3<Int>, _ affine: Affine = .identity) -> Volume<Float> {
        var random = Congruence()
        let grid = VoxelGrid(dims: dims, affine: affine)
        return Volume<Float>(grid: grid, voxels: (0..<grid.count).map { _ in Float(random.next32() % 1000) })
    }

    struct Resize: Sendable, CustomTestStringConvertible {
        let dims: SIMD3<Int>
        let method: Interpolation
        let first: [Double]
        /// Σ value · index over the result.
        let moment: Double
        var testDescription: String { "\(dims) \(method)" }
    }

    static let resizes = [
        Resize(
            dims: SIMD3(5, 3, 4), method: .nearest,
            first: [548, 548, 307, 393, 393, 260, 260, 805, 178, 178, 493, 493, 246, 604, 604, 548, 548, 307],
            moment: 1_012_038),
        Resize(
            dims: SIMD3(5, 3, 4), method: .linear,
            first: [
                580.1667, 454.9667, 267.1667, 362.3667, 425.8333, 500.5, 474.9, 436.5, 405, 384, 454.1667, 408.1667,
            ], moment: 1_096_740.592),
        Resize(dims: SIMD3(2, 2, 1), method: .nearest, first: [625, 991, 715, 821], moment: 4884),
        Resize(dims: SIMD3(2, 2, 1), method: .linear, first: [650.75, 505.0625, 564.5, 512.9375], moment: 3172.875),
        Resize(
            dims: SIMD3(7, 9, 2), method: .nearest,
            first: [548, 548, 307, 307, 307, 393, 393, 548, 548, 307, 307, 307, 393, 393, 741], moment: 4_931_135),
        Resize(
            dims: SIMD3(7, 9, 2), method: .linear,
            first: [548, 513.5714, 410.2857, 307, 343.8571, 380.7143, 393, 580.1667, 535.4524], moment: 4_945_553.405),
    ]

    @Test(arguments: resizes)
    func resizing(_ row: Resize) throws {
        let volume = GeometryTests.random(SIMD3(3, 4, 2))
        let result = volume.resized(to: row.dims, by: row.method)
        let values = result.voxels.map { Double($0) }
        #expect(isClose(Array(values.prefix(row.first.count)), row.first, 1e-3))
        let moment = values.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element }
        #expect(abs(moment - row.moment) < row.moment * 1e-6)
        // The field of view stays: the outer faces of the first and last voxels are where they were.
        let low = result.affine(SIMD3(repeating: -0.5))
        let high = result.affine(SIMD3<Double>(result.dims) - 0.5)
        #expect(isClose([low.x, low.y, low.z], [-0.5, -0.5, -0.5]))
        #expect(isClose([high.x, high.y, high.z], [2.5, 3.5, 1.5]))
        // The general route through millimetres agrees with the separable one.
        let general = try volume.resampled(onto: result.grid, by: row.method)
        #expect(isClose(general.voxels.map { Double($0) }, values, 1e-3))
    }

    static let obliqueLinear: [Double] = [
        273.722, 276.508, 242.871, 258.975, 389.479, 636.653, 690.511, 434.39, 370.416, 695.048, 599.128, 524.206,
        363.635, 288.635, 200.133, 316.089, 541.008, 673.008, 651.908, 427.141, 469.281, 666.411, 477.312, 389.045,
        581.64, 405.628, 480.279, 581.98, 717.704, 508.019, 454.084, 621.413, 656.827, 530.116, 389.901, 488.942,
    ]
    static let obliqueNearest: [Double] = [
        437, 44, 89, 272, 496, 911, 911, 414, 45, 683, 302, 302, 437, 44, 89, 272, 496, 911, 911, 414, 45, 683, 302,
        302, 999, 254, 669, 859, 796, 80, 80, 739, 908, 267, 352, 352,
    ]

    /// A volume turned by 20°, onto an upright grid.
    @Test func obliqueResampling() throws {
        let affine = Affine(
            SIMD4(1.4095389311788626, -0.3420201433256687, 0, -3), SIMD4(0.5130302149885031, 0.9396926207859084, 0, 4),
            SIMD4(0, 0, 2, 5))
        let volume = GeometryTests.random(SIMD3(6, 7, 5), affine)
        let target = VoxelGrid(
            dims: SIMD3(4, 3, 3), affine: Affine(spacing: SIMD3(1, 1, 1), origin: SIMD3(-1, 6.5, 6.3)))
        let linear = try volume.resampled(onto: target, by: .linear, outside: -1)
        #expect(isClose(linear.voxels.map { Double($0) }, GeometryTests.obliqueLinear, 2e-3))
        let nearest = try volume.resampled(onto: target, by: .nearest, outside: -1)
        #expect(nearest.voxels.map { Double($0) } == GeometryTests.obliqueNearest)
        let away = VoxelGrid(
            dims: SIMD3(1, 1, 1), affine: Affine(spacing: SIMD3(1, 1, 1), origin: SIMD3(500, 0, 0)))
        #expect(try volume.resampled(onto: away, by: .linear, outside: -1).voxels == [-1])
        let flat = Volume<Float>(grid: VoxelGrid(dims: SIMD3(1, 1, 1), affine: Affine(spacing: .zero)))
        #expect(withError { _ = try flat.resampled(onto: away, by: .linear) }?.code == .badGeometry)
    }

    @Test func alignment() {
        let grid = VoxelGrid(dims: SIMD3(100, 100, 100), affine: Affine(spacing: SIMD3(1, 1, 1)))
        let same = VoxelGrid(dims: grid.dims, affine: Affine(spacing: SIMD3(1.000001, 1, 1)))
        let moved = VoxelGrid(dims: grid.dims, affine: Affine(spacing: SIMD3(1, 1, 1), origin: SIMD3(0.01, 0, 0)))
        let other = VoxelGrid(dims: SIMD3(100, 100, 99), affine: grid.affine)
        #expect(grid.isAligned(with: same))
        #expect(!grid.isAligned(with: moved))
        #expect(!grid.isAligned(with: other))
        #expect(grid.summary == "100×100×100 voxels of 1×1×1 mm, RAS")
    }
}
