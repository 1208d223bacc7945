import Testing

@testable import SardonyxImaging

/// Expected values of SimpleITK 2.5, SciPy 1.17, MONAI 1.6, nnU-Net 2.8 and nibabel 5.4 on `random`'s numbers.
struct GridTests {
    struct Oblique: Sendable, CustomTestStringConvertible {
        let dims: SIMD3<Int>
        let affine: Affine
        let target: SIMD3<Int>
        let onto: Affine
        /// Voxels of the result inside the source.
        let inside: Int
        /// Σ value · index over the result, −1000 outside, and with the edge value held instead.
        let figures: [Interpolation: (moment: Double, held: Double)]
        var testDescription: String { "\(dims) onto \(target)" }
    }

    static let tilted = Affine(
        SIMD4(0.813798, -0.704769, 0.68404, -3), SIMD4(0.543838, 1.234759, -0.326352, 4),
        SIMD4(-0.204874, 0.478194, 1.850833, 5))

    /// SimpleITK's ResampleImageFilter, equal to SciPy's map_coordinates(mode="nearest") within the outer faces; the
    /// spline by SciPy alone, its places held to −1 … n when the edge value is.
    static let obliques: [Oblique] = [
        Oblique(
            dims: SIMD3(6, 7, 5), affine: tilted, target: SIMD3(7, 6, 5),
            onto: Affine(SIMD4(1.1, 0, 0, -4), SIMD4(0, 1, 0, 5), SIMD4(0, 0, 1.3, 5)), inside: 164,
            figures: [
                .nearest: (5288110, 11769463), .linear: (5297875.358, 11805279.422), .cubic: (5421394.39, 11960496.357),
            ]),
        Oblique(
            dims: SIMD3(6, 7, 5),
            affine: Affine(
                SIMD4(-0.749305, 0.15927, 1.928363, 3), SIMD4(0.152322, 0.986073, -0.200296, 2),
                SIMD4(0.644469, -0.047883, 2.289388, 1)), target: SIMD3(4, 5, 6),
            onto: Affine(
                SIMD4(0.572601, -0.925417, 0.191013, 4), SIMD4(1.466606, 0.377203, 0.370506, 3),
                SIMD4(-0.641246, 0.036357, 1.017958, 0)), inside: 60,
            figures: [
                .nearest: (-35399, 4475316), .linear: (-239565.012, 4341978.738), .cubic: (-198097.69, 4400393.285),
            ]),
        Oblique(
            dims: SIMD3(5, 6, 4),
            affine: Affine(SIMD4(1, 0, 0, 0), SIMD4(0, 0.965926, -0.258819, 0), SIMD4(0, 0.258819, 0.965926, 0)),
            target: SIMD3(5, 6, 4),
            onto: Affine(SIMD4(0, 1, 0, 0.3), SIMD4(-0.258819, 0, -0.965926, 3), SIMD4(0.965926, 0, -0.258819, 1.2)),
            inside: 80,
            figures: [
                .nearest: (-309019, 3708831), .linear: (-216955.392, 3832400.151), .cubic: (-214418.286, 3829699.165),
            ]),
        Oblique(
            dims: SIMD3(6, 5, 1),
            affine: Affine(SIMD4(0.906308, 0, 1.690473, 0), SIMD4(0, 1, 0, 0), SIMD4(-0.422618, 0, 3.625231, 0)),
            target: SIMD3(5, 4, 3),
            onto: Affine(SIMD4(0.965926, -0.258819, 0, 0), SIMD4(0.258819, 0.965926, 0, 0), SIMD4(0, 0, 1, -2)),
            inside: 57,
            figures: [.nearest: (803207, 938807), .linear: (812784.875, 949535.442), .cubic: (815944.401, 954898.889)]),
    ]

