import SardonyxImaging
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where a study's results lie. They are made in a folder within it and put in place together once all are whole.
final class StudyFolder: Sendable {
    static let provenanceName = "provenance.json"
    let path: String
    private let names: [String]
    private let unfinished: String
    private let isMade = Mutex(false)

    init(_ path: String, _ pipeline: Pipeline) {
        self.path = path
        names = pipeline.results.map(\.file)
        unfinished = "\(path)/.results.\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
    }

    func file(_ name: String) -> String { path + "/" + name }

    /// Where a result is made.
    func making(_ name: String) -> String { unfinished + "/" + name }

    /// The paths of the pipeline's results.
    var results: [String] { names.map(file) }

    /// The results that were made, as files that are in place soon.
    ///
    /// - Throws: `ImagingError` `.cannotOpen` for one that cannot be read.
    func outputs() throws -> [Provenance.File] {
        try names.map { try Provenance.File(making($0), shown: file($0)) }
    }

    /// - Throws: `PipelineFailure` `.badInput` when one of the images is where a result would go.
    func refuseInputs(_ inputs: [Provenance.File]) throws {
        for result in results + [file(StudyFolder.provenanceName)] {
            guard let place = FileIdentity(result) else { continue }
            if let image = inputs.first(where: { FileIdentity($0.path) == place }) {
                throw PipelineFailure(
                    .badInput, path: image.path,
                    "a result would be written over this image: name another --output, or another file in the pipeline's "
                        + "results")
            }
        }
    }

    /// - Throws: `PipelineFailure` `.cannotWrite` when a result is there already.
    func refuseExisting() throws {
        for name in names + [StudyFolder.provenanceName] where access(file(name), F_OK) == 0 {
            throw PipelineFailure(
                .cannotWrite,
                "\(file(name)) is there already: --resume goes on with what is missing, --overwrite replaces it")
        }
    }

    /// Whether all results are there as they were written, and come from the same pipeline, model and images.
    ///
    /// - Throws: `PipelineFailure` `.cannotWrite` for results of other images, and for files of these names that no run of
    ///   a pipeline has left.
    func isDone(_ identity: String, _ inputs: [Provenance.File]) throws -> Bool {
        let there = names.filter { access(file($0), F_OK) == 0 }
        guard let provenance = try? smallText(file(StudyFolder.provenanceName)) else {
            // One that was stopped while it put results in place leaves its folder.
            guard there.isEmpty || !leftovers().isEmpty else {
                throw PipelineFailure(
                    .cannotWrite,
                    "\(file(there[0])) is no result of an earlier run, since there is no \(StudyFolder.provenanceName) "
                        + "beside it: --overwrite replaces it")
            }
            return false
        }
        func holds(_ field: String, _ value: String) -> Bool {
            provenance.contains("\"\(field)\": " + JSONValue.string(value).text())
        }
        // An image may have changed where it lies.
        guard inputs.allSatisfy({ holds("sha256", $0.sha256) || holds("path", $0.path) }) else {
            throw PipelineFailure(
                .cannotWrite,
                "\(path) holds the results of other images: name another --output or study, or replace them with "
                    + "--overwrite")
        }
        return try holds("identity", identity) && there == names
            && there.allSatisfy { holds("sha256", try Provenance.File(file($0)).sha256) }
    }

    /// Makes the folders and takes away what interrupted runs have left there.
    func prepare() throws {
        let isNew = folderNames(path) == nil
        try makeFolder(unfinished)
        isMade.withLock { $0 = isNew }
        for name in leftovers() { remove(file(name)) }
    }

    /// Temporary files and folders of processes that are gone: .NAME.PROCESS.NUMBER.tmp.
    private func leftovers() -> [String] {
        (folderNames(path) ?? []).filter { name in
            guard name.hasPrefix("."), name.hasSuffix(".tmp"), file(name) != unfinished else { return false }
            let parts = name.split(separator: ".")
            guard parts.count >= 4, let process = pid_t(parts[parts.count - 3]), process > 0 else { return false }
            return kill(process, 0) != 0 && errno == ESRCH || process == getpid()
        }
    }

    /// Removes a file, or a folder of files.
    private func remove(_ path: String) {
        if unlink(path) == 0 { return }
        for name in folderNames(path) ?? [] { unlink(path + "/" + name) }
        rmdir(path)
    }

    /// Puts all results in place, what says where they come from last; before that nothing of an earlier run is touched.
    ///
    /// - Throws: `PipelineFailure` `.cannotWrite`.
    func putInPlace() throws {
        let all = names + [StudyFolder.provenanceName]
        for name in all where folderNames(file(name)) != nil {
            throw PipelineFailure(.cannotWrite, "\(file(name)): a folder of this name is in the way: move it away")
        }
        // Without it the results are not taken for whole.
        guard unlink(file(StudyFolder.provenanceName)) == 0 || errno == ENOENT else {
            throw failure(StudyFolder.provenanceName)
        }
        for name in all where rename(making(name), file(name)) != 0 { throw failure(name) }
        rmdir(unfinished)
    }

    private func failure(_ name: String) -> PipelineFailure {
        PipelineFailure(
            .cannotWrite,
            "\(file(name)): cannot be put in place (\(String(cString: strerror(errno)))): check your rights")
    }

    /// Takes away what was made, and a folder that was made for it.
    func withdraw() {
        remove(unfinished)
        if isMade.withLock({ $0 }) { rmdir(path) }
    }

    /// An error with the place that a result would have had.
    func located(_ error: ImagingError) -> ImagingError {
        guard error.path.hasPrefix(unfinished + "/") else { return error }
        return ImagingError(
            error.code,
            path: file(String(decoding: error.path.utf8.dropFirst(unfinished.utf8.count + 1), as: UTF8.self)),
            problem: error.problem, remedy: error.remedy)
    }
}
