import SardonyxImaging

/// Writes one of a pipeline's result files, volume by volume of a 4D study.
final class ResultWriter {
    private let file: Pipeline.ResultFile
    private let pipeline: Pipeline
    private let path: String
    private let frames: Int
    private let source: VolumeFile
    private let volume: VolumeWriter?
    /// Whether labels take two bytes.
    private let isWide: Bool
    private var csv = ""
    private var json: [JSONValue] = []

    /// - Throws: for what the file cannot hold, before the network runs.
    init(
        _ file: Pipeline.ResultFile, _ pipeline: Pipeline, _ run: StudyRun, _ source: VolumeFile, frames: Int,
        _ place: StudyFolder
    ) throws {
        self.file = file
        self.pipeline = pipeline
        self.frames = frames
        self.source = source
        let areLabels = ResultWriter.areLabels(file, pipeline)
        isWide = areLabels && run.labelTable.contains { $0 > 255 }
        path = place.making(file.file)
        if file.kind == .image, PictureResult.isOne(file.file) {
            try PictureResult.check(
                place.file(file.file), dims: run.resultGrid.dims, frames: frames,
                channels: areLabels ? nil : run.outputChannels,
                like: source)
        }
        guard ResultWriter.isVolume(file) else {
            volume = nil
            return
        }
        let areBytes = areLabels || file.kind == .masks
        volume = try VolumeWriter(
            path: path, grid: run.resultGrid, frames: frames * (areLabels ? 1 : run.outputChannels),
            dataType: areBytes ? isWide ? .uint16 : .uint8 : .float32, spaceCode: source.spaceCode,
            frameDuration: frames > 1 ? source.frameDuration : 0, text: "Sardonyx \(pipeline.name)")
    }

    private static func isVolume(_ file: Pipeline.ResultFile) -> Bool {
        [.image, .probabilities, .masks].contains(file.kind) && !PictureResult.isOne(file.file)
    }

    private static func areLabels(_ file: Pipeline.ResultFile, _ pipeline: Pipeline) -> Bool {
        file.kind == .image && pipeline.output.decision != .values
    }

    /// Whether the file is made of measures alone.
    var takesMeasures: Bool { file.kind == .measures }

    /// Takes the result of a volume, without its measures.
    func take(_ frame: Int, _ result: StudyRun.Result, _ run: StudyRun) throws {
        switch file.kind {
        case .image, .probabilities, .masks: try takeVolume(result)
        case .measures: return
        case .picture: if frame == 0 { try draw(result, run) }
        }
    }

    /// Puts the file in place.
    func finish() throws {
        switch file.kind {
        case .image, .probabilities, .masks: try volume?.finish()
        case .measures:
            let value: JSONValue = frames == 1 ? json.first ?? .null : .object([("frames", .array(json))])
            try writeText(file.isCSV ? csv : value.text(pretty: true) + "\n", to: path)
        case .picture: return
        }
    }

    private func takeVolume(_ result: StudyRun.Result) throws {
        guard let volume else { return try takePicture(result) }
        if ResultWriter.areLabels(file, pipeline) {
            guard let labels = result.labels else { return }
            if isWide { return try append(labels, to: volume) }
            try append(labels, to: volume) { UInt8(truncatingIfNeeded: $0) }
        } else if file.kind == .masks {
            for mask in result.masks { try append(mask, to: volume) { UInt8($0 == 0 ? 0 : 1) } }
        } else {
            for values in result.values { try append(values, to: volume) }
        }
    }

    private func takePicture(_ result: StudyRun.Result) throws {
        if let labels = result.labels {
            try PictureResult.write(labels, pipeline.labels, to: path)
        } else {
            try PictureResult.write(result.values, like: source, to: path)
        }
    }

    /// Appends labels as the bytes that stand for them.
    private func append(
        _ labels: SpillVolume<UInt16>, to volume: VolumeWriter, as byte: (UInt16) -> UInt8
    ) throws {
        var slice = [UInt16](repeating: 0, count: labels.dims.x * labels.dims.y)
        var bytes = [UInt8](repeating: 0, count: slice.count)
        for k in 0..<labels.dims.z {
            try slice.withUnsafeMutableBufferPointer { try labels.read(slice: k, into: $0) }
            for index in slice.indices { bytes[index] = byte(slice[index]) }
            try bytes.withUnsafeBytes { try volume.append($0) }
        }
    }

    private func append<Scalar: BitwiseCopyable & ExpressibleByIntegerLiteral>(
        _ spill: SpillVolume<Scalar>, to volume: VolumeWriter
    ) throws {
        var slice = [Scalar](repeating: 0, count: spill.dims.x * spill.dims.y)
        for k in 0..<spill.dims.z {
            try slice.withUnsafeMutableBufferPointer { try spill.read(slice: k, into: $0) }
            try slice.withUnsafeBytes { try volume.append($0) }
        }
    }

    /// Takes the measures of a volume.
    func takeMeasures(_ frame: Int, _ regions: [RegionMeasures]) {
        let names = Dictionary(
            pipeline.labels.map { (UInt16(clamping: $0.value), $0.name) }, uniquingKeysWith: { first, _ in first })
        let table = MeasureTable(regions, names: names)
        json.append(table.json)
        guard frames > 1 else {
            csv = table.csv
            return
        }
        // A column more tells the volumes apart.
        for (index, line) in table.csv.split(separator: "\r\n").enumerated() where index > 0 || frame == 0 {
            csv += (index == 0 ? "frame" : String(frame)) + "," + line + "\r\n"
        }
    }

    private func draw(_ result: StudyRun.Result, _ run: StudyRun) throws {
        var view = ThreePlaneView()
        view.style.labels = pipeline.labels.map { LabelStyle($0.value, $0.name, $0.colour) }
        let grid = run.resultGrid
        let image = PictureSource(source)
        let labels = result.labels.map { labels in
            PictureSource(grid: grid, isPlaced: image.isPlaced) { box, _, values in
                var found = [UInt16](repeating: 0, count: values.count)
                try found.withUnsafeMutableBufferPointer {
                    try labels.read(box, into: $0.baseAddress!)
                }
                for index in values.indices { values[index] = Float(found[index]) }
            }
        }
        try view.render(image, labels: labels).writePNG(to: path)
    }
}
