import SardonyxTestSupport
import Testing

@testable import SardonyxPipelines

/// Every kind of problem in a pipeline.yaml, with its line and column.
struct PipelineProblemTests {
    @Test func smallPipelineIsRight() throws {
        #expect(problems(smallPipeline) == [])
        let pipeline = try Pipeline(yaml: smallPipeline)
        #expect(pipeline.model == "model.onnx")
        #expect(
            pipeline.input.channels[0].intensity == [.scale(low: -57, high: 164, newLow: 0, newHigh: 1, clips: true)])
        #expect(pipeline.input.sampling == .spacing([1.5, 1.5, 2]))
        #expect(!pipeline.input.refusesNonFinite)
        #expect(pipeline.labels.map(\.name) == ["liver", "tumour"])
        #expect(pipeline.labels[0].colour != pipeline.labels[1].colour)
        #expect(pipeline.postprocessing == [.largestComponent(labels: [1])])
    }

    /// One change each, and the one problem that it makes.
    static let table: [(change: (String, String), problem: String)] = [
        (
            ("task: segmentation", "tusk: segmentation"),
            "2:1: tusk: there is no such field: did you mean 'task'?"
        ),
        (
            ("  axes: RAS", "  colour: RAS"),
            "8:3: input.colour: there is no such field: the fields here are spacing, size, name, channels, axes, "
                + "alignment, interpolation, keep_range, intensity_first, nonfinite, antialias, separate_anisotropic_axis, "
                + "crop, crop_last"
        ),
        (
            ("  crop: none", "  crop: nonzero\n  crop_last: true\n  keep_range: true"),
            "11:14: input.crop_last: a crop of the network's grid goes neither with keep_range nor with the region "
                + "foreground: remove one of them"
        ),
        (
            (
                "  crop: none\ntiling:\n  scheme: monai\n  size: [96, 96, 96]\n  overlap: 0.5\noutput:\n"
                    + "  activation: softmax\n  decision: argmax",
                "  crop: nonzero\n  crop_last: true\ntiling: {scheme: monai, size: [96, 96, 96]}\noutput:\n"
                    + "  activation: sigmoid\n  activate_last: true\n  decision: {threshold: 0.3}"
            ),
            "11:14: input.crop_last: beside a crop of the network's grid values are 0.5, and the threshold is 0.3, so "
                + "that all would be labelled there: remove the field, or give a threshold of 0.5 or more"
        ),
        (("name: Liver", "name: [Liver]"), "1:7: name: a list of 1 was found, text was expected"),
        (("name: Liver", "name: ''"), "1:7: name: it is empty: give the pipeline a name"),
        (
            ("task: segmentation", "task: segmentatoin"),
            "2:7: task: segmentatoin was found, segmentation, classification, detection or reconstruction was "
                + "expected: did you mean 'segmentation'?"
        ),
        (("name: Liver", "model: m.onnx"), "1:1: name: the field is missing: add 'name: Liver'"),
        (
            ("- scale:", "- scales:"),
            "7:11: input.channels[0].intensity[0]: scales was found, clip, clip_percentiles, scale, scale_to_range, "
                + "scale_percentiles, divide_by_maximum, normalize, z_score or linear was expected: did you "
                + "mean 'scale'?"
        ),
        (
            ("to: [0, 1]", "to: [0]"),
            "7:41: input.channels[0].intensity[0].scale.to: a list of 1 was found, [low, high] was expected"
        ),
        (
            ("from: [-57, 164]", "from: [164, -57]"),
            "7:25: input.channels[0].intensity[0].scale.from: 164.0 is not below -57.0: give the low one first"
        ),
        (
            ("clip: true", "clip: yes"),
            "7:55: input.channels[0].intensity[0].scale.clip: yes was found, true or false was expected"
        ),
        (
            ("- scale: {from: [-57, 164], to: [0, 1], clip: true}", "- clip_percentiles: {low: 0.5, high: 101}"),
            "7:46: input.channels[0].intensity[0].clip_percentiles.high: 101.0 was found, 0.0 to 100.0 % was expected"
        ),
        (
            ("- scale: {from: [-57, 164], to: [0, 1], clip: true}", "- z_score: {region: foreground}"),
            "7:29: input.channels[0].intensity[0].z_score.region: the foreground is known on the source's grid "
                + "only: add 'intensity_first: true' to input"
        ),
        (
            ("- scale: {from: [-57, 164], to: [0, 1], clip: true}", "- normalize: {mean: 1, deviation: 0}"),
            "7:43: input.channels[0].intensity[0].normalize.deviation: 0.0 was found, a number above 0 was expected"
        ),
        (
            ("- scale: {from: [-57, 164], to: [0, 1], clip: true}", "- z_score: {region: {above: x}}"),
            "7:37: input.channels[0].intensity[0].z_score.region.above: x was found, a number was expected"
        ),
        (
            ("- scale: {from: [-57, 164], to: [0, 1], clip: true}", "- clip"),
            "7:11: input.channels[0].intensity[0].clip: neither low nor high is given: give one of them"
        ),
        (
            ("axes: RAS", "axes: RAL"),
            "8:9: input.axes: RAL was found, three letters of R L A P S I (RAS), or of i j k (kji) was expected: name "
                + "the direction in which each axis of the network grows"
        ),
        (
            ("spacing: [1.5, 1.5, 2]", "spacing: [1.5, 0, 2]"),
            "9:18: input.spacing[1]: 0.0 was found, 1e-06 to 1000000.0 mm was expected"
        ),
        (
            ("spacing: [1.5, 1.5, 2]", "spacing: [1.5]"),
            "9:12: input.spacing: 1 values were found, one for each axis was expected: give three, or two for a model "
                + "that sees slices"
        ),
        (
            ("crop: none", "size: [1, 2, 3]"),
            "4:3: input: spacing and size exclude each other: keep one of them"
        ),
        (
            ("spacing: [1.5, 1.5, 2]", "size: [keep, keep]"),
            "9:9: input.size: no axis is resampled: remove the field"
        ),
        (
            ("overlap: 0.5", "overlap: 1"),
            "14:12: tiling.overlap: 1.0 was found, 0 up to below 1 was expected: give the share of a tile, "
                + "for example 0.5"
        ),
        (
            ("overlap: 0.5", "mirror: [0, 3]"),
            "14:15: tiling.mirror[1]: there is no axis 3, the model has axes 0 to 2"
        ),
        (
            ("overlap: 0.5", "mirror: [0, 0]"),
            "14:15: tiling.mirror[1]: the axis 0 stands twice: keep one, or change it"
        ),
        (
            ("scheme: monai", "scheme: whole"),
            "13:9: tiling.size: there is one tile, the whole grid: remove the size, or choose the scheme monai "
                + "or nnunet"
        ),
        (
            ("overlap: 0.5", "batch: 1.5"), "14:10: tiling.batch: 1.5 was found, a whole number was expected"
        ),
        (
            ("decision: argmax", "decision: values"),
            "17:13: output.decision: a segmentation needs argmax or a threshold: add 'decision: argmax', or 'decision: "
                + "{threshold: 0.5}'"
        ),
        (
            ("activation: softmax", "restore: labels"),
            "16:3: output.restore: there is no such field: the fields here are name, activation, activate_last, "
                + "interpolation, decision, restore_intensity, detection"
        ),
        (("- liver", "- [liver]"), "19:5: labels[0]: a list of 1 was found, text was expected"),
        (
            ("task: segmentation", "version: 2\ntask: segmentation"),
            "1:1: the form of version 2 is not known: write "
                + "'version: 1', or use a newer Sardonyx"
        ),
        (("value: 2", "value: 1"), "20:13: labels[1].value: the label 1 stands twice: keep one, or change it"),
        (("value: 2", "value: 65536"), "20:13: labels[1].value: 65536 was found, 1 to 65535 was expected"),
        (("tumour", "liver"), "20:22: labels[1].name: the label liver stands twice: keep one, or change it"),
        (
            ("name: tumour", "name: tumour, colour: red"),
            "20:38: labels[1].colour: red was found, a colour like \"#e63c3c\" was expected: write # and six "
                + "hexadecimal digits (red, green, blue) in quotes"
        ),
        (
            ("labels: [1]", "labels: [3]"),
            "22:34: postprocessing[0].largest_component.labels[0]: there is no label 3: the labels are 1, 2"
        ),
        (
            ("labels.nii.gz", "labels.jpg"),
            "24:10: results.image[0]: 'labels.jpg' does not end as a file of kind image: the endings are .nii.gz, "
                + ".nii, .nrrd, .png, .tif or .tiff"
        ),
        (
            ("labels.nii.gz", "[a.nii, ../labels.nii.gz]"),
            "24:18: results.image[1]: '../labels.nii.gz' is not a plain file name: write a name without folders"
        ),
        (
            ("labels.nii.gz", "[a.nii, a.nii]"),
            "24:18: results.image[1]: the file a.nii stands twice: keep one, or change it"
        ),
        (
            ("image: labels.nii.gz", "masks: m.nii"),
            "24:10: results.masks[0]: labels overlap only with a threshold: write image, or 'decision: "
                + "{threshold: 0.5}'"
        ),
        (
            ("image: labels.nii.gz", "images: m.nii"),
            "24:3: results.images: there is no such field: did you mean 'image'?"
        ),
        (
            ("task: segmentation", "task: segmentation\nmodel: ../model.onnx"),
            "3:8: model: '../model.onnx' leaves the folder by '..': put the model into the pipeline's folder"
        ),
        (
            ("task: segmentation", "task: segmentation\nmodel: /model.onnx"),
            "3:8: model: '/model.onnx' is an absolute path: put the model into the pipeline's folder"
        ),
        (
            ("activation: softmax", "detection: {boxes: b, scores: s}"),
            "16:14: output.detection: the task is segmentation: remove the field, or change the task"
        ),
        (
            ("overlap: 0.5", "padding: side"), "14:12: tiling.padding: side was found, a number was expected"
        ),
        (
            ("overlap: 0.5", "overlap: .nan"), "14:12: tiling.overlap: .nan was found, a number was expected"
        ),
    ]

    @Test(arguments: table.indices)
    func oneProblem(_ row: Int) {
        let (change, problem) = PipelineProblemTests.table[row]
        #expect(problems(smallPipeline.changing(change.0, to: change.1)) == [problem])
    }

    /// Several, all at once and by line; those of the value at the text that they come from.
    @Test func allProblems() {
        let text =
            smallPipeline.changing("overlap: 0.5", to: "overlap: 2").changing("axes: RAS", to: "axis: RAS")
            .changing("task: segmentation", to: "task: reconstruction")
        #expect(
            problems(text) == [
                "8:3: input.axis: there is no such field: did you mean 'axes'?",
                "14:12: tiling.overlap: 2.0 was found, 0 up to below 1 was expected: give the share of a tile, "
                    + "for example 0.5",
                "17:13: output.decision: only a segmentation decides on labels: remove the field, or change the task",
                "19:3: labels: a reconstruction has no labels: remove the field",
                "22:3: postprocessing: only a segmentation has labels to work on: remove the field",
            ])
    }

    @Test func errorsNameTheFile() {
        let error = #expect(throws: PipelineError.self) { try Pipeline(yaml: "nam: x", path: "a/pipeline.yaml") }
        #expect(error?.path == "a/pipeline.yaml")
        #expect(error?.problems.count == 4)
        #expect(error?.description.hasPrefix("a/pipeline.yaml:1:1: ") == true)
    }

    /// A task without what it needs, or with what it cannot have.
    @Test func tasks() {
        var pipeline = Pipeline(name: "x", task: .detection, input: .init(channels: [.init(name: "a")]))
        #expect(pipeline.problems().map(\.field) == ["output.detection", "results"])
        pipeline.output.detection = .init(boxes: "b", scores: "", scoreThreshold: 2, limit: 0)
        pipeline.results = [.init(.image, "a.nii")]
        #expect(
            pipeline.problems().map(\.field) == [
                "output.detection.scores", "output.detection.score_threshold", "output.detection.limit",
                "results.image[0]",
            ])
        pipeline = Pipeline(name: "x", task: .segmentation, input: .init(channels: []))
        #expect(
            pipeline.problems().map(\.field) == ["input.channels", "output.decision", "labels", "results"])
    }

    /// What a function gives where nothing is must not be above the threshold.
    @Test(arguments: [
        (Pipeline.Output.Activation.softmax, 0.34, 3, true), (.softmax, 1.0 / 3, 3, false), (.softmax, 0.4, 2, false),
        (.sigmoid, 0.01, 3, true), (.sigmoid, 0, 3, false), (.none, -1, 3, true),
    ]) func skippedTilesStayBackground(_ row: (Pipeline.Output.Activation, Double, Int, Bool)) {
        var pipeline = Pipeline.test(task: .segmentation)
        pipeline.labels = (1...row.2).map { .init(value: $0, name: "\($0)") }
        pipeline.output = .init(activation: row.0, decision: .threshold(row.1))
        pipeline.results = [.init(.image, "a.nii")]
        #expect(pipeline.problems() == [])
        pipeline.tiling.skipsEmptyTiles = true
        #expect(pipeline.problems().map(\.field) == (row.3 ? [] : ["tiling.skip_empty_tiles"]))
    }

    /// A change of a part of the image only cannot be undone.
    @Test(arguments: [
        (Pipeline.Region.nonzero, true, false), (.above(2), true, false), (.everything, true, true),
        (.nonzero, false, true),
    ]) func restoredIntensity(_ row: (Pipeline.Region, Bool, Bool)) {
        var pipeline = Pipeline.test(task: .reconstruction)
        pipeline.results = [.init(.image, "a.nii")]
        pipeline.input.channels[0].intensity = [.zScore(region: row.0, onlyInside: row.1)]
        #expect(pipeline.problems() == [])
        pipeline.output.restoresIntensity = true
        #expect(pipeline.problems().map(\.field) == (row.2 ? [] : ["output.restore_intensity"]))
    }
}
