import Dispatch
import SardonyxImaging

/// A study whose images are open.
struct OpenedStudy: Sendable {
    let study: Study
    let place: StudyFolder
    let files: [VolumeFile]
    let inputs: [Provenance.File]
    /// Whether its results are there already, by the same pipeline, model and images.
    let isDone: Bool
    /// Seconds that opening took.
    let seconds: Double

    /// Compressed images of up to so many bytes of voxels, all together, stay in memory where nothing else is running
    /// meanwhile and no budget holds.
    private static let mostInMemory = 16 << 20

    /// - Parameter isFirst: whether no other study is run while this one is opened.
    /// - Throws: `ImagingError` for images, `PipelineFailure` for a name that is no folder's, and where results are that
    ///   must not be replaced.
    init(_ study: Study, _ folder: String, _ runner: PipelineRunner, isFirst: Bool) throws {
        let began = Clock.seconds
        self.study = study
        if let problem = study.problem { throw PipelineFailure(.badInput, problem) }
        guard ![".", "..", ""].contains(study.name), !study.name.utf8.contains(where: { $0 == 0 || $0 == 0x2F }) else {
            throw PipelineFailure(
                .badInput, "'\(study.name)' is no name for a folder of results: give the image another name")
        }
        place = StudyFolder(folder + "/" + study.name, runner.pipeline)
        if runner.options.existing == .refuse { try place.refuseExisting() }
        inputs = try study.images.flatMap { try VolumeFile.files(of: $0) }.map { try Provenance.File($0) }
        try place.refuseInputs(inputs)
        isDone =
            try runner.options.existing == .resume && place.isDone(Provenance(runner, inputs).identity, inputs)
        if isDone {
            files = []
        } else {
            do {
                try place.prepare()
                let path = place.path
                let memory = isFirst && runner.options.memoryBudget == nil ? OpenedStudy.mostInMemory : 0
                files = try study.images.map {
                    try VolumeFile(contentsOf: $0, memory: memory / study.images.count, temporaryFolder: path)
                }
            } catch {
                place.withdraw()
                throw error
            }
        }
        seconds = Clock.seconds - began
    }
}

/// A study that is being opened on a thread of its own; where there is to be one thread, when it is taken.
final class Opening: @unchecked Sendable {
    private let open: @Sendable () throws -> OpenedStudy
    private let isAhead: Bool
    private let done = DispatchSemaphore(value: 0)
    /// Written before `done` is signalled, read after.
    private var result: Result<OpenedStudy, any Error> = .failure(CancellationError())

    init(_ study: Study, _ folder: String, _ runner: PipelineRunner, isFirst: Bool) {
        open = { try OpenedStudy(study, folder, runner, isFirst: isFirst) }
        isAhead = runner.session.threadCount > 1
        guard isAhead else { return }
        // A queue of its own has a thread also where all others wait.
        DispatchQueue(label: "sardonyx.opening").async { [self] in
            result = Result { try open() }
            done.signal()
        }
    }

    /// Waits for the study; once.
    func take() throws -> OpenedStudy {
        guard isAhead else { return try open() }
        done.wait()
        return try result.get()
    }
}
