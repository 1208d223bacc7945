import Sardonyx
import SardonyxExecution
import SardonyxImaging

/// One study through a pipeline that says something of the whole image: its class, or boxes in it.
struct ImageJob {
    private let runner: PipelineRunner
    private let place: StudyFolder
    private let files: [VolumeFile]

    private var pipeline: Pipeline { runner.pipeline }

    init(_ runner: PipelineRunner, _ opened: OpenedStudy) {
        self.runner = runner
        place = opened.place
        files = opened.files
    }

    /// Runs the network once and writes the result files.
    func callAsFunction(
        _ report: StudyReport, progress: (_ stage: String, _ done: Double) -> Void
    ) throws -> StudyReport {
        var report = report
        let images = try StudyImages(files, pipeline.input, frame: 0)
        guard images.frames == 1 else {
            throw PipelineFailure(
                .badInput,
                "\(files[0].path): holds \(images.frames) volumes, a \(pipeline.task.rawValue) takes one: cut one out with "
                    + "'sardonyx convert --frame'")
        }
        let network = try SessionNetwork(
            runner.session, input: pipeline.input.name, output: pipeline.detection?.boxes ?? pipeline.output.name)
        let resources = runner.resources(place)
        let layout = try StudyLayout(
            pipeline, images, network: network, fixedShape: network.fixedShape, resources)
        let (grid, tiles) = (layout.grid, layout.tiles)
        guard tiles.starts.allSatisfy({ $0.count == 1 }) else {
            throw PipelineFailure(
                .badInput,
                "\(files[0].path): has \(images.grid.summary), more than the one \(tiles.isFlat ? "slice" : "volume") of "
                    + "\(tiles.sizeText) voxels that the model takes: check input.axes, or set input.size in the pipeline"
            )
        }
        let start = tiles.starts.map { $0[0] }
        let runShape = tiles.leastShape
        let source = RowSource.byteCount(grid, hasForeground: pipeline.input.usesForeground)
        report.expectedMemory =
            try network.byteCount(shape: runShape) + InputSlab.byteCount(grid, tiles)
            + images.channels.count * source + images.byteCount
        try resources.limit.check(report.expectedMemory, tiles.summary)
        report.planHash = try network.planHash(shape: runShape)
        let preparation = try Preparation(
            images, pipeline.input, layout.route, crop: layout.crop, window: layout.window, resources)
        let slab = InputSlab(grid, tiles, preparation.sources(on: grid), pipeline.tiling)
        try slab.load(for: start[2])
        progress("running the network", 0.2)
        try network.run(shape: runShape) { input in
            let count = input.count / runShape[0]
            slab.gather(
                Tile(x: start[0], y: start[1], z: start[2]), UnsafeMutableBufferPointer(rebasing: input[..<count]),
                resources.pool)
            for index in count..<input.count { input[index] = 0 }
        } use: { values, shape in
            if pipeline.task == .classification {
                report.classes = try classes(Array(values), shape, resources.pool)
            }
        }
        if let detection = pipeline.detection {
            let toSource = SourcePoint(grid, tiles, start)
            report.boxes = try detection.boxes(network.outputs, size: tiles.size.suffix(2), pipeline).map {
                toSource.box($0)
            }
        }
        report.tiles = 1
        report.spend(network.seconds, on: "network")
        progress("writing", 0.95)
        try write(report)
        return report
    }

    /// Probabilities of a [1, classes] output, or of one with more axes of size 1.
    private func classes(_ values: [Float], _ shape: [Int], _ pool: WorkerPool) throws -> [ClassProbability] {
        let count = shape.dropFirst().reduce(1, *)
        guard shape.count > 1, !values.isEmpty, shape.dropFirst().filter({ $0 > 1 }).count <= 1 else {
            throw PipelineFailure(
                .badModel, "the model's output has the shape \(shape); a classifier gives one value a class")
        }
        var scores = Array(values[..<count])
        scores.withUnsafeMutableBufferPointer {
            pipeline.output.activation.apply($0, channels: count, pool)
        }
        return scores.indices.map {
            ClassProbability(index: $0, name: pipeline.className($0), probability: Double(scores[$0]))
        }.sorted { $0.probability > $1.probability || $0.probability == $1.probability && $0.index < $1.index }
    }

    private func write(_ report: StudyReport) throws {
        for file in pipeline.results where file.kind == .measures {
            try writeText(
                file.isCSV ? report.csv : report.json.text(pretty: true) + "\n", to: place.making(file.file))
        }
        for file in pipeline.results where file.kind == .picture {
            var view = ThreePlaneView()
            view.style.caption = report.caption
            try view.render(PictureSource(files[0])).writePNG(to: place.making(file.file))
        }
    }
}

extension Pipeline {
    /// How boxes come out, for detectors.
    var detection: Detection? { task == .detection ? output.detection : nil }

    /// The name of a class by its index in the model's output.
    func className(_ index: Int) -> String { labels.first { $0.value == index }?.name ?? "class \(index)" }
}

extension StudyReport {
    /// What a detector's picture says below.
    fileprivate var caption: String { boxes.isEmpty ? "nothing found" : "\(boxes.count) found" }

    fileprivate var json: JSONValue {
        .object([
            (
                "classes",
                .array(
                    classes.map {
                        .object([
                            ("index", .integer($0.index)), ("name", .string($0.name)),
                            ("probability", .number($0.probability)),
                        ])
                    })
            ),
            (
                "boxes",
                .array(
                    boxes.map {
                        .object([
                            ("index", .integer($0.index)), ("name", .string($0.name)), ("score", .number($0.score)),
                            ("lower", .vector($0.lower)), ("upper", .vector($0.upper)),
                        ])
                    })
            ),
        ])
    }

    fileprivate var csv: String {
        func table(_ columns: [String], _ rows: [[String]]) -> String {
            ([columns] + rows).map { $0.map(MeasureTable.field).joined(separator: ",") + "\r\n" }.joined()
        }
        guard classes.isEmpty else {
            return table(
                ["index", "name", "probability"], classes.map { ["\($0.index)", $0.name, "\($0.probability)"] })
        }
        return table(
            ["index", "name", "score", "i_low", "j_low", "k_low", "i_high", "j_high", "k_high"],
            boxes.map { box in
                ["\(box.index)", box.name, "\(box.score)"]
                    + [box.lower, box.upper].flatMap { ["\($0.x)", "\($0.y)", "\($0.z)"] }
            })
    }
}
