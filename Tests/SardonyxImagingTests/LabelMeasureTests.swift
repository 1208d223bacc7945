import Testing

@testable import SardonyxImaging

/// Expected values: NumPy (`mean`, `std`, `percentile` in float64; equal to `skimage.measure.regionprops` and to
/// SimpleITK's label filters, whose Feret diameter is the longest line), `mesh_surface_area` of
/// `marching_cubes(np.pad(mask, 1), 0.5, method="lorensen")`, `scipy.spatial.distance.pdist` over all voxel pairs, chords
/// of `scipy.spatial.ConvexHull`.
struct LabelMeasureTests {
    struct Expected: Sendable {
        var label: UInt16
        var component: Int?
        var count: Int
        var centroid: SIMD3<Double>
        var lower: SIMD3<Int>
        var upper: SIMD3<Int>
        var finite: Int
        var notFinite: Int
        /// Mean, SD, least, greatest, 5, 25, 50, 75, 95 %.
        var values: [Double]
        var surface: Double
        var longest: Double
        var inSlice: Double
        var across: Double
        var slice: Int

        init(_ row: [Double]) {
            label = UInt16(row[0])
            component = row[1] == 0 ? nil : Int(row[1])
            count = Int(row[2])
            centroid = SIMD3(row[3], row[4], row[5])
            lower = SIMD3(Int(row[6]), Int(row[7]), Int(row[8]))
            upper = SIMD3(Int(row[9]), Int(row[10]), Int(row[11]))
            (finite, notFinite) = (Int(row[12]), Int(row[13]))
            values = Array(row[14..<23])
            (surface, longest, inSlice, across) = (row[23], row[24], row[25], row[26])
            slice = Int(row[27])
        }
    }

