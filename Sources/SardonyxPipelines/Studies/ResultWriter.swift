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
    private let voxelBytes: Int
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
            (volume, voxelBytes) = (nil, 0)
            return
        }
        let areBytes = areLabels || file.kind == .masks
        let type: VoxelType = areBytes ? isWide ? .uint16 : .uint8 : .float32
        voxelBytes = type.bytes
        volume = try VolumeWriter(
            path: path, grid: run.resultGrid, frames: frames * (areLabels ? 1 : run.outputChannels),
            dataType: type, spaceCode: source.spaceCode,
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
            try append(labels, to: volume)
        } else if file.kind == .masks {
            for mask in result.masks { try appendMask(mask, to: volume) }
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

    private func append(_ labels: RunStore, to volume: VolumeWriter) throws {
        try append(labels.dims, to: volume) { k, slice in
            if isWide {
                try slice.withMemoryRebound(to: UInt16.self) { try labels.read(slice: k, into: $0) }
            } else {
                try slice.withMemoryRebound(to: UInt8.self) { try labels.readBytes(slice: k, into: $0) }
            }
        }
    }

    /// Appends 1 for each voxel with a label.
    private func appendMask(_ mask: RunStore, to volume: VolumeWriter) throws {
        var labels = [UInt16](repeating: 0, count: mask.dims.x * mask.dims.y)
        try append(mask.dims, to: volume) { k, bytes in
            try labels.withUnsafeMutableBufferPointer { try mask.read(slice: k, into: $0) }
            for index in labels.indices { bytes[index] = labels[index] == 0 ? 0 : 1 }
        }
    }

    private func append(_ values: SpillVolume<Float>, to volume: VolumeWriter) throws {
        try append(values.dims, to: volume) { k, slice in
            try slice.withMemoryRebound(to: Float.self) { try values.read(slice: k, into: $0) }
        }
    }

    /// Appends slices, whose bytes `fill` gives.
    private func append(
        _ dims: SIMD3<Int>, to volume: VolumeWriter,
        _ fill: (_ k: Int, _ slice: UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        let slice = UnsafeMutableRawBufferPointer.allocate(
            byteCount: dims.x * dims.y * voxelBytes, alignment: MemoryLayout<Float>.alignment)
        defer { slice.deallocate() }
        for k in 0..<dims.z {
            try fill(k, slice)
            try volume.append(UnsafeRawBufferPointer(slice))
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
            PictureSource(grid: grid, isPlaced: image.isPlaced) { visit in
                for k in 0..<grid.dims.z { try labels.withRuns(slice: k) { try visit(k, $0) } }
            } read: { box, _, values in
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
