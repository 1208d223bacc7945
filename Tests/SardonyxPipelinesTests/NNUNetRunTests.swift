import SardonyxTestSupport
import Testing

@testable import SardonyxImaging
@testable import SardonyxPipelines

/// What stands around the network in nnunetv2 2.8.1, by values: `DefaultPreprocessor.run_case` on two channels, and
/// `convert_predicted_logits_to_segmentation_with_correct_shape(…, return_probabilities=True)` of channels that are the
/// inputs x0, x1 and 1 − x0². Plans are Tests/Pipelines/nnunet-mr's, changed as the rows say.
struct NNUNetRunTests {
    /// ((7 i + 5 j + 3 k + c) mod 11) · 40 + ((i j + k + 2 c) mod 7) · 25 − 60 inside zeros, with a hole at (4, 5, 2),
    /// or at (4, 5, 0) of one slice.
    static func image(_ c: Int, _ dims: SIMD3<Int>, _ spacing: SIMD3<Double>) -> Volume<Float> {
        var volume = Volume<Float>(grid: VoxelGrid(dims: dims, affine: Affine(spacing: spacing)))
        for k in min(1, dims.z - 1)..<dims.z {
            for j in 1 + c..<dims.y - 2 {
                for i in 2..<dims.x - 1 where SIMD3(i, j, k) != SIMD3(4, 5, min(2, dims.z - 1)) {
                    volume[i, j, k] =
                        Float((7 * i + 5 * j + 3 * k + c) % 11) * 40 + Float((i * j + k + 2 * c) % 7) * 25 - 60
                }
            }
        }
        return volume
    }

    struct Row: Sendable {
        let dims: SIMD3<Int>
        let spacing: SIMD3<Double>
        var change: @Sendable (inout Pipeline) -> Void = { _ in }
        /// Of the network's input, [channel, slice, row, column]: places with values, Σ |value|, the least, the largest.
        let shape: [Int]
        let input: [(place: Int, value: Float)]
        let sum: Double
        let range: ClosedRange<Float>
        /// Of the probabilities on the source's grid: places with values, and their sum; voxels of labels 1, 2, 3.
        let probabilities: [(place: Int, value: Float)]
        let total: Double
        let labels: [Int]
    }

    @Sendable static func exclude(_ pipeline: inout Pipeline) {
        pipeline.output.activation = .softmax
        pipeline.output.decision = .argmax
        pipeline.labels = [.init(value: 1, name: "a"), .init(value: 2, name: "b")]
    }