    // swift-format-ignore
    static let wholeBlobs: [[Double]] = [
        [1, 0, 2793, 24.189760114572145, 18.931972789115648, 8.370569280343716, 0, 5, 0, 36, 28, 18, 2760, 33,
         924.1412240290987, 1132.0129884689645, -1023.880859375, 2880.4765625, -819.05146484375,
         -50.39111328125, 897.10400390625, 1929.57568359375, 2686.893115234375, 2676.540459745095,
         53.14790682613945, 30.486226398162174, 12.524200765759545, 13],
        [2, 0, 1873, 17.07154297917779, 3.02776294714362, 15.88788040576615, 4, 0, 4, 34, 8, 22, 1851, 22,
         880.7096660166802, 1123.653355155555, -1023.7666015625, 2881.2431640625, -831.318359375,
         -81.79345703125, 861.6982421875, 1828.8232421875, 2705.533203125, 2218.438137646034,
         47.952267933852724, 20.649697334343667, 9.587359476659561, 17],
        [3, 0, 1342, 14.706408345752608, 15.9575260804769, 9.532786885245901, 0, 6, 3, 36, 28, 15, 1324, 18,
         923.3836511341107, 1112.1044811263669, -1017.18359375, 2879.2568359375, -835.848779296875,
         -22.302734375, 904.2744140625, 1863.268798828125, 2664.344384765625, 1888.499972233648,
         37.885881275219134, 35.76171136844544, 15.566704308988477, 10],
        [4, 0, 229, 9.0, 22.0, 10.0, 6, 17, 6, 12, 27, 14, 226, 3, 945.9903899336283, 1163.7573810088527,
         -1021.6220703125, 2859.05859375, -873.37158203125, -70.881591796875, 1039.111328125,
         1879.15966796875, 2697.617919921875, 470.1388216710683, 20.0, 13.0, 4.199999999999999, 10],
    ]
    // swift-format-ignore
    static let blobParts: [[Double]] = [
        [1, 1, 2082, 30.580691642651296, 20.987031700288185, 6.096541786743516, 23, 12, 0, 36, 28, 14, 2057,
         25, 927.1790646268838, 1133.4143558423245, -1023.880859375, 2880.4765625, -819.3283203125,
         -46.7705078125, 904.853515625, 1937.5322265625, 2682.3980468749996, 1851.5573486749308,
         35.62597367090477, 21.092415698539604, 9.22793186811108, 6],
        [1, 2, 711, 5.475386779184247, 12.914205344585092, 15.029535864978904, 0, 5, 12, 13, 21, 18, 703, 8,
         915.2524073724218, 1127.8555459112906, -1016.7578125, 2878.302734375, -816.07080078125,
         -64.74755859375, 881.896484375, 1882.83203125, 2704.72158203125, 824.9831110701643, 20.8, 20.8, 9.1,
         15],
        [2, 1, 1873, 17.07154297917779, 3.02776294714362, 15.88788040576615, 4, 0, 4, 34, 8, 22, 1851, 22,
         880.7096660166802, 1123.653355155555, -1023.7666015625, 2881.2431640625, -831.318359375,
         -81.79345703125, 861.6982421875, 1828.8232421875, 2705.533203125, 2218.438137646034,
         47.952267933852724, 20.649697334343667, 9.587359476659561, 17],
        [3, 1, 627, 2.0047846889952154, 21.61084529505582, 9.0, 0, 13, 3, 5, 28, 15, 618, 9,
         941.6865281780947, 1152.6516169923357, -1017.18359375, 2879.2568359375, -861.0398437499999,
         -37.5595703125, 922.873046875, 1966.583740234375, 2679.0495117187497, 1117.7656356976959, 30.0,
         19.550191814915777, 3.5090087872925753, 9],
        [3, 2, 715, 25.844755244755245, 11.0, 10.0, 14, 6, 7, 36, 16, 13, 706, 9, 907.3621525318697,
         1075.1014975152282, -1014.970703125, 2878.5390625, -754.787353515625, -9.791015625, 898.7060546875,
         1776.906494140625, 2646.102783203125, 770.7343365359523, 16.009372255026115, 15.617938404283711,
         12.618755407824358, 10],
        [4, 1, 229, 9.0, 22.0, 10.0, 6, 17, 6, 12, 27, 14, 226, 3, 945.9903899336283, 1163.7573810088527,
         -1021.6220703125, 2859.05859375, -873.37158203125, -70.881591796875, 1039.111328125,
         1879.15966796875, 2697.617919921875, 470.1388216710683, 20.0, 13.0, 4.199999999999999, 10],
    ]
    // swift-format-ignore
    static let noise: [[Double]] = [
        [1, 0, 649, 11.067796610169491, 7.86286594761171, 4.9953775038520805, 0, 0, 0, 22, 16, 10, 649, 0,
         985.0338983050848, 1087.5450161621366, -1007.0, 2875.0, -784.6, 84.0, 990.0, 1935.0, 2661.0,
         4863.568657775076, 53.33854141237835, 44.63462781294362, 7.608175195388118, 1],
        [2, 0, 865, 10.6878612716763, 7.907514450867052, 5.045086705202312, 0, 0, 0, 22, 16, 10, 865, 0,
         907.1965317919075, 1143.806646515157, -1021.0, 2881.0, -843.0, -94.0, 882.0, 1921.0, 2690.2,
         6631.8583971763765, 53.48831648126533, 44.553338819890925, 8.100607058161987, 6],
        [3, 0, 993, 11.031218529707957, 8.290030211480362, 4.858006042296073, 0, 0, 0, 22, 16, 10, 993, 0,
         895.3816717019134, 1149.2214792655338, -1020.0, 2879.0, -848.6, -93.0, 875.0, 1899.0, 2690.8,
         7948.359299617139, 53.649324320069496, 44.721359549995796, 8.131156281817418, 9],
    ]

    static func near(_ a: Double?, _ b: Double, _ tolerance: Double = 1e-9) -> Bool {
        abs((a ?? .nan) - b) <= tolerance * max(1, abs(b))
    }

