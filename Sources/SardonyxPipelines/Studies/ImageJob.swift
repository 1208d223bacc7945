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
        let shape = network.fixedShape
        let isFlat = try TileLayout.isFlat(pipeline.tiling, shape)
        let route = WorkingGrid.Route(pipeline.input.axes, of: images.grid, isFlat: isFlat)
        let preparation = try Preparation(images, pipeline.input, route, folder: place.path)
        let grid = try WorkingGrid(
            pipeline.input, output: .linear, source: images.grid, route: route, crop: preparation.crop, zoom: [1, 1, 1])
        let layout = try TileLayout(pipeline, grid: grid.dims, networkAxis: grid.networkAxis, fixedShape: shape)
        guard layout.starts.allSatisfy({ $0.count == 1 }) else {
            throw PipelineFailure(
                .badInput,
                "\(files[0].path): has \(images.grid.summary); the model says something of one "
                    + "\(layout.isFlat ? "slice" : "volume") of \(layout.size.map(String.init).joined(separator: "×"))")
        }
        let start = layout.starts.map { $0[0] }
        let runShape = layout.leastShape
        report.expectedMemory =
            try network.byteCount(shape: runShape) + InputSlab.byteCount(grid, layout)
            + images.channels.count * RowSource.byteCount(grid) + images.byteCount
        let budget = min(runner.options.memoryBudget ?? .max, MachineMemory.byteCount)
        if report.expectedMemory > budget {
            throw PipelineFailure(
                .overBudget,
                "the run would hold \(Megabytes.text(report.expectedMemory)), it may hold \(Megabytes.text(budget))")
        }
        report.planHash = try network.planHash(shape: runShape)
        let slab = InputSlab(grid, layout, preparation.sources(on: grid), pipeline.tiling)
        try slab.load(for: start[2])
        progress("running the network", 0.2)
        try network.run(shape: runShape) { input in
            let count = input.count / runShape[0]
            slab.gather(
                Tile(x: start[0], y: start[1], z: start[2]), UnsafeMutableBufferPointer(rebasing: input[..<count]),
                .shared)
            for index in count..<input.count { input[index] = 0 }
        } use: { values, shape in
            if pipeline.task == .classification {
                report.classes = try classes(Array(values), shape)
            }
        }
        if let detection = pipeline.detection {
            let toSource = SourcePoint(grid, layout, start)
            report.boxes = try detection.boxes(network.outputs, size: layout.size.suffix(2), pipeline).map {
                toSource.box($0)
            }
        }
        report.tiles = 1
        report.spend(network.seconds, on: "network")
        progress("writing", 0.95)
        try write(report)
        report.files = pipeline.results.map { place.file($0.file) }
        return report
    }

    /// Probabilities of a [1, classes] output, or of one with more axes of size 1.
    private func classes(_ values: [Float], _ shape: [Int]) throws -> [ClassProbability] {
        let count = shape.dropFirst().reduce(1, *)
        guard shape.count > 1, !values.isEmpty, shape.dropFirst().filter({ $0 > 1 }).count <= 1 else {
            throw PipelineFailure(
                .badModel, "the model's output has the shape \(shape); a classifier gives one value a class")
        }
        var scores = Array(values[..<count])
        scores.withUnsafeMutableBufferPointer { pipeline.output.activation.apply($0, channels: count) }
        return scores.indices.map {
            ClassProbability(index: $0, name: pipeline.className($0), probability: Double(scores[$0]))
        }.sorted { $0.probability > $1.probability || $0.probability == $1.probability && $0.index < $1.index }
    }

    private func write(_ report: StudyReport) throws {
        for file in pipeline.results where file.kind == .measures {
            try place.write(
                file.file.hasSuffix(".csv") ? report.csv : report.json.text(pretty: true) + "\n", to: file.file)
        }
        for file in pipeline.results where file.kind == .picture {
            var view = ThreePlaneView()
            view.style.caption = report.caption
            let picture = try view.render(PictureSource(files[0]))
            try picture.writePNG(to: place.file(file.file))
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
    /// What a picture says below.
    fileprivate var caption: String {
        if let best = classes.first { return "\(best.name) \(Int((best.probability * 100).rounded())) %" }
        return boxes.isEmpty ? "nothing found" : "\(boxes.count) found"
    }

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
        func field(_ text: String) -> String {
            text.contains { ",\"\r\n".contains($0) }
                ? "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
                : text
        }
        if !boxes.isEmpty || classes.isEmpty {
            func corner(_ v: SIMD3<Double>) -> String { "\(v.x),\(v.y),\(v.z)" }
            return "index,name,score,i_low,j_low,k_low,i_high,j_high,k_high\r\n"
                + boxes.map {
                    "\($0.index),\(field($0.name)),\($0.score),\(corner($0.lower)),\(corner($0.upper))\r\n"
                }.joined()
        }
        return "index,name,probability\r\n"
            + classes.map { "\($0.index),\(field($0.name)),\($0.probability)\r\n" }.joined()
    }
}
