import SardonyxTestSupport
import Testing

@testable import Sardonyx
@testable import SardonyxImaging
@testable import SardonyxPipelines

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Studies that fail: what is left of them, what is said, and how soon.
struct StudyFailureTests {
    /// Two outputs for each of an image's voxels: [N, channels, D, H, W] of floats.
    private static func network(channels: Int64 = 1, external: Bool = false) -> [UInt8] {
        let values: [Float] = (0..<2 * channels).map { Float($0) - 0.5 }
        let weights =
            external
            ? TestTensor("w", dims: [2, channels, 1, 1, 1], raw: nil, external: [("location", "w.bin")])
            : TestTensor("w", dims: [2, channels, 1, 1, 1], floats: values)
        return modelBytes(
            TestGraph(
                nodes: [TestNode("Conv", ["image", "w"], ["logits"])],
                inputs: [TestValue("image", ["N", .extent(channels), "D", "H", "W"])],
                outputs: [TestValue("logits", ["N", 2, "D", "H", "W"])], initializers: [weights]))
    }

    private static func segmentation(_ folder: TemporaryFolder) -> Pipeline {
        var pipeline = Pipeline.test(task: .segmentation)
        pipeline.model = folder.path + "/model.onnx"
        pipeline.labels = [.init(value: 1, name: "one")]
        pipeline.results = [.init(.image, "labels.nii")]
        return pipeline
    }

    @discardableResult
    private func image(
        _ folder: TemporaryFolder, _ name: String = "a.nii", dims: SIMD3<Int> = SIMD3(6, 5, 4), spacing: Double = 1,
        first: Float = 1
    ) throws -> Study {
        var volume = Volume<Float>(
            grid: VoxelGrid(dims: dims, affine: Affine(spacing: SIMD3(spacing, spacing, spacing))))
        volume.voxels = volume.voxels.indices.map { $0 == 0 ? first : Float($0 % 7) - 2 }
        try NIfTI.write(volume, to: folder.path + "/" + name)
        return Study(name: Study.name(of: name), images: [folder.path + "/" + name])
    }

    /// Weights beside the model belong to what a result comes from.
    @Test func weightsBesideTheModel() throws {
        let folder = TemporaryFolder()
        folder.write(StudyFailureTests.network(external: true), to: "model.onnx")
        let study = try image(folder)
        let pipeline = StudyFailureTests.segmentation(folder)
        var options = PipelineRunner.Options()
        options.existing = .resume
        func isDone(_ weights: [Float]) throws -> Bool {
            folder.write(weights.flatMap { withUnsafeBytes(of: $0) { Array($0) } }, to: "w.bin")
            return try PipelineRunner(pipeline, options: options).run(study, into: folder.path + "/out").wasDone
        }
        #expect(try !isDone([-0.5, 0.5]))
        #expect(try isDone([-0.5, 0.5]))
        #expect(try !isDone([-0.5, 0.25]))
        let provenance = try smallText(folder.path + "/out/a/provenance.json")
        #expect(provenance.contains("\"path\": \"\(folder.path)/w.bin\""))
        #expect(provenance.contains(try Digest.file(folder.path + "/w.bin")))
    }

