import Sardonyx
import SardonyxImaging

/// One study on its way through a pipeline that makes volumes: labels, values or both, on the source's grid.
struct StudyJob {
    private let runner: PipelineRunner
    private let place: StudyFolder
    private let files: [VolumeFile]
    private let network: SessionNetwork

    private var pipeline: Pipeline { runner.pipeline }

    init(_ runner: PipelineRunner, _ opened: OpenedStudy) throws {
        self.runner = runner
        place = opened.place
        files = opened.files
        network = try SessionNetwork(
            runner.session, input: runner.pipeline.input.name, output: runner.pipeline.output.name)
    }

    /// Runs all volumes of the study, one after another, and writes the result files.
    func callAsFunction(
        _ report: StudyReport, progress: (_ stage: String, _ done: Double) -> Void
    ) throws -> StudyReport {
        var report = report
        var writers: [ResultWriter] = []
        let frames = try StudyImages(files, pipeline.input, frame: 0).frames
        for frame in 0..<frames {
            let images = try StudyImages(files, pipeline.input, frame: frame)
            let run = try report.timed("around the network") {
                try StudyRun(
                    pipeline, images, network: network, fixedShape: network.fixedShape,
                    runner.resources(place))
            }
            // A crop may keep more of a later volume than of the first.
            report.expectedMemory = max(report.expectedMemory, try run.peakMemory())
            if frame == 0 {
                report.planHash = try network.planHash(shape: run.layout.leastShape)
                writers = try pipeline.results.map {
                    try ResultWriter($0, pipeline, run, files[0], frames: frames, place)
                }
            }
            report.tiles += run.tileCount
            let share = 1 / Double(frames)
            let (began, before) = (Clock.seconds, network.seconds)
            let result = try run { done in
                progress("running the network", (Double(frame) + 0.9 * done) * share)
            }
            let inNetwork = network.seconds - before
            report.spend(inNetwork, on: "network")
            report.spend(Clock.seconds - began - inNetwork, on: "around the network")
            progress("after the network", (Double(frame) + 0.9) * share)
            try report.timed("cleaning") {
                try result.clean(pipeline.postprocessing.map(\.cleaning), voxelVolume: run.resultGrid.voxelVolume)
            }
            progress("writing", (Double(frame) + 0.95) * share)
            let needsMeasures = frame == 0 || pipeline.results.contains { $0.kind == .measures }
            let isLast = frame == frames - 1
            var regions: [RegionMeasures] = []
            try report.timed("writing") {
                // Files of voxels and pictures need no measures; most of the time is the disk's.
                let (measured, others) = (writers.filter(\.takesMeasures), writers.filter { !$0.takesMeasures })
                try concurrently(
                    runner.session.pool,
                    [
                        {
                            if needsMeasures { regions = try measure(result, run) }
                            for writer in measured {
                                writer.takeMeasures(frame, regions)
                                if isLast { try writer.finish() }
                            }
                        }
                    ]
                        + others.map { writer in
                            {
                                try writer.take(frame, result, run)
                                if isLast { try writer.finish() }
                            }
                        })
            }
            if frame == 0 { report.regions = regions }
        }
        return report
    }

    private func measure(_ result: StudyRun.Result, _ run: StudyRun) throws -> [RegionMeasures] {
        guard let labels = result.labels else { return [] }
        var measures = LabelMeasures()
        let isAsked = pipeline.results.contains { $0.kind == .measures }
        (measures.measuresSurface, measures.measuresDiameters) = (isAsked, isAsked)
        let grid = run.resultGrid
        // Of a refined grid the source has no values.
        guard isAsked, grid == run.images.grid else { return try measures.measure(labels, grid: grid) }
        return try measures.measure(labels, grid: grid) { try run.images.channels[0].read($0, into: $1) }
    }
}

extension Pipeline.PostprocessingStep {
    /// The same for label volumes.
    var cleaning: LabelCleaning {
        func set(_ labels: [Int]) -> Set<UInt16> { Set(labels.map { UInt16(clamping: $0) }) }
        switch self {
        case .largestComponent(let labels, let connectivity):
            return .largestComponent(labels: set(labels), connectivity: connectivity)
        case .minimumVolume(let volume, let labels):
            return .minimumVolume(cubicMillimetres: volume, labels: set(labels))
        case .fillHoles(let labels): return .fillHoles(labels: set(labels))
        }
    }
}