    @Test(arguments: obliques, Interpolation.allCases)
    func obliqueEqualsSimpleITK(_ row: Oblique, _ method: Interpolation) throws {
        let figures = try #require(row.figures[method])
        let volume = GeometryTests.random(row.dims, row.affine)
        let target = VoxelGrid(dims: row.target, affine: row.onto)
        let result = try volume.resampled(onto: target, by: method, outside: -1000)
        #expect(result.voxels.count { $0 != -1000 } == row.inside)
        expect(result.voxels, [], figures.moment)
        let held = try volume.resampled(onto: target, by: method, outside: nil)
        expect(held.voxels, [], figures.held)
    }

    /// Planes of the result from the box of the source that they need: the same bits, and not from less.
    @Test(arguments: obliques, Interpolation.allCases)
    func obliqueSlabsGiveTheSameBits(_ row: Oblique, _ method: Interpolation) throws {
        for (outside, scale) in [(Float?.some(-1000), 1.0), (nil, 1), (-1000, 0.2)] {
            // A source of many planes, so that boxes are parts of it; a smaller target nearly fills none of them.
            let volume = GeometryTests.random(SIMD3(row.dims.x, row.dims.y, 70), row.affine)
            let onto = row.onto.composed(after: Affine(spacing: SIMD3(1, 1, 8 * scale), origin: SIMD3(0, 0, 3)))
            let target = VoxelGrid(dims: row.target, affine: onto)
            let resampling = try GridResampling(
                from: volume.grid, onto: target, by: method, outside: outside)
            let whole = try volume.resampled(onto: target, by: method, outside: outside)
            for height in [1, 2, 9] {
                var parts: [Float] = []
                for start in stride(from: 0, to: target.dims.z, by: height) {
                    let rows = start..<min(start + height, target.dims.z)
                    let box = resampling.source(for: rows)
                    var part = [Float](repeating: .nan, count: target.dims.x * target.dims.y * rows.count)
                    let block = box.isEmpty ? [0] : volume.cropped(to: box).voxels
                    resampling.resample(block, holding: box, onto: rows, into: &part)
                    parts += part
                }
                #expect(parts.map(\.bitPattern) == whole.voxels.map(\.bitPattern), "\(height)")
            }
        }
    }

    @Test func boxesAreParts() throws {
        let grid = VoxelGrid(dims: SIMD3(50, 50, 50), affine: .identity)
        let near = VoxelGrid(dims: SIMD3(4, 4, 4), affine: Affine(spacing: SIMD3(1, 1, 1), origin: SIMD3(20, 0, 9.5)))
        let linear = try GridResampling(from: grid, onto: near, by: .linear, outside: 0)
        #expect(linear.source(for: 1..<2) == VoxelBox(lower: SIMD3(19, 0, 9), upper: SIMD3(26, 6, 13)))
        let cubic = try GridResampling(from: grid, onto: near, by: .cubic, outside: 0).source(for: 1..<2)
        #expect(cubic.lower.z == 0 && cubic.upper.z < 30 && cubic.upper.x == 50)
        let far = VoxelGrid(dims: SIMD3(4, 4, 4), affine: Affine(spacing: SIMD3(1, 1, 1), origin: SIMD3(0, 60, 0)))
        #expect(try GridResampling(from: grid, onto: far, by: .linear, outside: 0).source(for: 0..<4).isEmpty)
        for bad in [Double.nan, .infinity, 1e300] {
            let grid = VoxelGrid(dims: SIMD3(1, 1, 1), affine: Affine(spacing: SIMD3(bad, 1, 1)))
            let error = withError { _ = try GridResampling(from: near, onto: grid, by: .linear, outside: nil) }
            #expect(error?.code == .badGeometry)
        }
    }

    struct Spacing: Sendable, CustomTestStringConvertible {
        let dims: SIMD3<Int>
        let affine: Affine
        let spacing: SIMD3<Double>
        let method: Interpolation
        let target: SIMD3<Int>
        let onto: Affine
        let first: [Double]
        let moment: Double
        var testDescription: String { "\(dims) at \(spacing) \(method)" }
    }

