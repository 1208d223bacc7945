import CDigest
import Sardonyx
import SardonyxGraph
import SardonyxImaging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A pipeline with its model, ready for studies.
///
/// ```swift
/// let runner = try PipelineRunner(Pipeline(contentsOf: "Models/brain-extraction"))
/// let report = try runner.run(Study(name: "head", images: ["head.nii.gz"]), into: "out")
/// print(report.regions[0].millilitres)
/// ```
public final class PipelineRunner: Sendable {
    /// How studies are run.
    public struct Options: Sendable {
        /// How the model is run.
        public var session = Session.Options()
        /// The most bytes that a run may hold, the model's included; `nil` for as many as it takes.
        public var memoryBudget: Int?
        /// What happens where a study's results are already.
        public var existing = Existing.refuse

        /// All CPUs, as much memory as it takes, nothing overwritten.
        public init() {}
    }

    /// What happens where a study's results are already.
    public enum Existing: Sendable {
        /// An error.
        case refuse
        /// A study that is done, by the same pipeline, model and images, is left alone; others are run, also in place of
        /// results of another pipeline or model. Results of other images are an error.
        case resume
        /// They are replaced.
        case overwrite
    }

    /// The pipeline.
    public let pipeline: Pipeline
    /// How studies are run.
    public let options: Options
    let session: Session
    let limit: MemoryLimit
    /// Of the pipeline's meaning.
    let digest: String
    /// The model's file, then those beside it that hold its weights.
    let modelFiles: [Provenance.File]

    /// Opens the model of a pipeline, which `Pipeline(contentsOf:)` has read.
    ///
    /// - Throws: `PipelineError` for a pipeline whose values are out of range, `SardonyxError` for a model that cannot be
    ///   run, `ImagingError` for one that cannot be read.
    public init(_ pipeline: Pipeline, options: Options = Options()) throws {
        // One that was changed after it was read is as hostile as a file.
        var inside = pipeline
        inside.model = "model.onnx"
        let problems = inside.problems()
        guard problems.isEmpty else { throw PipelineError(path: pipeline.name, problems: problems) }
        self.pipeline = pipeline
        self.options = options
        limit = MemoryLimit(budget: options.memoryBudget)
        var session = options.session
        if let budget = options.memoryBudget { session.memoryBudget = .bytes(budget) }
        let model = try Model(contentsOf: pipeline.model)
        self.session = try Session(model, options: session)
        modelFiles = try ([pipeline.model] + model.loaded.externalFiles).map { try Provenance.File($0) }
        var text = pipeline
        text.model = ""
        digest = Digest.text(text.text(comments: false))
    }

    /// What a study's run may use.
    func resources(_ place: StudyFolder) -> Resources {
        Resources(pool: session.pool, limit: limit, folder: place.path)
    }

    /// Told what is being done to a study, by its place in the list, and the share of it that is done, 0 to 1.
    public typealias Progress = (_ study: Int, _ stage: String, _ done: Double) -> Void

    /// Runs a study and writes its results into `folder`/`study.name`: together, when all are whole, and provenance.json
    /// after them.
    ///
    /// - Throws: `ImagingError` for images and files, `PipelineFailure` for what does not fit together, `SardonyxError` from
    ///   the model.
    public func run(
        _ study: Study, into folder: String, progress: Progress = { _, _, _ in }
    ) throws -> StudyReport {
        try inside(folder) {
            progress(0, "reading", 0)
            let began = Clock.seconds
            let first = Opening(study, folder, self, isFirst: true)
            planAhead()
            return try run(first.take(), since: began) { progress(0, $0, $1) }
        }
    }