    static let rows: [Row] = [
        // Slices apart along z, figures of the foreground.
        Row(
            dims: SIMD3(9, 11, 5), spacing: SIMD3(1, 1.2, 4.5), change: exclude, shape: [1, 2, 4, 18, 10],
            input: [(206, 0.52499), (412, 0.25217), (618, -0.81824), (824, -0.32615), (1030, -1.28436)], sum: 909.082,
            range: -1.9915468...2.0102336,
            probabilities: [(0, 1), (1484, 0), (336, 0.43479), (661, 0.3904), (914, 0.24192), (1239, 0.57233)],
            total: 495, labels: [29, 133, 0]),
        Row(
            dims: SIMD3(9, 11, 6), spacing: SIMD3(1.1, 1.4, 2), change: exclude, shape: [1, 2, 4, 10, 11],
            input: [(126, -0.72566), (252, -1.54216), (378, -0.59142), (504, 0.10976), (630, -0.601)], sum: 520.093,
            range: -1.9957801...2.0256364,
            probabilities: [(0, 1), (1781, 0), (407, 0.73896), (803, 0.08151), (1100, 0.20727), (1496, 0.49938)],
            total: 594, labels: [31, 172, 0]),
        // use_mask_for_norm false, transpose_forward [0, 1, 2]: slices apart along the fastest axis.
        Row(
            dims: SIMD3(6, 11, 9), spacing: SIMD3(6, 1.3, 1.2),
            change: {
                exclude(&$0)
                $0.input.axes = .stored([2, 1, 0])
                $0.input.sampling = .spacing([1.5, 1, 1.1])
                for n in 0..<2 { $0.input.channels[n].intensity = [.zScore(region: .everything, onlyInside: false)] }
            }, shape: [1, 2, 6, 10, 16],
            input: [(275, -0.51696), (550, -1.08622), (825, -1.04526), (1100, -0.83716), (1375, -0.49648)],
            sum: 1280.270, range: -1.9774132...1.8127228,
            probabilities: [(0, 1), (1781, 0), (375, 0.42139), (760, 0.38829), (1082, 0.40757), (1467, 0.27151)],
            total: 594, labels: [29, 128, 0]),
        // Regions; the image's coarse axis is apart on the way there, the network's on the way back.
        Row(
            dims: SIMD3(9, 11, 14), spacing: SIMD3(6, 1.3, 1.2),
            change: {
                $0.input.axes = .stored([2, 1, 0])
                $0.input.sampling = .spacing([6, 1, 1.1])
            }, shape: [1, 2, 3, 10, 33],
            input: [(283, -0.4717), (566, -0.67854), (849, -1.03521), (1132, 0.38801), (1415, 0.73741)],
            sum: 1340.877, range: -1.9980493...1.9017519,
            probabilities: [(0, 0), (4157, 0), (859, 0.43202), (1734, 0.34088), (2513, 0.2661), (3388, 0.69536)],
            total: 969.407, labels: [43, 27, 478]),
        // One slice, whose hole is none.
        Row(
            dims: SIMD3(9, 11, 1), spacing: SIMD3(1.3, 1.2, 1.6), change: exclude, shape: [1, 2, 5, 2, 10],
            input: [(29, -0.01729), (58, 0.3442), (87, -0.66663), (116, -0.68891), (145, 0.80553)], sum: 132.536,
            range: -1.543573...1.523016,
            probabilities: [(0, 1), (296, 0), (51, 0.18329), (121, 0.35113), (164, 0.24869), (231, 0.46421)],
            total: 99, labels: [6, 34, 0]),
    ]

    @Test(arguments: rows.indices) func values(_ index: Int) throws {
        let row = NNUNetRunTests.rows[index]
        let folder = TemporaryFolder()
        var pipeline = try NNUNetPlansTests.read(NNUNetPlansTests.regions.0, NNUNetPlansTests.regions.1)
        row.change(&pipeline)
        pipeline.tiling = Pipeline.Tiling(scheme: .whole)
        pipeline.results.append(.init(.probabilities, "p.nii"))
        var input: (values: [Float], shape: [Int]) = ([], [])
        let network = ShapedNetwork {
            [$0[0], 3] + $0.dropFirst(2)
        } values: { values, shape in
            input = (values, shape)
            return values + values.prefix(values.count / 2).map { 1 - $0 * $0 }
        }
        let images = (0..<2).map { NNUNetRunTests.image($0, row.dims, row.spacing) }
        let run = try studyRun(images, pipeline, network, fixedShape: [nil, 2, nil, nil, nil], in: folder)
        let result = try run { _ in }

        #expect(input.shape == row.shape)
        for (place, value) in row.input { #expect(abs(input.values[place] - value) < 2e-5) }
        #expect(abs(input.values.reduce(0.0) { $0 + Double(abs($1)) } - row.sum) < 5e-3)
        #expect(abs(input.values.min()! - row.range.lowerBound) < 2e-5)
        #expect(abs(input.values.max()! - row.range.upperBound) < 2e-5)
        let probabilities = try result.values.flatMap { try $0.all() }
        for (place, value) in row.probabilities { #expect(abs(probabilities[place] - value) < 2e-5) }
        #expect(abs(probabilities.reduce(0.0) { $0 + Double($1) } - row.total) < 2e-3)
        let labels = try #require(try result.labels?.all())
        #expect((1...3).map { label in labels.filter { $0 == label }.count } == row.labels)
    }
}
