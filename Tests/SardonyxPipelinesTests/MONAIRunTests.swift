import SardonyxTestSupport
import Testing

@testable import SardonyxImaging
@testable import SardonyxPipelines

/// What stands around the network in MONAI 1.6.1, by values: a bundle's transforms before it and after it, on the
/// channels of `NNUNetRunTests.image` and a network whose channels are x, y / 2 and 1 − x² of its first channel x and
/// its last y.
struct MONAIRunTests {
    struct Row: Sendable {
        /// Transforms as in inference.json, with keys.
        let before: [String], after: [String]
        let channels: Int
        /// Rows of the image's matrix.
        let affine: [[Double]]
        /// Of the network's input, [channel, axis 0, 1, 2]: places with values, and Σ |value|.
        let shape: [Int]
        let input: [(place: Int, value: Float)]
        let sum: Double
        /// After activation and inversion, i fastest: places with values; voxels of labels 1, 2, 3 where
        /// probabilities are above 1e-6: MONAI's rounding leaves 1e-16 of them beside a crop.
        let values: [(place: Int, value: Float)]
        let labels: [Int]
    }

    static let rows: [Row] = [
        // A crop of the network's grid
        Row(
            before: [
                #"{"_target_": "Orientationd", "axcodes": "RAS"}"#,
                #"{"_target_": "Spacingd", "pixdim": [1.37, 1.63, 1.51], "mode": "bilinear"}"#,
                #"{"_target_": "ScaleIntensityRanged", "a_min": -60, "a_max": 400, "b_min": -1, "b_max": 1, "clip": true}"#,
                #"{"_target_": "CropForegroundd", "source_key": "image", "select_fn": "$lambda x: x > 0.5", "margin": 1, "allow_smaller": true}"#,
            ],
            after: [
                #"{"_target_": "Activationsd", "softmax": true}"#,
                #"{"_target_": "Invertd", "nearest_interp": false, "orig_keys": "image"}"#,
                #"{"_target_": "AsDiscreted", "argmax": true}"#,
            ],
            channels: 1, affine: [[0.0, 0.0, -2.0, 3.0], [-1.2, 0.0, 0.0, 4.0], [0.0, 1.1, 0.0, 5.0]],
            shape: [1, 9, 6, 8],
            input: [(62, 0.288077), (124, 0.16957), (186, -0.500553), (248, -0.73913), (310, -0.495732)], sum: 204.064,
            values: [(372, 0.227142), (743, 0.0506777), (1078, 0.241049), (1411, 0.144102), (1749, 0.489544)],
            labels: [0, 692, 0]),
        // A crop of the source's; nearest on the way back
        Row(
            before: [
                #"{"_target_": "CropForegroundd", "source_key": "image"}"#,
                #"{"_target_": "ScaleIntensityRangePercentilesd", "lower": 5, "upper": 90, "b_min": 0, "b_max": 2, "relative": true}"#,
                #"{"_target_": "Spacingd", "pixdim": [1.37, 1.63, 1.51], "mode": "bilinear"}"#,
            ],
            after: [
                #"{"_target_": "Invertd", "nearest_interp": true, "orig_keys": "image"}"#,
                #"{"_target_": "Activationsd", "softmax": true}"#,
                #"{"_target_": "AsDiscreted", "argmax": true}"#,
            ],
            channels: 1, affine: [[1.0, 0.0, 0.0, 0.0], [0.0, 1.2, 0.0, 0.0], [0.0, 0.0, 2.1, 0.0]],
            shape: [1, 5, 6, 8],
            input: [(35, 1.07966), (70, 0.788712), (105, 1.01714), (140, 1.33016), (175, 1.24071)], sum: 248.857,
            values: [(376, 0.662319), (671, 0.560647), (1065, 0.298825), (1357, 0.302829), (1759, 0.234182)],
            labels: [0, 17, 0]),
        // A tilted grid of float32
        Row(
            before: [
                #"{"_target_": "Orientationd", "axcodes": "RAS"}"#,
                #"{"_target_": "Spacingd", "pixdim": [1.37, 1.63, 1.51], "mode": "bilinear"}"#,
                #"{"_target_": "NormalizeIntensityd"}"#,
            ],
            after: [
                #"{"_target_": "Activationsd", "sigmoid": true}"#,
                #"{"_target_": "Invertd", "nearest_interp": false, "orig_keys": "image"}"#,
                #"{"_target_": "AsDiscreted", "threshold": 0.6}"#,
            ],
            channels: 1,
            affine: [
                [0.8598028421401978, -0.3765183091163635, 0.12329268455505371, 3.0],
                [0.2659681737422943, 1.2171813249588013, -0.3985717296600342, 4.0],
                [0.0, 0.25827014446258545, 2.0581398010253906, 5.0],
            ], shape: [1, 6, 9, 9],
            input: [(70, -0.926364), (140, 0.0444626), (210, 0.895653), (280, 0.881391), (350, 1.71905)], sum: 406.012,
            values: [(347, 0.786469), (695, 0.390354), (1040, 0.676382), (1385, 0.386231), (1730, 0.696571)],
            labels: [57, 150, 254]),
        // A spline; parts that touch by corners
        Row(
            before: [
                #"{"_target_": "Spacingd", "pixdim": [1.37, -1], "mode": 3, "padding_mode": "nearest"}"#,
                #"{"_target_": "ScaleIntensityd", "minv": -1.5, "maxv": 2}"#,
            ],
            after: [
                #"{"_target_": "Activationsd", "softmax": true}"#,
                #"{"_target_": "Invertd", "nearest_interp": false, "orig_keys": "image"}"#,
                #"{"_target_": "AsDiscreted", "argmax": true}"#,
                #"{"_target_": "KeepLargestConnectedComponentd"}"#,
            ],
            channels: 1, affine: [[1.0, 0.0, 0.0, 0.0], [0.0, 1.2, 0.0, 0.0], [0.0, 0.0, 2.1, 0.0]],
            shape: [1, 7, 11, 7],
            input: [(78, -1.12546), (156, -1.12546), (234, -1.12546), (312, -1.12546), (390, -1.12546)], sum: 518.46,
            values: [(344, 0.151699), (689, 0.195473), (1036, 0.243458), (1381, 0.343145), (1729, 0.569184)],
            labels: [19, 561, 0]),
        // Figures on the source's grid, a crop on the network's
        Row(
            before: [
                #"{"_target_": "NormalizeIntensityd", "nonzero": true, "channel_wise": true}"#,
                #"{"_target_": "Spacingd", "pixdim": [1.37, 1.63, 1.51], "mode": "bilinear"}"#,
                #"{"_target_": "CropForegroundd", "source_key": "image", "select_fn": "$lambda x: x > 0.8"}"#,
            ],
            after: [
                #"{"_target_": "Activationsd", "softmax": true}"#,
                #"{"_target_": "Invertd", "nearest_interp": false, "orig_keys": "image"}"#,
                #"{"_target_": "AsDiscreted", "argmax": true}"#,
            ],
            channels: 2, affine: [[1.0, 0.0, 0.0, 0.0], [0.0, 1.2, 0.0, 0.0], [0.0, 0.0, 2.1, 0.0]],
            shape: [2, 4, 4, 8],
            input: [(37, 0.352388), (74, -0.167958), (111, 0.505436), (148, -0.0125217), (185, 0.0772042)],
            sum: 87.7645,
            values: [(426, 0.0550586), (822, 0.0489198), (1119, 0.0501305), (1516, 0.0943502), (1811, 0.0468009)],
            labels: [0, 277, 0]),
    ]