    static func compare(_ found: RegionMeasures, _ expected: Expected, _ affine: Affine) {
        #expect(found.label == expected.label && found.component == expected.component)
        #expect(found.voxelCount == expected.count)
        #expect(near(found.millilitres, Double(expected.count) * abs(affine.determinant) / 1000))
        for axis in 0..<3 {
            #expect(near(found.centroid?[axis], expected.centroid[axis]))
            #expect(near(found.centroidMillimetres?[axis], affine(expected.centroid)[axis]))
        }
        #expect(found.boundingBox == .init(lower: expected.lower, upper: expected.upper))
        #expect(found.intensity?.count == expected.finite && found.intensity?.notFinite == expected.notFinite)
        let value = found.intensity
        let values =
            [value?.mean, value?.standardDeviation, value?.minimum, value?.maximum]
            + (value?.percentiles.map { Optional($0) } ?? [])
        #expect(values.count == expected.values.count)
        for (a, b) in zip(values, expected.values) { #expect(near(a, b)) }
        #expect(near(found.surfaceSquareMillimetres, expected.surface, 1e-7))
        #expect(near(found.diameterMillimetres, expected.longest))
        #expect(near(found.inPlane?.longestMillimetres, expected.inSlice))
        #expect(near(found.inPlane?.perpendicularMillimetres, expected.across))
        #expect(found.inPlane?.slice == expected.slice)
    }

    /// The grid's steps, turned in space and mirrored: every figure but places stays.
    static func turned(_ spacing: SIMD3<Double>) -> Affine {
        let (a, b) = (0.6, 0.8)
        return Affine(
            columns: SIMD3(-a, b, 0) * spacing.x, SIMD3(b * a, a * a, b) * spacing.y,
            SIMD3(b * b, a * b, -a) * spacing.z, origin: SIMD3(-90, 126, -72))
    }

    @Test(arguments: [false, true]) func blobs(_ components: Bool) throws {
        let labels = LabelStreamTests.blobs
        let affine = LabelMeasureTests.turned(SIMD3(0.7, 1.3, 2.5))
        let grid = VoxelGrid(dims: labels.dims, affine: affine)
        var image = LabelSamples.image(labels.dims, seed: 5)
        for v in stride(from: 0, to: grid.count, by: 97) { image.voxels[v] = .nan }
        for v in stride(from: 50, to: grid.count, by: 1009) { image.voxels[v] = .infinity }
        var options = LabelMeasures()
        options.measuresComponents = components
        options.connectivity = .full
        let expected = (LabelMeasureTests.wholeBlobs + (components ? LabelMeasureTests.blobParts : []))
            .sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }.map { Expected($0) }
        let found = try LabelMeasureTests.measure(options, MemorySliceStore(labels), grid, image)
        try #require(found.count == expected.count)
        for (a, b) in zip(found, expected) { LabelMeasureTests.compare(a, b, affine) }
    }

    static func measure(_ options: LabelMeasures, _ store: any SliceStore, _ grid: VoxelGrid, _ image: Volume<Float>)
        throws -> [RegionMeasures]
    {
        try options.measure(store, grid: grid) { box, values in
            _ = values.update(from: image.cropped(to: box).voxels)
        }
    }

    /// Scattered voxels meet all 256 cells; whole numbers have ties.
    @Test func noiseOfWholeNumbers() throws {
        let affine = Affine(spacing: SIMD3(2, 0.5, 3), origin: SIMD3(1, 2, 3))
        let grid = VoxelGrid(dims: SIMD3(23, 17, 11), affine: affine)
        let labels = Volume(grid: grid, voxels: LabelStreamTests.noise.voxels)
        let random = LabelSamples.image(grid.dims, seed: 6)
        let image = Volume(grid: grid, voxels: random.voxels.map { $0.rounded(.down) })
        let found = try LabelMeasures().measure(labels, image: image)
        try #require(found.count == 3)
        for (a, b) in zip(found, LabelMeasureTests.noise) { LabelMeasureTests.compare(a, Expected(b), affine) }
    }

    /// Sums over the 256 cells of the areas that `marching_cubes` with method "lorensen" gives, plain and weighted by
    /// 37 · cell mod 101.
    @Test func surfaceTable() {
        let rows: [(SIMD3<Double>, Double, Double)] = [
            (SIMD3(1, 1, 1), 283.6719275565192, 14291.423505982264),
            (SIMD3(0.7, 1.3, 2.5), 605.2802873364182, 30492.859122359274),
            (SIMD3(3, 0.5, 1), 533.6830884090284, 26903.66615676137),
        ]
        for (s, sum, weighted) in rows {
            let areas = MarchingCubes.areas(steps: (SIMD3(s.x, 0, 0), SIMD3(0, s.y, 0), SIMD3(0, 0, s.z)))
            #expect(LabelMeasureTests.near(areas.reduce(0, +), sum, 1e-6))
            let found = areas.enumerated().reduce(0) { $0 + Double($1.offset * 37 % 101) * $1.element }
            #expect(LabelMeasureTests.near(found, weighted, 1e-6))
        }
    }