    /// monai.transforms.Spacing(spacing, mode="bilinear" or 3, padding_mode="border" or "nearest"). Its rule puts axes
    /// that are at right angles only to six decimals around the grid's middle, as these oblique ones.
    static let spacings: [Spacing] = [
        Spacing(
            dims: SIMD3(6, 7, 5), affine: Affine(SIMD4(1, 0, 0, 1), SIMD4(0, 1, 0, 2), SIMD4(0, 0, 2, 3)),
            spacing: SIMD3(1.5, 1.5, 1.5), method: .linear, target: SIMD3(4, 5, 6),
            onto: Affine(SIMD4(1.5, 0, 0, 1), SIMD4(0, 1.5, 0, 2), SIMD4(0, 0, 1.5, 3)),
            first: [548, 350, 741, 329, 582.5, 462.75], moment: 3642011.5),
        Spacing(
            dims: SIMD3(6, 7, 5), affine: Affine(SIMD4(-0.9, 0, 0, 10), SIMD4(0, -1.1, 0, 20), SIMD4(0, 0, 2.5, -3)),
            spacing: SIMD3(2, 0.7, 1), method: .linear, target: SIMD3(3, 10, 11),
            onto: Affine(SIMD4(-2, 0, 0, 10), SIMD4(0, -0.7, 0, 20), SIMD4(0, 0, 1, -3)),
            first: [548, 470.333, 300, 364.727, 328.848, 366.889], moment: 27997472.27),
        Spacing(
            dims: SIMD3(6, 7, 5), affine: tilted, spacing: SIMD3(1.2, 1.2, 1.2), method: .linear,
            target: SIMD3(5, 8, 8),
            onto: Affine(
                SIMD4(0.976557, -0.563815, 0.410424, -3.143027), SIMD4(0.652605, 0.987808, -0.195812, 4.337793),
                SIMD4(-0.245849, 0.382555, 1.1105, 5.328541)),
            first: [476.65, 426.062, 473.854, 336.472, 510.58, 312.71], moment: 26235745.517),
        Spacing(
            dims: SIMD3(6, 7, 5), affine: tilted, spacing: SIMD3(1.2, 1.2, 1.2), method: .cubic, target: SIMD3(5, 8, 8),
            onto: Affine(
                SIMD4(0.976557, -0.563815, 0.410424, -3.143027), SIMD4(0.652605, 0.987808, -0.195812, 4.337793),
                SIMD4(-0.245849, 0.382555, 1.1105, 5.328541)),
            first: [447.504, 398.122, 532.415, 268.275, 473.783, 285.205], moment: 26265512.359),
        Spacing(
            dims: SIMD3(6, 7, 5), affine: Affine(SIMD4(1.0005, 0, 0, 0), SIMD4(0, 1, 0, 0), SIMD4(0, 0, 2, 0)),
            spacing: SIMD3(1, -1, 3), method: .linear, target: SIMD3(6, 7, 4),
            onto: Affine(SIMD4(1.0005, 0, 0, 0), SIMD4(0, 1, 0, 0), SIMD4(0, 0, 3, 0)),
            first: [548, 307, 393, 741, 68, 590], moment: 7112204.5),
        Spacing(
            dims: SIMD3(1, 7, 2), affine: Affine(SIMD4(1, 0, 0, 0), SIMD4(0, 1, 0, 0), SIMD4(0, 0, 2, 0)),
            spacing: SIMD3(0.4, 0.4, 0.4), method: .linear, target: SIMD3(1, 16, 6),
            onto: Affine(SIMD4(0.4, 0, 0, 0), SIMD4(0, 0.4, 0, 0), SIMD4(0, 0, 0.4, 0)),
            first: [548, 451.6, 355.2, 324.2, 358.6, 393], moment: 2363496.601),
        Spacing(
            dims: SIMD3(6, 7, 5), affine: Affine(SIMD4(1, 0.2, 0, 0), SIMD4(0, 1, 0.1, 0), SIMD4(0, 0, 2, 0)),
            spacing: SIMD3(0.8, 1.2, 1.5), method: .linear, target: SIMD3(9, 6, 6),
            onto: Affine(SIMD4(0.8, 0, 0, 0), SIMD4(0, 1.2, 0, 0), SIMD4(0, 0, 1.5, 0)),
            first: [548, 355.2, 358.6, 532.2, 606.4, 68], moment: 26366743.809),
        Spacing(
            dims: SIMD3(6, 7, 5), affine: Affine(SIMD4(0, 0, 2, -3), SIMD4(1, 0, 0, 4), SIMD4(0, 1.5, 0, 5)),
            spacing: SIMD3(1.2, 1, 1.3), method: .linear, target: SIMD3(5, 10, 7),
            onto: Affine(SIMD4(0, 0, 1.3, -3), SIMD4(1.2, 0, 0, 4), SIMD4(0, 1, 0, 5)),
            first: [548, 324.2, 532.2, 337.2, 485.6, 356], moment: 31434192.824),
    ]