    /// A study without images is one that fails, wherever it stands; and a budget means the same for every one of equals.
    @Test func listed() throws {
        let folder = TemporaryFolder()
        folder.write(StudyFailureTests.network(), to: "model.onnx")
        let pipeline = StudyFailureTests.segmentation(folder)
        let empty = Study(name: "empty", images: [])
        let studies = try ["a.nii.gz", "b.nii.gz"].map { try image(folder, $0) }
        for budget in [nil, 1 << 30] {
            var options = PipelineRunner.Options()
            options.memoryBudget = budget
            options.existing = .overwrite
            let runner = try PipelineRunner(pipeline, options: options)
            for list in [[empty] + studies, studies + [empty]] {
                let reports = runner.run(list, into: folder.path + "/out")
                for report in reports {
                    let isEmpty = report.study == empty
                    #expect((report.failure as? PipelineFailure)?.code == (isEmpty ? .badInput : nil))
                    if budget != nil, !isEmpty { #expect(report.expectedMemory == reports[1].expectedMemory) }
                }
            }
            #expect(throws: PipelineFailure.self) { try runner.run(empty, into: folder.path + "/out") }
        }
    }

    enum Earlier: CaseIterable {
        case otherImage, noProvenance, damagedResult, imageInPlace, stopped
    }

    /// What stands where results would go: never another image's results or a file that is nobody's, nor the image.
    @Test(arguments: Earlier.allCases) func resumes(_ earlier: Earlier) throws {
        let folder = TemporaryFolder()
        folder.write(StudyFailureTests.network(), to: "model.onnx")
        let pipeline = StudyFailureTests.segmentation(folder)
        var options = PipelineRunner.Options()
        options.existing = .resume
        let runner = try PipelineRunner(pipeline, options: options)
        let out = folder.path + "/out"
        var study = try image(folder)
        #expect(try !runner.run(study, into: out).wasDone)
        let (labels, provenance) = (out + "/a/labels.nii", out + "/a/provenance.json")
        let whole = fileBytes(labels)
        func refuses(_ expected: String) throws {
            let stands = fileBytes(labels)
            let failure = #expect(throws: PipelineFailure.self) { try runner.run(study, into: out) }
            #expect("\(failure!)".contains(expected), "\(failure!)")
            #expect(fileBytes(labels) == stands)
        }
        switch earlier {
        case .otherImage:
            study.images = try image(folder, "b.nii", first: 5).images
            try refuses("\(out)/a holds the results of other images")
        case .noProvenance:
            #expect(unlink(provenance) == 0)
            try refuses("\(labels) is no result of an earlier run")
        case .damagedResult:
            folder.write([1], to: "out/a/labels.nii")
            #expect(try !runner.run(study, into: out).wasDone)
            #expect(fileBytes(labels) == whole)
        case .imageInPlace:
            study.images = [labels]
            try refuses("\(labels): a result would be written over this image")
        case .stopped:
            #expect(unlink(provenance) == 0)
            // No process has so high a number.
            folder.write([1], to: "out/a/.results.2147483647.1.tmp/provenance.json")
            #expect(try !runner.run(study, into: out).wasDone)
            #expect(TemporaryFolder.names(in: out + "/a") == ["labels.nii", "provenance.json"])
        }
    }

    /// What cannot be read has no digest, not an empty one.
    @Test func provenanceOfAMissingFile() throws {
        let folder = TemporaryFolder()
        folder.write(StudyFailureTests.network(), to: "model.onnx")
        let place = StudyFolder(folder.path, StudyFailureTests.segmentation(folder))
        #expect(throws: ImagingError.self) { try place.outputs() }
    }

    struct Refused: Sendable {
        let expected: String
        var code = PipelineFailure.Code.badModel
        var channels: Int64 = 1
        var spacing = 1.0
        var first: Float = 1
        var budget: Int?
        var change: @Sendable (inout Pipeline) -> Void = { _ in }
    }

    /// `MODEL` and `IMAGE` stand for the files' paths, `OUT` for the study's folder. None of them gets to the network.
    static let refused = [
        Refused(expected: "MODEL: the model takes 2 channels, the pipeline gives 1", channels: 2),
        Refused(
            expected: "MODEL: the model's inputs are 'image'", change: { $0.input.name = "picture" }),
        Refused(
            expected: "MODEL: the model's output has 2 channels, enough for 1 labels; the pipeline has 2",
            change: { $0.labels.append(.init(value: 2, name: "two")) }),
        // Before any voxel is read, of which one is refused; with a crop the network's part.
        Refused(
            expected: "IMAGE: the run would hold", code: .overBudget, first: .nan, budget: 1000,
            change: { $0.input.refusesNonFinite = true }),
        Refused(
            expected: "(tiles of 4×4×4 voxels, 2 at a time), the budget is 1000 bytes: smaller tiles",
            code: .overBudget,
            first: .nan, budget: 1000,
            change: {
                $0.input.refusesNonFinite = true
                $0.input.crop = .nonzero(margin: 0)
                $0.tiling = Pipeline.Tiling(scheme: .monai, size: [4, 4, 4], batch: 2)
            }),
        Refused(
            expected: "OUT/labels.png: a PNG holds one slice, IMAGE has 4: ask for .tif or .nii.gz", code: .badInput,
            change: { $0.results = [.init(.measures, "m.csv"), .init(.image, "labels.png")] }),
        Refused(
            expected: "OUT/r.tif: a TIFF has 1, 3 or 4 channels, the model gives 2: ask for .nii.gz",
            change: { $0.becomeReconstruction("r.tif") }),
    ]

    @Test(arguments: refused.indices) func refuses(_ index: Int) throws {
        let row = StudyFailureTests.refused[index]
        let folder = TemporaryFolder()
        folder.write(StudyFailureTests.network(channels: row.channels), to: "model.onnx")
        let study = try image(folder, spacing: row.spacing, first: row.first)
        var pipeline = StudyFailureTests.segmentation(folder)
        row.change(&pipeline)
        var options = PipelineRunner.Options()
        options.memoryBudget = row.budget
        let runner = try PipelineRunner(pipeline, options: options)
        var stages: [String] = []
        // A study by itself throws what a list of them reports.
        let report = try #require(
            runner.run([study], into: folder.path + "/out") { _, stage, _ in stages.append(stage) }.first)
        let failure = try #require(report.failure as? PipelineFailure)
        #expect(failure.code == row.code)
        let message = row.expected.replacing("MODEL", with: pipeline.model).replacing("IMAGE", with: study.images[0])
            .replacing("OUT", with: folder.path + "/out/a")
        #expect("\(failure)".contains(message), "\(failure)")
        #expect(stages == ["reading"])
        #expect(throws: failure) { try runner.run(study, into: folder.path + "/out") }
        #expect(TemporaryFolder.names(in: folder.path) == ["a.nii", "model.onnx"])
    }