    /// Runs studies one after another; while one runs, a thread more than the session has reads the next one's images, unless
    /// that has one only. A study that fails is reported and
    /// does not stop the others.
    public func run(_ studies: [Study], into folder: String, progress: Progress = { _, _, _ in }) -> [StudyReport] {
        if studies.isEmpty { return [] }
        return inside(folder) {
            progress(0, "reading", 0)
            let began = Clock.seconds
            var next = Opening(studies[0], folder, self, isFirst: true)
            planAhead()
            return studies.indices.map { index in
                if index > 0 { progress(index, "reading", 0) }
                let opened = Result { try next.take() }
                if index + 1 < studies.count { next = Opening(studies[index + 1], folder, self, isFirst: false) }
                do {
                    return try run(opened.get(), since: index == 0 ? began : nil) { progress(index, $0, $1) }
                } catch {
                    var report = StudyReport(studies[index])
                    report.failure = error
                    return report
                }
            }
        }
    }

    /// Plans the network's run, where the model and the pipeline alone say its size, while the first images are read. What
    /// is wrong with it shows when it runs.
    private func planAhead() {
        // With one thread it would only come earlier; measuring needs the machine for itself; done studies need no plan.
        guard session.threadCount > 1, options.session.autotune == nil, options.existing != .resume,
            let network = try? SessionNetwork(
                session, input: pipeline.input.name, output: pipeline.detection?.boxes ?? pipeline.output.name),
            let shape = TileLayout.leastShape(pipeline, fixedShape: network.fixedShape)
        else { return }
        _ = try? network.outputShape(shape: shape)
    }

    /// A folder that was made for results does not stay when there are none.
    private func inside<T>(_ folder: String, _ body: () throws -> T) rethrows -> T {
        let isNew = folderNames(folder) == nil
        defer { if isNew { rmdir(folder) } }
        return try body()
    }

    /// - Parameter start: when opening began, where nothing else went on before this; else opening's own time counts.
    private func run(
        _ opened: OpenedStudy, since start: Double?, progress: (_ stage: String, _ done: Double) -> Void
    ) throws -> StudyReport {
        var report = StudyReport(opened.study)
        report.files = opened.place.results
        if opened.isDone {
            report.wasDone = true
            return report
        }
        let began = Clock.seconds
        report.spend(opened.seconds, on: "reading")
        // Planning may have taken longer.
        let waited = max(opened.seconds, start.map { began - $0 } ?? 0)
        report.spend(waited - opened.seconds, on: "around the network")
        do {
            switch pipeline.task {
            case .segmentation, .reconstruction: report = try StudyJob(self, opened)(report, progress: progress)
            case .classification, .detection: report = try ImageJob(self, opened)(report, progress: progress)
            }
            report.seconds = Clock.seconds - began + waited
            let text = try Provenance(self, opened.inputs).text(report, outputs: opened.place.outputs())
            try writeText(text, to: opened.place.making(StudyFolder.provenanceName))
            try opened.place.putInPlace()
        } catch {
            opened.place.withdraw()
            throw located((error as? ImagingError).map(opened.place.located) ?? error, opened.study)
        }
        progress("done", 1)
        return report
    }

    /// An error with the file that it is about: the model, or the study's image.
    private func located(_ error: any Error, _ study: Study) -> any Error {
        switch error {
        case let failure as PipelineFailure:
            failure.at(failure.code == .badModel ? pipeline.model : study.images.first ?? study.name)
        case let error as ImagingError: error.at(study.images.first ?? study.name)
        case let error as SardonyxError: error.inFile(pipeline.model)
        default: error
        }
    }
}

/// Time that only goes forward.
enum Clock {
    static var seconds: Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}

/// SHA-256, as 64 digits.
enum Digest {
    static func file(_ path: String) throws -> String {
        var text = [CChar](repeating: 0, count: Int(CDG_TEXT_SIZE))
        let failure = cdg_sha256_file(path, &text)
        guard failure == 0 else {
            throw ImagingError(
                .cannotOpen, path: path, problem: "cannot be read (\(String(cString: strerror(failure))))",
                remedy: "check the name and your rights")
        }
        return String(decoding: text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func text(_ string: String) -> String {
        var text = [CChar](repeating: 0, count: Int(CDG_TEXT_SIZE))
        let bytes = Array(string.utf8)
        _ = bytes.withUnsafeBytes { cdg_sha256($0.baseAddress, $0.count, &text) }
        return String(decoding: text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