    @Test(arguments: spacings)
    func spacingEqualsMONAI(_ row: Spacing) throws {
        let volume = GeometryTests.random(row.dims, row.affine)
        let grid = try volume.grid.respaced(to: row.spacing, by: .centres)
        #expect(grid.dims == row.target)
        #expect(isClose(grid.affine.flat, row.onto.flat, 2e-6))
        let general = try volume.resampled(onto: grid, by: row.method, outside: nil)
        expect(general.voxels, row.first, row.moment)
        let sheared = row.affine.x.y == 0.2
        let plan = ResamplingPlan(from: volume.grid, onto: grid, by: row.method)
        #expect((plan == nil) == sheared)
        guard let plan else { return }
        let result = volume.resampled(by: plan)
        expect(result.voxels, row.first, row.moment)
        #expect(result.grid.isAligned(with: grid))
    }

    @Test func impossibleSpacings() throws {
        let grid = VoxelGrid(dims: SIMD3(100, 100, 100), affine: .identity)
        for rule in SpacingRule.allCases {
            for bad in [1e-300, 1e-9] {
                let error = withError { _ = try grid.respaced(to: SIMD3(repeating: bad), by: rule) }
                #expect(error?.code == .tooLarge, "\(bad)")
            }
            let flat = VoxelGrid(dims: SIMD3(2, 2, 2), affine: Affine(spacing: SIMD3(1, 0, 1)))
            #expect(withError { _ = try flat.respaced(to: SIMD3(1, 1, 1), by: rule) }?.code == .badGeometry)
            // Not positive, and not a number: the axis keeps its own.
            #expect(try grid.respaced(to: SIMD3(0, -1, .nan), by: rule) == grid)
            #expect(try grid.respaced(to: SIMD3(1e9, 1, .infinity), by: rule).dims == SIMD3(1, 100, 100))
        }
    }