    /// Against sorting, all pairs of voxels and all cells, on sheared grids, with parts.
    @Test func smallVolumes() throws {
        for turn in 0..<160 {
            let plain = LabelSamples.small(turn)
            let affine = Affine(columns: SIMD3(0.7, 0.1, 0), SIMD3(0.2, -1.3, 0.3), SIMD3(0.4, 0.5, 2), origin: .zero)
            let grid = VoxelGrid(dims: plain.dims, affine: affine)
            let labels = Volume(grid: grid, voxels: plain.voxels)
            var image = Volume(grid: grid, voxels: LabelSamples.image(grid.dims, seed: UInt64(turn)).voxels)
            for v in image.voxels.indices where v % 5 == turn % 5 { image.voxels[v] = .nan }
            var options = LabelMeasures()
            options.measuresComponents = true
            options.percentiles = [0, 12.5, 50, 100]
            options.counterLimit = 1 << (turn % 16)
            let found = try options.measure(labels, image: image)
            let flooded = Flooded(labels, .faces) { $0 != 0 }
            var row = 0
            for label in Set(labels.voxels).subtracting([0]).sorted() {
                let parts = flooded.parts.filter { $0.label == label }.map { $0.voxels }
                for (number, voxels) in ([parts.flatMap { $0 }] + parts).enumerated() {
                    try #require(row < found.count)
                    #expect(found[row].label == label && found[row].component == (number == 0 ? nil : number))
                    LabelMeasureTests.compare(found[row], voxels, image)
                    row += 1
                }
            }
            #expect(row == found.count)
        }
    }

    /// Numbers that are counted, that ask for more counters, and that are none to count from some place on.
    @Test func wholeNumbersUntil() throws {
        // Rows of one run, of several and of many.
        let labels = RunStoreTests.volume(SIMD3(83, 3, 2)) { $0.y == 0 ? 1 : $0.y == 1 ? $0.x / 17 % 3 : $0.x % 3 }
        let rows: [(least: Float, range: UInt64, odd: Float?)] = [
            (0, 2, nil), (-1024, 4096, nil), (-1024, 4097, nil), (-2048, 100, nil), (-16384, 65536, nil),
            (-16385, 65536, nil), (0, 49153, nil), (8_000_000, 9_000_000, nil), (-9_000_000, 20_000_000, nil),
            (0, 200, 0.5), (0, 200, .nan), (0, 200, .infinity), (-100, 200, -.infinity), (0, 200, 1e30),
            (0, 200, 12_582_912), (0, 200, 16_777_216), (-100, 200, -1e-30), (0, 200, -0.0),
        ]
        for row in rows {
            for first in [0, labels.grid.count / 3, labels.grid.count / 2 + 7] {
                var random = Congruence(state: 11)
                var image = Volume<Float>(grid: labels.grid)
                for v in image.voxels.indices {
                    image.voxels[v] = row.least + Float(UInt64(random.next32()) % row.range)
                    if let odd = row.odd, v >= first, v % 83 == 13 { image.voxels[v] = odd }
                }
                for limit in [4 << 20, 1 << 15, 3000, 16] {
                    var options = LabelMeasures()
                    options.percentiles = [0, 12.5, 50, 100]
                    options.counterLimit = limit
                    for found in try options.measure(labels, image: image) {
                        let voxels = labels.voxels.indices.filter { labels.voxels[$0] == found.label }
                        LabelMeasureTests.compare(found, voxels, image)
                    }
                }
                if row.odd == nil { break }
            }
        }
    }

