import Dispatch
import SardonyxImaging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A study whose images are open.
struct OpenedStudy: Sendable {
    let study: Study
    let place: StudyFolder
    let files: [VolumeFile]
    let inputs: [Provenance.Input]
    /// Whether its results are there already, by the same pipeline, model and images.
    let isDone: Bool
    /// Seconds that opening took.
    let seconds: Double

    /// - Throws: `ImagingError` for images, `PipelineFailure` for a name that is no folder's, and where results are that
    ///   must not be replaced.
    init(_ study: Study, _ folder: String, _ runner: PipelineRunner) throws {
        let began = Clock.seconds
        self.study = study
        guard ![".", "..", ""].contains(study.name), !study.name.utf8.contains(where: { $0 == 0 || $0 == 0x2F }) else {
            throw PipelineFailure(
                .badInput, "'\(study.name)' is no name for a folder of results: give the image another name")
        }
        place = StudyFolder(folder + "/" + study.name, runner.pipeline)
        if runner.options.existing == .refuse { try place.refuseExisting() }
        inputs = try study.images.flatMap { try VolumeFile.files(of: $0) }.map {
            Provenance.Input(path: $0, sha256: try Digest.file($0))
        }
        isDone = runner.options.existing == .resume && place.isDone(Provenance(runner, inputs).identity)
        if isDone {
            files = []
        } else {
            let made = [folder, place.path].filter { folderNames($0) == nil }
            try place.prepare()
            do {
                let path = place.path
                files = try study.images.map { try VolumeFile(contentsOf: $0, temporaryFolder: path) }
                try place.invalidate()
            } catch {
                // An image that cannot be read leaves no empty folders.
                for folder in made.reversed() { rmdir(folder) }
                throw error
            }
        }
        seconds = Clock.seconds - began
    }
}

/// Opens one study at a time on a thread of its own.
final class Opener {
    private let runner: PipelineRunner
    private let folder: String
    private let queue = DispatchQueue(label: "sardonyx.studies")
    private var result: Slot?

    /// What the thread leaves; `done` is signalled once it is there.
    private final class Slot: @unchecked Sendable {
        let done = DispatchSemaphore(value: 0)
        var result: Result<OpenedStudy, any Error>?
    }

    init(_ runner: PipelineRunner, _ folder: String) {
        self.runner = runner
        self.folder = folder
    }

    var isUnderWay: Bool { result != nil }

    /// Begins to open a study.
    func start(_ study: Study) {
        let slot = Slot()
        result = slot
        queue.async { [runner, folder] in
            slot.result = Result { try OpenedStudy(study, folder, runner) }
            slot.done.signal()
        }
    }

    /// Waits for the study that was begun.
    func take() throws -> OpenedStudy {
        guard let slot = result else { throw PipelineFailure(.badInput, "no study was begun") }
        result = nil
        slot.done.wait()
        guard let result = slot.result else { throw PipelineFailure(.badInput, "the study was not opened") }
        return try result.get()
    }
}