    /// Orientation, Σ value · index and the place of voxel 0 after nibabel's as_reoriented of an oblique volume.
    static let reoriented: [(code: String, moment: Int, origin: [Double])] = [
        ("LPI", 135926, [-8.7, 22.9, 35.5]), ("LPS", 170462, [-8.7, 22, 29.5]),
        ("LAI", 135654, [-9.1, 20.7, 36.1]), ("LAS", 170190, [-9.1, 19.8, 30.1]),
        ("RPI", 138930, [-9.6, 23.1, 35.4]), ("RPS", 173466, [-9.6, 22.2, 29.4]),
        ("RAI", 138658, [-10, 20.9, 36]), ("RAS", 173194, [-10, 20, 30]),
        ("LIP", 147846, [-8.7, 22.9, 35.5]), ("LIA", 146758, [-9.1, 20.7, 36.1]),
        ("LSP", 159358, [-8.7, 22, 29.5]), ("LSA", 158270, [-9.1, 19.8, 30.1]),
        ("RIP", 150850, [-9.6, 23.1, 35.4]), ("RIA", 149762, [-10, 20.9, 36]),
        ("RSP", 162362, [-9.6, 22.2, 29.4]), ("RSA", 161274, [-10, 20, 30]),
        ("PLI", 132854, [-8.7, 22.9, 35.5]), ("PLS", 167390, [-8.7, 22, 29.5]),
        ("PRI", 141866, [-9.6, 23.1, 35.4]), ("PRS", 176402, [-9.6, 22.2, 29.4]),
        ("ALI", 132718, [-9.1, 20.7, 36.1]), ("ALS", 167254, [-9.1, 19.8, 30.1]),
        ("ARI", 141730, [-10, 20.9, 36]), ("ARS", 176266, [-10, 20, 30]),
        ("PIL", 127970, [-8.7, 22.9, 35.5]), ("PIR", 164018, [-9.6, 23.1, 35.4]),
        ("PSL", 145238, [-8.7, 22, 29.5]), ("PSR", 181286, [-9.6, 22.2, 29.4]),
        ("AIL", 127834, [-9.1, 20.7, 36.1]), ("AIR", 163882, [-10, 20.9, 36]),
        ("ASL", 145102, [-9.1, 19.8, 30.1]), ("ASR", 181150, [-10, 20, 30]),
        ("ILP", 146218, [-8.7, 22.9, 35.5]), ("ILA", 145130, [-9.1, 20.7, 36.1]),
        ("IRP", 158234, [-9.6, 23.1, 35.4]), ("IRA", 157146, [-10, 20.9, 36]),
        ("SLP", 151974, [-8.7, 22, 29.5]), ("SLA", 150886, [-9.1, 19.8, 30.1]),
        ("SRP", 163990, [-9.6, 22.2, 29.4]), ("SRA", 162902, [-10, 20, 30]),
        ("IPL", 133930, [-8.7, 22.9, 35.5]), ("IPR", 169978, [-9.6, 23.1, 35.4]),
        ("IAL", 133386, [-9.1, 20.7, 36.1]), ("IAR", 169434, [-10, 20.9, 36]),
        ("SPL", 139686, [-8.7, 22, 29.5]), ("SPR", 175734, [-9.6, 22.2, 29.4]),
        ("SAL", 139142, [-9.1, 19.8, 30.1]), ("SAR", 175190, [-10, 20, 30]),
    ]

