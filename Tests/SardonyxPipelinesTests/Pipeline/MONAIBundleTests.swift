import SardonyxImaging
import SardonyxTestSupport
import Testing

@testable import SardonyxPipelines

/// Bundles of the forms that MONAI's model zoo has, field by field, and what cannot be done.
struct MONAIBundleTests {
    /// A CT segmentation with references and code where zoo bundles have them.
    static let spleen = """
        {
          "imports": ["$import glob"], "bundle_root": ".", "output_dir": "$@bundle_root + '/eval'",
          "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
          "key": "image", "fine": {"on": true, "overlap": 0.625},
          "pixdim": "$[1.5, 1.5, 2.0] if @fine#on else [3.0, 3.0, 3.0]",
          "network_def": {"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 3},
          "preprocessing": {"_target_": "Compose", "transforms": [
            {"_target_": "LoadImaged", "keys": "@key", "reader": "$monai.data.NibabelReader()"},
            {"_target_": "EnsureChannelFirstd", "keys": "@key"},
            {"_target_": "Orientationd", "keys": "@key", "axcodes": "LPS"},
            {"_target_": "monai.transforms.Spacingd", "keys": ["@key"], "pixdim": "@pixdim", "mode": ["bilinear"]},
            {"_target_": "Spacingd", "keys": "@key", "pixdim": [9, 9, 9], "_disabled_": "$not not @fine::on"},
            {"_target_": "ScaleIntensityRanged", "keys": "@key", "a_min": -57, "a_max": 164, "b_min": 0.0, "b_max": 1.0,
             "clip": true},
            {"_target_": "CropForegroundd", "keys": "@key", "source_key": "image", "margin": 5, "allow_smaller": true},
            {"_target_": "EnsureTyped", "keys": "@key", "device": "@device"}]},
          "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [96, 96, 64], "sw_batch_size": 4,
            "overlap": "@fine#overlap", "mode": "gaussian", "padding_mode": "replicate", "device": "@device"},
          "postprocessing": {"_target_": "Compose", "transforms": [
            {"_target_": "Activationsd", "keys": "pred", "softmax": true},
            {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing", "orig_keys": "image",
             "nearest_interp": false, "to_tensor": true},
            {"_target_": "AsDiscreted", "keys": "pred", "argmax": true},
            {"_target_": "KeepLargestConnectedComponentd", "keys": "pred", "applied_labels": [1]},
            {"_target_": "SaveImaged", "keys": "pred", "output_dir": "@output_dir", "output_ext": ".nii.gz"}]}
        }
        """
    static let metadata = """
        {"name": "Spleen", "network_data_format": {
          "inputs": {"image": {"type": "image", "modality": "CT", "num_channels": 1, "channel_def": {"0": "image"}}},
          "outputs": {"pred": {"type": "image", "format": "segmentation", "num_channels": 3,
            "channel_def": {"0": "background", "1": "spleen", "2": "cyst"}}}}}
        """

    static func read(_ text: String, _ metadata: String? = MONAIBundleTests.metadata) throws -> Pipeline {
        try MONAIBundle(
            inference: Tree(yaml: text, path: "inference.json"),
            metadata: metadata.map { try Tree(yaml: $0, path: "metadata.json") }, path: "inference.json", name: "bundle"
        ).pipeline()
    }