    /// PNG has no floats: a colour picture's reconstruction is written, a measured image's refused.
    @Test func floatsAsPNG() throws {
        let folder = TemporaryFolder()
        folder.write(
            modelBytes(
                TestGraph(
                    nodes: [TestNode("Relu", ["image"], ["y"])], inputs: [TestValue("image", ["N", 1, "H", "W"])],
                    outputs: [TestValue("y", ["N", 1, "H", "W"])])), to: "model.onnx")
        var pipeline = StudyFailureTests.segmentation(folder)
        pipeline.becomeReconstruction("r.png")
        let runner = try PipelineRunner(pipeline)
        let floats = try image(folder, dims: SIMD3(6, 5, 1))
        let picture = Picture(width: 3, height: 2, channels: 1, samples: .uint8([0, 1, 2, 3, 200, 255]))
        try picture.writePNG(to: folder.path + "/b.png")
        let studies = [floats, Study(name: "b", images: [folder.path + "/b.png"])]
        let reports = runner.run(studies, into: folder.path + "/out")
        #expect("\(reports[0].failure!)".contains("holds float32: ask for .tif"), "\(reports[0].failure!)")
        #expect(reports[1].failure == nil)
        #expect(TemporaryFolder.names(in: folder.path + "/out") == ["b"])
        #expect(try PictureFile(folder.path + "/out/b/r.png").picture().samples == picture.samples)
    }

    /// An image that cannot be told where it lies is named.
    @Test func namesTheImage() throws {
        let folder = TemporaryFolder()
        folder.write(StudyFailureTests.network(), to: "model.onnx")
        var pipeline = StudyFailureTests.segmentation(folder)
        pipeline.input.sampling = .spacing([1e-4, 1e-4, 1e-4])
        let study = try image(folder, spacing: 1000)
        let runner = try PipelineRunner(pipeline)
        let error = #expect(throws: ImagingError.self) { try runner.run(study, into: folder.path + "/out") }
        #expect(error?.code == .tooLarge)
        #expect(error?.path == study.images[0])
    }