    static func compare(_ found: RegionMeasures, _ voxels: [Int], _ image: Volume<Float>) {
        let grid = image.grid
        #expect(found.voxelCount == voxels.count)
        let values = voxels.map { Double(image.voxels[$0]) }.filter { $0.isFinite }.sorted()
        #expect(found.intensity?.count == values.count && found.intensity?.notFinite == voxels.count - values.count)
        if !values.isEmpty {
            let mean = values.reduce(0, +) / Double(values.count)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
            #expect(near(found.intensity?.mean, mean))
            #expect(near(found.intensity?.standardDeviation, variance.squareRoot(), 1e-7))
            let percentiles = [0, 0.125, 0.5, 1].map { share -> Double in
                let place = Double(values.count - 1) * share
                let low = values[Int(place)]
                return low + (values[min(Int(place) + 1, values.count - 1)] - low) * (place - place.rounded(.down))
            }
            for (a, b) in zip(found.intensity!.percentiles, percentiles) { #expect(near(a, b)) }
        } else {
            #expect(found.intensity?.mean.isNaN ?? false)
        }
        let places = voxels.map { Flooded.place($0, grid.dims) }
        let points = places.map { grid.affine(SIMD3<Double>($0)) }
        var (longest, inSlice) = (0.0, 0.0)
        for p in points.indices {
            for q in 0..<p {
                let apart = Affine.length(points[p] - points[q])
                longest = max(longest, apart)
                if places[p].z == places[q].z { inSlice = max(inSlice, apart) }
            }
        }
        #expect(near(found.diameterMillimetres, longest))
        #expect(near(found.inPlane?.longestMillimetres, inSlice))
        #expect((found.inPlane?.perpendicularMillimetres ?? -1) <= inSlice + 1e-9)
        let inside = Set(voxels)
        let table = MarchingCubes.areas(steps: (grid.affine.column(0), grid.affine.column(1), grid.affine.column(2)))
        var surface = 0.0
        // No cell elsewhere has a voxel of the region.
        let low = places.reduce(places[0]) { pointwiseMin($0, $1) }
        let high = places.reduce(places[0]) { pointwiseMax($0, $1) }
        for k in low.z - 1...high.z {
            for j in low.y - 1...high.y {
                for i in low.x - 1...high.x {
                    let bits = (0..<8).filter { c in
                        let p = SIMD3(i + c & 1, j + c >> 1 & 1, k + c >> 2)
                        guard all((p .>= 0) .& (p .< grid.dims)) else { return false }
                        return inside.contains(p.x + grid.dims.x * (p.y + grid.dims.y * p.z))
                    }
                    surface += table[bits.reduce(0) { $0 + 1 << $1 }]
                }
            }
        }
        #expect(near(found.surfaceSquareMillimetres, surface))
    }

    @Test func chosenLabels() throws {
        var options = LabelMeasures()
        options.labels = [4, 9, 2]
        options.measuresSurface = false
        options.measuresDiameters = false
        let found = try options.measure(LabelStreamTests.blobs)
        #expect(found.map { $0.label } == [4, 9, 2])
        #expect(found.map { $0.voxelCount } == [229, 0, 1873])
        #expect(found[1].centroid == nil && found[1].boundingBox == nil && found[1].millilitres == 0)
        #expect(found.allSatisfy { $0.intensity == nil && $0.diameterMillimetres == nil && $0.sphericity == nil })
        let elsewhere = Volume<Float>(grid: VoxelGrid(dims: SIMD3(2, 2, 2), affine: .identity))
        #expect(withError { _ = try options.measure(LabelStreamTests.blobs, image: elsewhere) }?.code == .mismatch)
        let store = MemorySliceStore(LabelStreamTests.blobs)
        #expect(withError { _ = try options.measure(store, grid: elsewhere.grid) }?.code == .mismatch)
    }

    /// A ball is nearly as round as can be: marching cubes see a few per cent more surface.
    @Test func ball() throws {
        let grid = VoxelGrid(dims: SIMD3(41, 41, 41), affine: .identity)
        let ball = Volume<UInt16>(
            grid: grid,
            voxels: (0..<grid.count).map { v in
                let d = Flooded.place(v, grid.dims) &- SIMD3(20, 20, 20)
                return (d &* d).wrappedSum() <= 256 ? 1 : 0
            })
        let found = try LabelMeasures().measure(ball)[0]
        #expect(found.diameterMillimetres == 32 && found.inPlane?.longestMillimetres == 32)
        #expect(found.inPlane == .init(slice: 20, longestMillimetres: 32, perpendicularMillimetres: 32))
        #expect((0.9...1).contains(found.sphericity ?? 0))
    }
}
