import SardonyxTestSupport
import Testing

@testable import SardonyxPipelines

/// Figures: MONAI's `dense_patch_slices` and `compute_importance_map`, nnU-Net's `compute_steps_for_sliding_window` and
/// `compute_gaussian`; images shorter than a tile are padded in half on each side.
struct TilingTests {
    struct Row: Sendable {
        let count: Int
        let tile: Int
        let overlap: Double
        let monai: [Int]
        let nnunet: [Int]
    }

    static let rows: [Row] = [
        Row(count: 100, tile: 32, overlap: 0.25, monai: [0, 24, 48, 68], nnunet: [0, 23, 45, 68]),
        Row(count: 100, tile: 32, overlap: 0.5, monai: [0, 16, 32, 48, 64, 68], nnunet: [0, 14, 27, 41, 54, 68]),
        Row(count: 33, tile: 32, overlap: 0.25, monai: [0, 1], nnunet: [0, 1]),
        Row(count: 32, tile: 32, overlap: 0.25, monai: [0], nnunet: [0]),
        Row(count: 20, tile: 32, overlap: 0.25, monai: [-6], nnunet: [-6]),
        Row(count: 97, tile: 96, overlap: 0.25, monai: [0, 1], nnunet: [0, 1]),
        Row(
            count: 512, tile: 96, overlap: 0.6, monai: [0, 38, 76, 114, 152, 190, 228, 266, 304, 342, 380, 416],
            nnunet: [0, 38, 76, 113, 151, 189, 227, 265, 303, 340, 378, 416]),
        Row(
            count: 7, tile: 3, overlap: 0.9, monai: [0, 1, 2, 3, 4],
            nnunet: [0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4]),
        Row(count: 250, tile: 64, overlap: 0.125, monai: [0, 56, 112, 168, 186], nnunet: [0, 46, 93, 140, 186]),
        Row(count: 181, tile: 80, overlap: 0.25, monai: [0, 60, 101], nnunet: [0, 50, 101]),
    ]

    @Test(arguments: rows) func starts(_ row: Row) {
        #expect(TileStarts.monai(count: row.count, tile: row.tile, overlap: row.overlap) == row.monai)
        #expect(TileStarts.nnunet(count: row.count, tile: row.tile, overlap: row.overlap) == row.nnunet)
    }

    struct Map: Sendable {
        let size: [Int]
        /// Values 0, 1, n / 3, n / 2 and n − 1, and the sum of all.
        let monai: [Double]
        let nnunet: [Double]
    }

    static let maps: [Map] = [
        Map(
            size: [4], monai: [0.011109, 0.6065307, 0.6065307, 0.6065307, 0.011109, 1.2352793],
            nnunet: [0.0003354626, 0.1353353, 0.1353353, 1, 0.1353353, 1.271006]),
        Map(
            size: [32], monai: [0.001, 0.001401359, 0.3885581, 0.992218, 0.001, 10.026808],
            nnunet: [0.0003354626, 0.0008838263, 0.3246525, 1, 0.0008838263, 10.025823]),
        Map(
            size: [6, 4], monai: [0.001, 0.0023448, 0.008895389, 0.008895389, 0.001, 2.3260017],
            nnunet: [1.125352e-07, 4.539993e-05, 0.0001379128, 0.0003354626, 0.00386592, 2.3890986]),
        Map(
            size: [16, 16, 16], monai: [0.001, 0.001, 0.09596708, 0.001, 0.001, 127.9739],
            nnunet: [3.775134e-11, 2.461697e-10, 0.03421812, 1.125352e-07, 1.04674e-08, 125.96494]),
    ]

    @Test(arguments: maps) func weights(_ row: Map) {
        let maps = [
            (TileWeights.monai(size: row.size, sigma: 0.125), row.monai),
            (TileWeights.nnunet(size: row.size, sigma: 0.125), row.nnunet),
        ]
        for (map, expected) in maps {
            let n = map.count
            let found = [0, 1, n / 3, n / 2, n - 1].map { Double(map[$0]) } + [map.reduce(0) { $0 + Double($1) }]
            for (value, wanted) in zip(found, expected) { #expect(abs(value - wanted) <= 2e-6 * abs(wanted)) }
            #expect(map.allSatisfy { $0 > 0 })
        }
    }
}

/// What a run takes at least, where the image does not matter.
struct LeastShapeTests {
    struct Row: Sendable {
        var fixed: [Int?]
        var shape: [Int]?
        var change: @Sendable (inout Pipeline) -> Void = { _ in }
    }

    static let rows = [
        Row(fixed: [nil, 1, nil, nil, nil], shape: nil),
        Row(fixed: [nil, 1, 8, 9, 10], shape: [1, 1, 8, 9, 10]),
        Row(fixed: [4, 1, 8, 9, 10], shape: [4, 1, 8, 9, 10]),
        Row(fixed: [nil, 2, 8, 9, 10], shape: nil),
        Row(fixed: [nil, 1, 8, nil, 10], shape: nil),
        Row(fixed: [nil, nil, nil, nil, nil], shape: [1, 1, 6, 7, 8]) {
            $0.tiling = .init(scheme: .monai, size: [6, 7, 8], batch: 2)
        },
        Row(fixed: [nil, 1, nil, nil, nil], shape: [1, 1, 12, 14, 16]) { $0.input.sampling = .size([12, 14, 16]) },
        Row(fixed: [nil, 1, nil, nil, nil], shape: nil) { $0.input.sampling = .size([12, nil, 16]) },
        Row(fixed: [nil, 1, nil, nil, nil], shape: [1, 1, 12, 16, 16]) {
            $0.input.sampling = .size([12, 14, 16])
            $0.tiling.multiple = 4
        },
        Row(fixed: [nil, 1, nil, nil], shape: [1, 1, 14, 16]) { $0.input.sampling = .size([nil, 14, 16]) },
        Row(fixed: [nil, 3, nil, nil], shape: [1, 3, 14, 16]) {
            $0.tiling = .init(scheme: .monai, size: [14, 16], neighbours: 1)
        },
        Row(fixed: [nil, 1, nil], shape: nil),
    ]

    @Test(arguments: rows.indices) func leastShapes(_ index: Int) throws {
        let row = LeastShapeTests.rows[index]
        var pipeline = Pipeline.test(task: .segmentation)
        row.change(&pipeline)
        let shape = TileLayout.leastShape(pipeline, fixedShape: row.fixed)
        #expect(shape == row.shape)
        guard let shape else { return }
        // The same as of a real image, whose grid is what the sampling says.
        let spatial = Array(shape.dropFirst(2))
        let dims = SIMD3(spatial.last!, spatial[spatial.count - 2], spatial.count == 3 ? spatial[0] : 5)
        let layout = try TileLayout(pipeline, grid: dims, networkAxis: [2, 1, 0], fixedShape: row.fixed)
        #expect(layout.leastShape == shape)
    }
}