    /// Boxes, of which a picture cannot be put in place: none is, and what stands there stays.
    @Test func allOrNone() throws {
        let folder = TemporaryFolder()
        folder.write(detector(), to: "model.onnx")
        var pipeline = Pipeline.test(task: .detection)
        pipeline.model = folder.path + "/model.onnx"
        pipeline.input.axes = .stored([2, 1, 0])
        pipeline.output.detection = .init(boxes: "boxes", scores: "scores")
        pipeline.labels = [.init(value: 0, name: "a \"b\"\n, c")]
        pipeline.results = [.init(.measures, "boxes.CSV"), .init(.picture, "p.png"), .init(.picture, "z.png")]
        let study = try image(folder, dims: SIMD3(8, 8, 1))
        folder.write([1], to: "out/a/p.png/in-the-way")
        folder.write([1], to: "out/a/z.png")
        var options = PipelineRunner.Options()
        options.existing = .overwrite
        let error = #expect(throws: PipelineFailure.self) {
            try PipelineRunner(pipeline, options: options).run(study, into: folder.path + "/out")
        }
        #expect(error?.code == .cannotWrite)
        #expect(TemporaryFolder.names(in: folder.path + "/out/a") == ["p.png", "z.png"])
        #expect(fileBytes(folder.path + "/out/a/z.png") == [1])

        let report = try PipelineRunner(pipeline).run(study, into: folder.path + "/other")
        #expect(report.boxes.count == 1)
        #expect(report.files == ["boxes.CSV", "p.png", "z.png"].map { folder.path + "/other/a/" + $0 })
        let table = try smallText(folder.path + "/other/a/boxes.CSV")
        #expect(
            table.hasPrefix("index,name,score,i_low,j_low,k_low,i_high,j_high,k_high\r\n0,\"a \"\"b\"\"\n, c\",0.75,"))
    }

    /// One box of [1, 1, 8, 8] images; eight whole numbers besides.
    private func detector() -> [UInt8] {
        modelBytes(
            TestGraph(
                nodes: [
                    TestNode("Identity", ["b"], ["boxes"]), TestNode("Identity", ["s"], ["scores"]),
                    TestNode("Identity", ["n"], ["numbers"]),
                ], inputs: [TestValue("image", [1, 1, 8, 8])],
                outputs: [
                    TestValue("boxes", [1, 4]), TestValue("scores", [1]), TestValue("numbers", [8], type: 7),
                ],
                initializers: [
                    TestTensor("b", dims: [1, 4], floats: [1, 2, 5, 6]), TestTensor("s", dims: [1], floats: [0.75]),
                    TestTensor("n", integers: Array(0..<8)),
                ]))
    }

    /// 4 bytes for a float, 8 for a whole number of 64 bits.
    @Test func bytesOfOutputs() throws {
        let folder = TemporaryFolder()
        let session = try Session(Model(contentsOf: folder.write(detector(), to: "model.onnx")))
        let network = try SessionNetwork(session, input: nil, output: "boxes")
        let plan = try session.plan(for: ["image": [1, 1, 8, 8]]).peakMemory.byteCount
        #expect(try network.byteCount(shape: [1, 1, 8, 8]) - plan == 4 * 64 + 4 * 4 + 4 + 8 * 8)
    }

    /// Labels are compared where the pipeline writes them as a volume.
    @Test func nothingToCompare() throws {
        var pipeline = Pipeline.test(task: .segmentation)
        pipeline.results = [.init(.image, "labels.tif"), .init(.picture, "p.png")]
        let report = StudyReport(Study(name: "a", images: []))
        #expect(throws: PipelineFailure.self) { try report.dice(with: "b.nii", pipeline) }
    }

    /// Where nothing was run there is no label, whatever the bound and however weights add up.
    @Test(arguments: [-2.0, -0.5, 0, 0.5]) func backgroundIsBelowTheBound(_ bound: Double) {
        let value = Pipeline.Output(decision: .threshold(bound)).background(0)
        #expect(value * 0.999 <= Float(bound) && value * 1.001 <= Float(bound))
    }
}

extension Pipeline {
    fileprivate mutating func becomeReconstruction(_ file: String) {
        task = .reconstruction
        output.decision = .values
        labels = []
        results = [.init(.image, file)]
    }
}