    @Test(arguments: rows.indices) func values(_ index: Int) throws {
        let row = MONAIRunTests.rows[index]
        let folder = TemporaryFolder()
        func transforms(_ list: [String], _ key: String) -> String {
            list.map { "{\"keys\": \"\(key)\", " + $0.dropFirst() }.joined(separator: ", ")
        }
        var pipeline = try MONAIBundleTests.read(
            """
            {"network_def": {"_target_": "UNet", "spatial_dims": 3, "in_channels": \(row.channels), "out_channels": 3},
             "preprocessing": {"_target_": "Compose", "transforms": [\(transforms(row.before, "image"))]},
             "inferer": {"_target_": "SimpleInferer"},
             "postprocessing": {"_target_": "Compose", "transforms": [\(transforms(row.after, "pred"))]}}
            """, nil)
        pipeline.results.append(.init(.probabilities, "p.nii"))
        var input: (values: [Float], shape: [Int]) = ([], [])
        let network = ShapedNetwork {
            [$0[0], 3] + $0.dropFirst(2)
        } values: { values, shape in
            input = (values, shape)
            let x = values.prefix(values.count / shape[1])
            return x + values.suffix(x.count).map { $0 / 2 } + x.map { 1 - $0 * $0 }
        }
        func column(_ n: Int) -> SIMD3<Double> { SIMD3(row.affine[0][n], row.affine[1][n], row.affine[2][n]) }
        let affine = Affine(columns: column(0), column(1), column(2), origin: column(3))
        let paths = (0..<row.channels).map { folder.path + "/\($0).nii" }
        for (c, path) in paths.enumerated() {
            let plain = NNUNetRunTests.image(c, SIMD3(9, 11, 7), SIMD3(1, 1, 1))
            try NIfTI.write(
                Volume<Float>(grid: VoxelGrid(dims: plain.dims, affine: affine), voxels: plain.voxels), to: path)
        }
        let images = try StudyImages(paths.map { try VolumeFile(contentsOf: $0) }, pipeline.input, frame: 0)
        let run = try StudyRun(
            pipeline, images, network: network, fixedShape: [nil, row.channels, nil, nil, nil],
            resources(folder.path))
        let result = try run { _ in }
        for step in pipeline.postprocessing {
            guard case .largestComponent(_, let connectivity) = step else { continue }
            try result.clean([.largestComponent(connectivity: connectivity)], voxelVolume: 1)
        }

        #expect(input.shape == [1] + row.shape)
        for (place, value) in row.input { #expect(abs(input.values[place] - value) < 2e-5) }
        #expect(abs(input.values.reduce(0.0) { $0 + Double(abs($1)) } - row.sum) < 2e-5 * row.sum)
        let values = try result.values.flatMap { try $0.all() }
        for (place, value) in row.values { #expect(abs(values[place] - value) < 2e-5) }
        let labels = try #require(try result.labels?.all())
        #expect((1...3).map { label in labels.filter { $0 == label }.count } == row.labels)
    }
}
