import SardonyxImaging
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where a study's results lie, and which of them this run has made.
final class StudyFolder: Sendable {
    static let provenanceName = "provenance.json"
    let path: String
    private let names: [String]
    private let made = Mutex((folder: false, results: false))

    init(_ path: String, _ pipeline: Pipeline) {
        self.path = path
        names = pipeline.results.map(\.file)
    }

    func file(_ name: String) -> String { path + "/" + name }

    /// The paths of the pipeline's results.
    var results: [String] { names.map(file) }

    /// - Throws: `PipelineFailure` `.cannotWrite` when a result is there already.
    func refuseExisting() throws {
        for name in names + [StudyFolder.provenanceName] where access(file(name), F_OK) == 0 {
            throw PipelineFailure(
                .cannotWrite,
                "\(file(name)) is there already: --resume goes on with what is missing, --overwrite replaces it")
        }
    }

    /// Whether all results are there and come from the same pipeline, model and images.
    func isDone(_ identity: String) -> Bool {
        guard names.allSatisfy({ access(file($0), F_OK) == 0 }) else { return false }
        let provenance = try? smallText(file(StudyFolder.provenanceName))
        return provenance?.contains("\"identity\": \"\(identity)\"") ?? false
    }

    /// Makes the folder and takes away what interrupted runs have left there; what says where results come from too,
    /// since they are about to be others.
    func prepare() throws {
        let isNew = folderNames(path) == nil
        try makeFolder(path)
        made.withLock { $0.folder = isNew }
        for name in folderNames(path) ?? [] where name.hasPrefix(".") && name.hasSuffix(".tmp") {
            // .NAME.PROCESS.NUMBER.tmp
            let parts = name.split(separator: ".")
            guard parts.count >= 4, let process = pid_t(parts[parts.count - 3]), process > 0,
                kill(process, 0) != 0 && errno == ESRCH || process == getpid()
            else { continue }
            unlink(file(name))
        }
    }

    /// Takes away what says that the results are whole: before any of them is replaced.
    func invalidate() throws {
        guard unlink(file(StudyFolder.provenanceName)) == 0 || errno == ENOENT else {
            throw PipelineFailure(
                .cannotWrite,
                "\(file(StudyFolder.provenanceName)): cannot be replaced: \(String(cString: strerror(errno)))")
        }
    }

    /// Makes a result in one piece.
    func put(_ name: String, _ make: (_ path: String) throws -> Void) rethrows {
        try make(file(name))
        made.withLock { $0.results = true }
    }

    /// Writes a text in one piece.
    func write(_ text: String, to name: String) throws { try put(name) { try writeText(text, to: $0) } }

    /// Takes away what was made, since a study leaves all of its results or none, and a folder that was made for it. Where
    /// a result was replaced, the others of the run before go too.
    func withdraw() {
        made.withLock {
            if $0.results { for file in results { unlink(file) } }
            if $0.folder { rmdir(path) }
        }
    }
}