    @Test func reorientingEqualsNibabel() throws {
        #expect(Set(GridTests.reoriented.map(\.code)).count == 48)
        let tilt = Affine(SIMD4(0.9, 0.2, 0, -10), SIMD4(-0.2, 1.1, 0.3, 20), SIMD4(0.1, -0.3, 2, 30))
        let volume = GeometryTests.random(SIMD3(2, 3, 4), tilt)
        // From every orientation into every other: where a volume comes from makes no difference.
        for start in [Orientation.ras, try #require(Orientation("PSL")), try #require(Orientation("IRA"))] {
            let turned = volume.reoriented(to: start)
            for row in GridTests.reoriented {
                let result = turned.reoriented(to: try #require(Orientation(row.code)))
                #expect(result.grid.orientation.description == row.code)
                let moment = result.voxels.enumerated().reduce(0) { $0 + $1.offset * Int($1.element) }
                #expect(moment == row.moment, "\(row.code)")
                let origin = result.affine.column(3)
                #expect(isClose([origin.x, origin.y, origin.z], row.origin, 1e-9), "\(row.code)")
            }
        }
    }

    @Test func valuesAreSetInPlace() {
        var volume = Volume<Float>(grid: VoxelGrid(dims: SIMD3(9, 9, 9), affine: .identity))
        let place = volume.voxels.withUnsafeBufferPointer { $0.baseAddress }
        volume.voxels[100] = 1
        volume[0, 1, 0] = 2
        #expect(volume.voxels.withUnsafeBufferPointer { $0.baseAddress } == place)
        #expect(volume.voxels[100] == 1 && volume.voxels[9] == 2)
    }

    @Test func croppingAndPadding() {
        let tilt = Affine(SIMD4(0.9, 0.2, 0, -10), SIMD4(-0.2, 1.1, 0.3, 20), SIMD4(0.1, -0.3, 2, 30))
        let volume = GeometryTests.random(SIMD3(4, 5, 6), tilt)
        let boxes = [
            VoxelBox(lower: SIMD3(1, 2, 3), upper: SIMD3(3, 5, 4)),
            VoxelBox(lower: SIMD3(-2, 0, 4), upper: SIMD3(9, 1, 8)),
            VoxelBox(dims: SIMD3(4, 5, 6)), VoxelBox(lower: SIMD3(7, 7, 7), upper: SIMD3(8, 9, 10)),
        ]
        for box in boxes {
            let part = volume.cropped(to: box, outside: -1)
            #expect(part.dims == box.size)
            for k in 0..<part.dims.z {
                for j in 0..<part.dims.y {
                    for i in 0..<part.dims.x {
                        let at = box.lower &+ SIMD3(i, j, k)
                        let inside = all(at .>= 0) && all(at .< volume.dims)
                        #expect(part[i, j, k] == (inside ? volume[at.x, at.y, at.z] : -1))
                    }
                }
            }
            let corner = part.affine(.zero) - tilt(SIMD3<Double>(box.lower))
            #expect(Affine.length(corner) < 1e-9)
            // And back: the voxels that were kept are where they were.
            let back = part.cropped(to: VoxelBox(dims: volume.dims).relative(to: box.lower), outside: -1)
            #expect(back.grid.isAligned(with: volume.grid, tolerance: 1e-9))
            #expect(zip(back.voxels, volume.voxels).allSatisfy { $0 == $1 || $0 == -1 })
            #expect(back.voxels.count { $0 != -1 } == box.intersection(VoxelBox(dims: volume.dims)).count)
        }
        let padded = volume.padded(by: SIMD3(1, 0, 2), SIMD3(0, 3, 0), outside: 7)
        #expect(padded.dims == SIMD3(5, 8, 8) && padded[0, 0, 0] == 7 && padded[1, 0, 2] == volume[0, 0, 0])
        #expect(padded.grid == volume.grid.padded(by: SIMD3(1, 0, 2), SIMD3(0, 3, 0)))
    }

    /// MONAI's CropForeground(margin=0 and 2) and nnU-Net's crop_to_nonzero on the same two channels.
    @Test func foreground() {
        let grid = VoxelGrid(dims: SIMD3(8, 7, 6), affine: .identity)
        var channels = [Volume<Float>(grid: grid), Volume<Float>(grid: grid)]
        channels[0][2, 3, 1] = 5
        channels[1][5, 2, 4] = 1
        channels[1][0, 0, 5] = -3
        for height in [1, 2, 6] {
            var positive = ForegroundBox(.above(0))
            var nonzero = ForegroundBox(.nonzero)
            #expect(positive.box == nil)
            for channel in channels {
                for k in stride(from: 0, to: 6, by: height) {
                    let slab = channel.cropped(to: VoxelBox(lower: SIMD3(0, 0, k), upper: SIMD3(8, 7, k + height)))
                    positive.add(slab.voxels, dims: slab.dims, at: SIMD3(0, 0, k))
                    nonzero.add(slab.voxels, dims: slab.dims, at: SIMD3(0, 0, k))
                }
            }
            #expect(positive.box == VoxelBox(lower: SIMD3(2, 2, 1), upper: SIMD3(6, 4, 5)))
            #expect(positive.box?.padded(by: 2) == VoxelBox(lower: SIMD3(0, 0, -1), upper: SIMD3(8, 6, 7)))
            #expect(nonzero.box == VoxelBox(lower: SIMD3(0, 0, 1), upper: SIMD3(6, 4, 6)))
        }
        var odd = ForegroundBox(.above(0))
        odd.add(Volume<Float>(grid: grid, repeating: .nan))
        #expect(odd.box == nil)
    }
}