    @Test func segmentation() throws {
        let pipeline = try MONAIBundleTests.read(MONAIBundleTests.spleen)
        #expect(pipeline.name == "Spleen" && pipeline.task == .segmentation)
        #expect(
            pipeline.input
                == Pipeline.Input(
                    channels: [
                        .init(
                            name: "image", intensity: [.scale(low: -57, high: 164, newLow: 0, newHigh: 1, clips: true)])
                    ], axes: .anatomical(Orientation("LPS")!), sampling: .spacing([1.5, 1.5, 2]), alignment: .centres,
                    interpolation: .linear,
                    // Above 0 after the scaling is above −57 before it.
                    crop: .foreground(above: -57, margin: 5), cropsLast: true))
        #expect(
            pipeline.tiling
                == Pipeline.Tiling(
                    scheme: .monai, size: [96, 96, 64], overlap: 0.625, weight: .gaussian, sigma: 0.125, batch: 4,
                    repeatsEdge: true))
        #expect(
            pipeline.output
                == Pipeline.Output(
                    activation: .softmax, activatesLast: false, interpolation: .linear, decision: .argmax))
        #expect(pipeline.labels.map(\.name) == ["spleen", "cyst"] && pipeline.labels.map(\.value) == [1, 2])
        // MONAI's parts touch by corners too.
        #expect(pipeline.postprocessing == [.largestComponent(labels: [1], connectivity: .full)])
        #expect(pipeline.results.map(\.file) == ["labels.nii.gz", "overlay.png", "measures.csv", "measures.json"])
        // Without metadata the network tells the number of labels.
        let two = MONAIBundleTests.spleen.changing("\"in_channels\": 1", to: "\"in_channels\": 2")
        #expect(try MONAIBundleTests.read(two, nil).input.channels.map(\.name) == ["channel 0", "channel 1"])
        #expect(try MONAIBundleTests.read(MONAIBundleTests.spleen, nil).labels.map(\.name) == ["label 1", "label 2"])
    }

    /// Labels decided on the network's grid, and MONAI's defaults.
    @Test func invertedLabels() throws {
        let text = MONAIBundleTests.spleen.changing(
            "\"AsDiscreted\", \"keys\": \"pred\", \"argmax\": true", to: "\"EnsureTyped\", \"keys\": \"pred\""
        ).changing(
            "\"softmax\": true},",
            to: "\"softmax\": true}, {\"_target_\": \"AsDiscreted\", \"argmax\": true, \"keys\": \"pred\"},"
        ).changing("\"nearest_interp\": false,", to: "").changing(
            "\"overlap\": \"@fine#overlap\", \"mode\": \"gaussian\",", to: "")
        let pipeline = try MONAIBundleTests.read(text)
        #expect(pipeline.output.interpolation == .nearest && !pipeline.output.activatesLast)
        #expect(pipeline.tiling.overlap == 0.25 && pipeline.tiling.weight == .constant)
    }

    /// Values go back the way they came.
    @Test(arguments: [("\"bilinear\"", Interpolation.linear), ("\"nearest\"", .nearest), ("3", .cubic)])
    func interpolationBack(_ mode: String, _ method: Interpolation) throws {
        let text = MONAIBundleTests.spleen.changing("[\"bilinear\"]", to: mode)
        let pipeline = try MONAIBundleTests.read(text)
        #expect(pipeline.input.interpolation == method && pipeline.output.interpolation == method)
    }

    /// As the zoo's brain tumours: four modalities, overlapping regions.
    @Test func regions() throws {
        let text = """
            network_def: {_target_: SegResNet, in_channels: 4, out_channels: 3}
            preprocessing:
              _target_: Compose
              transforms:
              - {_target_: LoadImaged, keys: image}
              - {_target_: NormalizeIntensityd, keys: image, nonzero: true, channel_wise: true}
            inferer: {_target_: SlidingWindowInferer, roi_size: [240, 240, 160], sw_batch_size: 1, overlap: 0.5}
            postprocessing:
              _target_: Compose
              transforms:
              - {_target_: Activationsd, keys: pred, sigmoid: true}
              - {_target_: Invertd, keys: pred, transform: "@preprocessing", orig_keys: image, nearest_interp: false}
              - {_target_: AsDiscreted, keys: pred, threshold: 0.5}
            """
        let names = """
            {"network_data_format": {
             "inputs": {"image": {"channel_def": {"0": "T1c", "1": "T1", "2": "T2", "3": "FLAIR"}}},
             "outputs": {"pred": {"channel_def": {"0": "core", "1": "whole", "2": "enhancing"}}}}}
            """
        let pipeline = try MONAIBundleTests.read(text, names)
        #expect(pipeline.input.channels.map(\.name) == ["T1c", "T1", "T2", "FLAIR"])
        #expect(pipeline.input.channels.allSatisfy { $0.intensity == [.zScore(region: .nonzero, onlyInside: true)] })
        #expect(pipeline.input.axes == .stored([0, 1, 2]) && pipeline.input.sampling == .source)
        // 0.5 itself counts: the next smaller float is the bound.
        #expect(pipeline.output.decision == .threshold(0.5 - 0x1p-25) && pipeline.output.activation == .sigmoid)
        #expect(pipeline.labels.map(\.name) == ["core", "whole", "enhancing"])
        #expect(pipeline.results[0] == .init(.masks, "masks.nii.gz"))
        // Channels count from 0.
        let largest = try MONAIBundleTests.read(
            text
                + "\n  - {_target_: KeepLargestConnectedComponentd, keys: pred, applied_labels: [0, 2], connectivity: 1}",
            names)
        #expect(largest.postprocessing == [.largestComponent(labels: [1, 3])])
    }

    /// As the zoo's short-axis heart: a 2D network over the slices of a volume, in YAML with a document's start.
    @Test func slices() throws {
        let text = """
            ---
            network_def: {_target_: UNet, spatial_dims: 2, in_channels: 1, out_channels: 4}
            preprocessing:
              _target_: Compose
              transforms:
              - {_target_: LoadImaged, keys: image, image_only: false}
              - {_target_: Orientationd, keys: image, axcodes: RAS}
              - {_target_: ScaleIntensityd, keys: image}
            inferer: {_target_: SliceInferer, roi_size: [256, 256], spatial_dim: 2}
            postprocessing: {_target_: AsDiscreted, keys: pred, argmax: true}
            """
        let pipeline = try MONAIBundleTests.read(text, nil)
        #expect(pipeline.input.axes == .anatomical(Orientation("SRA")!) && pipeline.tiling.size == [256, 256])
        let stored = try MONAIBundleTests.read(text.changing("Orientationd", to: "Identityd"), nil)
        #expect(stored.input.axes == .stored([2, 0, 1]))
        let sagittal = try MONAIBundleTests.read(text.changing("spatial_dim: 2", to: "spatial_dim: 0"), nil)
        #expect(sagittal.input.axes == .anatomical(.ras))
        // One spacing an axis of the volume, the last for those that are missing.
        for (pixdim, spacing) in [
            ("[1.5, 1.2, 3]", [3, 1.5, 1.2]), ("[1.5, -1]", [nil, 1.5, nil]), ("2", [2, 2, 2]),
        ] {
            let spaced = try MONAIBundleTests.read(
                text.changing(
                    "{_target_: ScaleIntensityd",
                    to: "{_target_: Spacingd, keys: image, pixdim: \(pixdim)}\n  - {_target_: ScaleIntensityd"),
                nil)
            #expect(spaced.input.sampling == .spacing(spacing))
        }
    }

    /// As the zoo's endoscopy: colour pictures, resized, a class.
    @Test func classification() throws {
        let text = """
            {"network_def": {"_target_": "SEResNet50", "spatial_dims": 2, "in_channels": 3, "num_classes": 2},
             "dataset": {"transform": {"_target_": "Compose", "transforms": [
               {"_target_": "LoadImageD", "keys": "image"}, {"_target_": "AsChannelFirstd", "keys": "image"},
               {"_target_": "Resized", "keys": "image", "spatial_size": [256, 200], "mode": "bilinear"},
               {"_target_": "NormalizeIntensityd", "keys": "image", "subtrahend": [1, 2, 3], "divisor": [4, 5, 6]}]}},
             "inferer": {"_target_": "SimpleInferer"},
             "postprocessing": {"_target_": "Compose", "transforms": [
               {"_target_": "Activationsd", "keys": "pred", "softmax": true},
               {"_target_": "AsDiscreted", "keys": "pred", "argmax": true, "to_onehot": 2}]}}
            """
        let pipeline = try MONAIBundleTests.read(
            text, "{\"network_data_format\": {\"outputs\": {\"pred\": {\"type\": \"probabilities\"}}}}")
        #expect(pipeline.task == .classification && pipeline.output.decision == .values)
        // MONAI's pictures have columns before rows; slices come first.
        #expect(pipeline.input.axes == .stored([2, 0, 1]) && pipeline.input.sampling == .size([nil, 256, 200]))
        #expect(pipeline.input.channels.map(\.component) == [0, 1, 2])
        #expect(pipeline.input.channels[2].intensity == [.normalize(mean: 3, deviation: 6)])
        #expect(pipeline.tiling.scheme == .whole && pipeline.labels.map(\.value) == [0, 1])
        #expect(pipeline.results.map(\.file) == ["classes.csv", "classes.json"])
    }

    /// A transform before the network, without its braces, and what it becomes.
    static let transforms: [(String, Pipeline.IntensityStep)] = [
        (#""ScaleIntensityd", "minv": -1, "maxv": 1"#, .scaleToRange(newLow: -1, newHigh: 1, region: .everything)),
        (#""ScaleIntensityd", "minv": null, "maxv": null, "factor": 0.5"#, .linear(factor: 1.5, offset: 0)),
        (#""ShiftIntensityd", "offset": 1024"#, .linear(factor: 1, offset: 1024)),
        (
            #""ScaleIntensityRangePercentilesd", "lower": 1, "upper": 99, "b_min": 0, "b_max": 2, "clip": true"#,
            .scalePercentiles(low: 1, high: 99, newLow: 0, newHigh: 2, clips: true, region: .everything)
        ),
        (#""ClipIntensityPercentilesd", "lower": 5"#, .clipPercentiles(low: 5, high: 100, region: .everything)),
        (
            #""ScaleIntensityRangePercentilesd", "lower": 10, "upper": 80, "b_min": 0, "b_max": 2, "relative": true"#,
            .scalePercentiles(low: 10, high: 80, newLow: 0.2, newHigh: 1.6, clips: false, region: .everything)
        ),
        (#""ScaleIntensityd", "minv": 2, "maxv": null"#, .scaleToRange(newLow: 0, newHigh: 1, region: .everything)),
        (#""ScaleIntensityd", "minv": null, "maxv": null"#, .linear(factor: 1, offset: 0)),
        (#""NormalizeIntensityd""#, .zScore(region: .everything, onlyInside: false)),
        (#""NormalizeIntensityd", "nonzero": "True""#, .zScore(region: .nonzero, onlyInside: true)),
        (#""NormalizeIntensityd", "nonzero": False"#, .zScore(region: .everything, onlyInside: false)),
        (#""ThresholdIntensityd", "threshold": 3, "cval": 3"#, .clip(low: 3, high: .infinity)),
        (#""ThresholdIntensityd", "threshold": 0, "above": false"#, .clip(low: -.infinity, high: 0)),
    ]

    @Test(arguments: transforms.indices)
    func intensity(_ row: Int) throws {
        let (transform, step) = MONAIBundleTests.transforms[row]
        let text = MONAIBundleTests.spleen.changing(
            #"{"_target_": "EnsureTyped", "keys": "@key", "device": "@device"}"#, to: "{\"_target_\": \(transform)}"
        ).changing(
            #"{"_target_": "CropForegroundd", "keys": "@key", "source_key": "image", "margin": 5, "allow_smaller": true},"#,
            to: ""
        )
        #expect(try MONAIBundleTests.read(text).input.channels[0].intensity.dropFirst() == [step])
    }

    /// What is changed, and the problem that names it.
    @Test(arguments: [
        (
            "\"EnsureTyped\"", "\"HistogramNormalized\"",
            "preprocessing.transforms[7]: the transform HistogramNormalized is not supported"
        ),
        (
            "\"KeepLargestConnectedComponentd\"", "\"Lambdad\"",
            "postprocessing.transforms[3]: the transform Lambdad is not supported"
        ),
        ("\"SlidingWindowInferer\"", "\"scripts.x.MyInferer\"", "inferer: the inferer MyInferer is not supported"),
        ("[96, 96, 64]", "[96, 96, -1]", "inferer.roi_size: a window as large as the image along one axis"),
        ("[96, 96, 64]", "\"$@a + 1\"", "inferer.roi_size: '$@a + 1' is code, or leads nowhere"),
        (
            "\"@fine#overlap\"", "[0.5, 0.25, 0.5]",
            "inferer.overlap: a list of 3 was found, one number for all axes was expected"
        ),
        ("\"@fine#overlap\"", "[0.5, 0.5, 0.5]", "none"),
        ("\"@fine#overlap\"", "\"@none\"", "inferer.overlap: '@none' is code, or leads nowhere"),
        (
            "\"replicate\"", "\"reflect\"",
            "inferer.padding_mode: padding_mode 'reflect' in SlidingWindowInferer is not supported"
        ),
        ("\"margin\": 5", "\"k_divisible\": 16", "k_divisible 16 in CropForegroundd is not supported"),
        ("\"margin\": 5", "\"select_fn\": \"$my.fn\"", "select_fn '$my.fn' in CropForegroundd is not supported"),
        (
            "\"allow_smaller\": true", "\"mode\": \"constant\"",
            "a margin that goes on outside the image in CropForegroundd"
        ),
        ("\"argmax\": true", "\"argmax\": \"False\"", "'False' was found, true or false was expected"),
        ("\"margin\": 5", "\"new_argument\": 1", "new_argument 1 in CropForegroundd is not supported"),
        ("\"a_min\": -57", "\"a_min\": \"$-50 - 7\"", "a_min: '$-50 - 7' is code, or leads nowhere"),
        ("\"mode\": [\"bilinear\"]", "\"mode\": 2", "mode 2 in Spacingd is not supported"),
        (
            "\"monai.transforms.Spacingd\", \"keys\": [\"@key\"], \"pixdim\": \"@pixdim\", \"mode\": [\"bilinear\"]",
            "\"Resized\", \"spatial_size\": 96, \"mode\": \"nearest\"", "mode 'nearest' in Resized is not supported"
        ),
        ("\"mode\": [\"bilinear\"]", "\"scale_extent\": true", "scale_extent true in Spacingd is not supported"),
        ("\"mode\": [\"bilinear\"]", "\"diagonal\": true", "diagonal true in Spacingd is not supported"),
        (
            "\"mode\": [\"bilinear\"]", "\"padding_mode\": \"nearest\"",
            "padding_mode 'nearest' in Spacingd is not supported"
        ),
        ("\"mode\": [\"bilinear\"]", "\"padding_mode\": \"nearest\", \"mode\": 3", "none"),
        (
            "\"Orientationd\"", "\"Spacingd\", \"pixdim\": 2}, {\"_target_\": \"Orientationd\"",
            "preprocessing.transforms[3]: Orientationd after Spacingd, or after different sizes an axis, is not supported: put it first"
        ),
        (
            "\"EnsureTyped\"", "\"CastToTyped\", \"dtype\": \"$torch.uint8\"",
            "rounding to $torch.uint8 in CastToTyped is not supported"
        ),
        (
            "\"EnsureTyped\", \"keys\": \"@key\", \"device\": \"@device\"",
            "\"SpatialPadd\", \"spatial_size\": [96, 96, 64]", "none"
        ),
        (
            "\"EnsureTyped\"", "\"SpatialPadd\", \"spatial_size\": [96, 96, 96]",
            "more padding than a sliding window makes in SpatialPadd is not supported"
        ),
        (
            "\"EnsureTyped\"", "\"SpatialPadd\", \"method\": \"end\", \"spatial_size\": 64",
            "method 'end' in SpatialPadd is not supported"
        ),
        ("\"EnsureTyped\"", "\"DivisiblePadd\", \"k\": 16", "k before a sliding window in DivisiblePadd"),
        (
            "{\"_target_\": \"ScaleIntensityRanged\"",
            "{\"_target_\": \"SpatialPadd\", \"spatial_size\": 64}, {\"_target_\": \"ScaleIntensityRanged\"",
            "ScaleIntensityRanged after padding is not supported: put the padding last"
        ),
        (
            "\"EnsureTyped\"", "\"NormalizeIntensityd\", \"divisor\": 2",
            "subtrahend: a figure of the image beside a given one in NormalizeIntensityd is not supported"
        ),
        ("\"margin\": 5,", "\"margin\": 5}, {\"_target_\": \"Identityd\",", "a margin that goes on outside the image"),
        ("\"margin\": 5,", "\"margin\": 0}, {\"_target_\": \"Identityd\",", "none"),
        (
            "\"source_key\": \"image\"", "\"source_key\": \"label\"",
            "a crop around another image (label) in CropForegroundd is not supported"
        ),
        (
            "\"KeepLargestConnectedComponentd\"", "\"FillHolesd\"",
            "holes that open over edges and corners (connectivity) in FillHolesd is not supported"
        ),
        (
            "\"KeepLargestConnectedComponentd\"", "\"FillHolesd\", \"connectivity\": 1", "none"
        ),
        (
            "\"applied_labels\": [1]", "\"connectivity\": 2",
            "connectivity 2 in KeepLargestConnectedComponentd is not supported"
        ),
        (
            "\"KeepLargestConnectedComponentd\", \"keys\": \"pred\", \"applied_labels\": [1]",
            "\"RemoveSmallObjectsd\", \"by_measure\": true",
            "RemoveSmallObjectsd of 2 labels, whose parts it does not tell apart, is not supported"
        ),
        (
            "{\"_target_\": \"Invertd\"",
            "{\"_target_\": \"FillHolesd\", \"connectivity\": 1}, {\"_target_\": \"Invertd\"",
            "Invertd after steps on labels is not supported: put it before them"
        ),
        (
            "\"monai.transforms.Spacingd\", \"keys\": [\"@key\"], \"pixdim\": \"@pixdim\", \"mode\": [\"bilinear\"]",
            "\"Resized\", \"spatial_size\": 96, \"mode\": \"bilinear\", \"anti_aliasing\": true",
            "anti_aliasing true in Resized is not supported: write false"
        ),
        ("\"LPS\"", "\"LPX\"", "axcodes 'LPX' in Orientationd is not supported"),
        ("\"in_channels\": 1", "\"in_channels\": 2048", "none"),
        (
            "\"EnsureTyped\"", "\"ScaleIntensityd\"",
            "ScaleIntensityd a second time, after other stages, is not supported"
        ),
        ("\"applied_labels\": [1]", "\"num_components\": 2", "num_components 2 in KeepLargestConnectedComponentd"),
        ("\"applied_labels\": [1]", "\"applied_labels\": [7]", "there is no label 7"),
        ("\"preprocessing\": {", "\"before\": {", "preprocessing: the field is missing"),
    ])
    func refusals(_ old: String, _ new: String, _ problem: String) {
        do {
            _ = try MONAIBundleTests.read(MONAIBundleTests.spleen.changing(old, to: new))
            #expect(problem == "none")
        } catch { #expect("\(error)".contains(problem), "\(error)") }
    }

    /// As the zoo's nodule detection: everything that it needs beyond a pipeline is named at once, with lines.
    @Test func detection() {
        let text = """
            {"preprocessing": {"_target_": "Compose", "transforms": [
               {"_target_": "LoadImaged", "keys": "image", "_disabled_": "@raw"}]}, "raw": false,
             "inferer": {"_target_": "scripts.detection_inferer.RetinaNetInferer", "detector": "@detector"},
             "postprocessing": {"_target_": "Compose", "transforms": [
               {"_target_": "ClipBoxToImaged", "box_keys": "box"},
               {"_target_": "ConvertBoxModed", "box_keys": "box"}]}}
            """
        let error = #expect(throws: PipelineError.self) { try MONAIBundleTests.read(text) }
        #expect(error?.problems.map(\.line) == [3, 5, 6])
        #expect(
            error?.problems.map(\.field) == ["inferer", "postprocessing.transforms[0]", "postprocessing.transforms[1]"])
    }

    @Test(arguments: [
        ("[1, 2.5, -3e2]", "[1.0, 2.5, -300.0]"), ("(1, 2)", "[1.0, 2.0]"), ("(4)", "4.0"), ("'a b'", "a b"),
        ("True", "true"),
        ("not True", "false"), ("1 if False else 2", "2.0"), ("@x", "7.0"), ("[@x, 1 if @x else 2]", nil), ("@y", nil),
        ("torch.float32", nil), ("1 + 1", nil), ("[1, 2", nil), ("", nil), ("None", "null"), ("Truely", nil),
        ("[[1], [2, 3],]", "[[1.0], [2.0, 3.0]]"), ("__import__('os')", nil),
    ])
    func pythonValues(_ text: String, _ value: String?) throws {
        func show(_ tree: Tree) -> String {
            tree.list.map { "[" + $0.map(show).joined(separator: ", ") + "]" } ?? tree.number.map { "\($0)" } ?? tree
                .text
                ?? tree.found.replacing("nothing", "null")
        }
        let place = try Tree(yaml: "x: 7", path: "")
        let tree = PythonValue.read(text, at: place) { place[$0] }
        #expect(tree.map(show) == value)
        #expect(PythonValue.read(String(repeating: "[", count: 100_000), at: place) { _ in nil } == nil)
    }

    /// References that multiply each other, or lead in a circle, end.
    @Test func referenceBomb() throws {
        var text = "inferer: '@a0'\npreprocessing: '@a0'\n"
        for n in 0..<30 { text += "a\(n): [\(Array(repeating: "'@a\(n + 1)'", count: 20).joined(separator: ", "))]\n" }
        text += "b: '@c'\nc: '@b'\npostprocessing: '@b'\n"
        #expect(throws: PipelineError.self) { try MONAIBundleTests.read(text, nil) }
    }

    @Test func folders() throws {
        let folder = TemporaryFolder()
        folder.write(MONAIBundleTests.spleen, to: "b/configs/inference.json")
        folder.write(MONAIBundleTests.metadata, to: "b/configs/metadata.json")
        folder.write("x", to: "b/models/model.pt")
        #expect(throws: PipelineError.self) { try Pipeline(contentsOf: folder.path + "/b") }
        folder.write("x", to: "b/models/model.onnx")
        #expect(try Pipeline(contentsOf: folder.path + "/b").model == folder.path + "/b/models/model.onnx")
        #expect(try Pipeline(contentsOf: folder.path + "/b").name == "Spleen")
        // Configurations are nnU-Net's.
        folder.write(smallPipeline, to: "p/pipeline.yaml")
        folder.write("x", to: "p/model.onnx")
        #expect(try Pipeline(contentsOf: folder.path + "/p").name == "Liver")
        for path in ["/b", "/p", "/p/pipeline.yaml"] {
            let error = #expect(throws: PipelineError.self) {
                try Pipeline(contentsOf: folder.path + path, configuration: "2d")
            }
            #expect(error?.description.hasSuffix("which only nnU-Net's plans have: leave it out") == true)
        }
    }
}

extension String {
    fileprivate func replacing(_ old: String, _ new: String) -> String { self == old ? new : self }
}
