import SardonyxImaging
import SardonyxTestSupport
import Testing

@testable import SardonyxPipelines

/// Plans as nnunetv2 2.8.1 writes them (Tests/Pipelines), field by field, and what cannot be done.
struct NNUNetPlansTests {
    static let plans = repositoryText("Tests/Pipelines/nnunet-ct/plans.json")
    static let dataset = repositoryText("Tests/Pipelines/nnunet-ct/dataset.json")
    static let regions = (
        repositoryText("Tests/Pipelines/nnunet-mr/plans.json"), repositoryText("Tests/Pipelines/nnunet-mr/dataset.json")
    )

    static func read(
        _ plans: String, _ dataset: String, folder: String = "nnUNetTrainer__nnUNetPlans__3d_fullres",
        configuration: String? = nil
    ) throws -> Pipeline {
        try NNUNetPlans(
            plans: Tree(yaml: plans, path: "plans.json"), dataset: Tree(yaml: dataset, path: "dataset.json"),
            path: "plans.json", folder: folder, configuration: configuration
        ).pipeline()
    }

    @Test func ct() throws {
        let pipeline = try NNUNetPlansTests.read(NNUNetPlansTests.plans, NNUNetPlansTests.dataset)
        #expect(pipeline.name == "Dataset101_CT" && pipeline.task == .segmentation)
        // foreground_intensity_properties_per_channel of the file.
        #expect(
            pipeline.input.channels == [
                .init(
                    name: "CT",
                    intensity: [
                        .clip(low: -129.04722595214844, high: 439.8889465332031),
                        .normalize(mean: 160.44046020507812, deviation: 110.82389831542969),
                    ])
            ])
        #expect(pipeline.input.axes == .stored([2, 1, 0]))
        #expect(pipeline.input.sampling == .spacing([1, 0.699999988079071, 0.699999988079071]))
        #expect(pipeline.input.interpolation == .cubic && pipeline.input.separateAnisotropicAxis)
        #expect(pipeline.input.keepsRange)
        #expect(pipeline.input.crop == .nonzero(margin: 0))
        #expect(pipeline.input.changesIntensityFirst && pipeline.input.alignment == .faces)
        #expect(
            pipeline.tiling
                == Pipeline.Tiling(
                    scheme: .nnunet, size: [96, 160, 160], overlap: 0.5, weight: .gaussian, sigma: 0.125,
                    mirror: [0, 1, 2]))
        #expect(
            pipeline.output
                == Pipeline.Output(activation: .softmax, activatesLast: true, interpolation: .linear, decision: .argmax)
        )
        #expect(pipeline.labels.map(\.name) == ["liver", "tumour"] && pipeline.labels.map(\.value) == [1, 2])
        #expect(pipeline.results.map(\.file) == ["labels.nii.gz", "overlay.png", "measures.csv", "measures.json"])
    }

    /// The planner put the coarse axis first: array axes [k, j, i] in the order [2, 0, 1].
    @Test func regionsAndTransposition() throws {
        let (plans, dataset) = NNUNetPlansTests.regions
        let pipeline = try NNUNetPlansTests.read(plans, dataset)
        #expect(pipeline.input.axes == .stored([0, 2, 1]))
        #expect(pipeline.input.sampling == .spacing([1.600000023841858, 1, 1]))
        #expect(pipeline.tiling.size == [40, 48, 56])
        #expect(pipeline.input.channels.map(\.name) == ["T1", "FLAIR"])
        // use_mask_for_norm is true.
        #expect(pipeline.input.channels[1].intensity == [.zScore(region: .foreground, onlyInside: true)])
        #expect(pipeline.output.activation == .sigmoid && pipeline.output.decision == .threshold(0.5))
        #expect(pipeline.labels.map(\.name) == ["whole tumour", "core", "enhancing"])
        #expect(pipeline.labels.map(\.value) == [1, 2, 3])
        let other = try NNUNetPlansTests.read(
            plans,
            dataset.changing(
                "\"regions_class_order\": [\n        1,\n        2,",
                to: "\"regions_class_order\": [\n        2,\n        1,"))
        #expect(other.labels.map(\.value) == [2, 1, 3])
    }

    @Test func configurations() throws {
        let (plans, dataset) = (NNUNetPlansTests.plans, NNUNetPlansTests.dataset)
        let flat = try NNUNetPlansTests.read(plans, dataset, folder: "nnUNetTrainerNoMirroring__nnUNetPlans__2d")
        #expect(flat.tiling.size == [256, 256] && flat.tiling.mirror == [])
        #expect(flat.input.sampling == .spacing([nil, 0.699999988079071, 0.699999988079071]))
        #expect(try NNUNetPlansTests.read(plans, dataset, folder: "x", configuration: "2d").tiling.mirror == [0, 1])
        #expect(
            try NNUNetPlansTests.read(plans, dataset, folder: "nnUNetTrainer_onlyMirror01__nnUNetPlans__3d_fullres")
                .tiling
                .mirror == [0, 1])
        // A configuration of one's own, as nnU-Net's documentation shows it.
        let heir = plans.changing(
            "\"configurations\": {",
            to:
                "\"configurations\": {\"3d_bs4\": {\"batch_size\": 4, \"patch_size\": [64, 64, 64], "
                + "\"inherits_from\": \"3d_fullres\"},"
        )
        let pipeline = try NNUNetPlansTests.read(heir, dataset, configuration: "3d_bs4")
        #expect(pipeline.tiling.size == [64, 64, 64] && pipeline.input.interpolation == .cubic)
        let reoriented = plans.changing("SimpleITKIO", to: "NibabelIOWithReorient")
        #expect(try NNUNetPlansTests.read(reoriented, dataset).input.axes == .anatomical(Orientation("SAR")!))
        let ignoring = dataset.changing("\"tumour\": 2", to: "\"tumour\": 2, \"ignore\": 3")
        #expect(try NNUNetPlansTests.read(plans, ignoring).labels.count == 2)
    }

    /// Phases of one modality, all named for it: legal, and usual.
    @Test func channelsOfOneName() throws {
        let (plans, dataset) = NNUNetPlansTests.regions
        let phases = dataset.changing("\"T1\"", to: "\"CT\"").changing("\"FLAIR\"", to: "\"CT\"")
        #expect(try NNUNetPlansTests.read(plans, phases).input.channels.map(\.name) == ["CT 0", "CT 1"])
    }

    /// A reader, the spacing of the 2D plans, and whether the source's grid is the network's: the readers of nnunetv2
    /// 2.8.1 take (999, 1, 1) and (1, 1, 1) for every picture's spacing, so that another plan resamples all of them.
    @Test(arguments: [
        ("NaturalImage2DIO", "1.0", true), ("NaturalImage2DIO", "0.5", false), ("Tiff3DIO", "1", true),
        ("Tiff3DIO", "2", false),
    ])
    func pictures(_ reader: String, _ spacing: String, _ isSource: Bool) throws {
        let plans = NNUNetPlansTests.plans.changing("SimpleITKIO", to: reader)
            .replacing("0.699999988079071", with: spacing)
        func read() throws -> Pipeline {
            try NNUNetPlansTests.read(plans, NNUNetPlansTests.dataset, configuration: "2d")
        }
        if isSource {
            #expect(try read().input.sampling == .source)
        } else {
            let error = #expect(throws: PipelineError.self) { try read() }
            let said = "configurations.2d.spacing: another grid than the picture's, whose own spacing \(reader)"
            #expect(error?.description.contains(said) == true, "\(error?.description ?? "")")
        }
    }

    @Test(arguments: [
        ("ZScoreNormalization", [Pipeline.IntensityStep.zScore(region: .everything, onlyInside: false)]),
        ("NoNormalization", []),
        ("RescaleTo01Normalization", [.scaleToRange(newLow: 0, newHigh: 1, region: .everything)]),
        ("RGBTo01Normalization", [.scale(low: 0, high: 255, newLow: 0, newHigh: 1, clips: false)]),
    ])
    func normalizations(_ name: String, _ steps: [Pipeline.IntensityStep]) throws {
        let all = NNUNetPlansTests.plans.changing("CTNormalization", to: name).changing("CTNormalization", to: name)
        #expect(try NNUNetPlansTests.read(all, NNUNetPlansTests.dataset).input.channels[0].intensity == steps)
    }

    /// What is changed in the plans, in the data set, and the problem.
    @Test(arguments: [
        ("\"SimpleITKIO\"", "\"MyIO\"", "image_reader_writer: the reader 'MyIO' is not supported"),
        ("\"LabelManager\"", "\"Mine\"", "label_manager: the label manager 'Mine' is not supported"),
        ("CTNormalization", "MyNorm", "2d.normalization_schemes[0]: the normalization 'MyNorm' is not supported"),
        ("\"order\": 3", "\"order\": 2", "2d.resampling_fn_data_kwargs.order: a spline of order 2 is not supported"),
        (
            "\"order_z\": 0", "\"order_z\": 1",
            "resampling_fn_data_kwargs.order_z: another order than 0 along the coarse axis"
        ),
        ("\"force_separate_z\": null", "\"force_separate_z\": true", "force_separate_z: true is not supported"),
        ("\"is_seg\": false", "\"is_seg\": true", "2d.resampling_fn_data_kwargs.is_seg: is_seg true is not supported"),
        ("\"order_z\": 0", "\"clip\": false", "2d.resampling_fn_data_kwargs.clip: clip false is not supported"),
        (
            "\"resample_data_or_seg_to_shape\"", "\"mine\"",
            "2d.resampling_fn_data: the resampling 'mine' is not supported"
        ),
        (
            "\"batch_size\"", "\"previous_stage\": \"3d_lowres\", \"batch_size\"",
            "a cascade, whose second stage sees the labels"
        ),
        ("\"DefaultPreprocessor\"", "\"P\"", "2d.preprocessor_name: the preprocessor 'P' is not supported"),
        ("\"patch_size\"", "\"patch\"", "configurations.2d.patch_size: the field is missing"),
        ("\"2d\"", "\"3d\"", "configurations: there is no configuration '2d'"),
        ("\"percentile_00_5\"", "\"percentile\"", "foreground_intensity_properties_per_channel.0.percentile_00_5"),
        (
            "\"transpose_forward\": [\n        0", "\"transpose_forward\": [\n        1",
            "transpose_forward: a list of 3 was found"
        ),
        ("\"inherits", "\"x", "MISSING"),
    ])
    func refusals(_ old: String, _ new: String, _ problem: String) {
        let plans = NNUNetPlansTests.plans.changing(old, to: new)
        do {
            _ = try NNUNetPlansTests.read(plans, NNUNetPlansTests.dataset, configuration: "2d")
            Issue.record("\(new) was accepted")
        } catch {
            #expect("\(error)".contains(problem) || plans.hasSuffix("MISSING \(old)"), "\(error)")
        }
    }

    @Test(arguments: [
        ("\"background\": 0", "\"0\": \"background\"", "dataset.json:6:14: labels.0: 'background' was found"),
        ("\"tumour\": 2", "\"tumour\": 3", "labels: the labels 1, 3 do not follow each other from 1"),
        (
            "\"tumour\": 2", "\"tumour\": [1, 2]",
            "regions_class_order: one label for each of the 2 regions was expected"
        ),
        ("\"labels\"", "\"label\"", "dataset.json:1:1: labels: the field is missing"),
        ("\"0\": \"CT\"", "\"1\": \"CT\"", "channel_names.0: the channel is missing"),
        (
            "\"0\": \"CT\"", "\"0\": \"CT\", \"1\": \"PET\"",
            "one scheme for each of the 2 channels was expected, 64 at most"
        ),
    ])
    func datasetProblems(_ old: String, _ new: String, _ problem: String) {
        let error = #expect(throws: PipelineError.self) {
            try NNUNetPlansTests.read(NNUNetPlansTests.plans, NNUNetPlansTests.dataset.changing(old, to: new))
        }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    }

    /// Everything at once, and circles of inheritance.
    @Test func several() {
        let plans = NNUNetPlansTests.plans.changing("\"SimpleITKIO\"", to: "\"MyIO\"").changing(
            "CTNormalization", to: "N"
        )
        .changing("\"DefaultPreprocessor\"", to: "\"P\"")
        let error = #expect(throws: PipelineError.self) {
            try NNUNetPlansTests.read(plans, NNUNetPlansTests.dataset, configuration: "2d")
        }
        #expect(error?.problems.count == 3 && error?.problems.allSatisfy { $0.line != nil } == true)
        let circle = NNUNetPlansTests.plans.changing("\"batch_size\"", to: "\"inherits_from\": \"2d\", \"batch_size\"")
        let second = #expect(throws: PipelineError.self) {
            try NNUNetPlansTests.read(circle, NNUNetPlansTests.dataset, configuration: "2d")
        }
        #expect(second?.description.contains("configurations inherit in a circle") == true)
        let unnamed = #expect(throws: PipelineError.self) {
            try NNUNetPlansTests.read(NNUNetPlansTests.plans, NNUNetPlansTests.dataset, folder: "liver")
        }
        #expect(unnamed?.description.contains("the plans have 2 configurations: 2d, 3d_fullres") == true)
    }

    @Test func folders() throws {
        let folder = TemporaryFolder()
        let name = "nnUNetTrainer__nnUNetPlans__3d_fullres"
        folder.write(NNUNetPlansTests.plans, to: "\(name)/plans.json")
        folder.write(NNUNetPlansTests.dataset, to: "\(name)/dataset.json")
        let path = folder.path + "/" + name
        #expect(throws: PipelineError.self) { try Pipeline(contentsOf: path) }
        folder.write("x", to: "\(name)/fold_0/model.onnx")
        #expect(try Pipeline(contentsOf: path).model == path + "/fold_0/model.onnx")
        #expect(try Pipeline(contentsOf: path, configuration: "2d").tiling.size == [256, 256])
        folder.write("x", to: "\(name)/fold_1/model.onnx")
        let error = #expect(throws: PipelineError.self) { try Pipeline(contentsOf: path) }
        #expect(error?.description.contains("there are 2 models: fold_0/model.onnx, fold_1/model.onnx") == true)
        folder.write("x", to: "\(name)/model.onnx")
        #expect(try Pipeline(contentsOf: path).model == path + "/model.onnx")
    }
}
