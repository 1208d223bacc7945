import SardonyxImaging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where a study's results lie.
struct StudyFolder {
    static let provenanceName = "provenance.json"
    let path: String
    private let names: [String]

    init(_ path: String, _ pipeline: Pipeline) {
        self.path = path
        names = pipeline.results.map(\.file)
    }

    func file(_ name: String) -> String { path + "/" + name }

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
        return smallText(file(StudyFolder.provenanceName)).contains("\"identity\": \"\(identity)\"")
    }

    /// Makes the folder and takes away what interrupted runs have left there; what says where results come from too,
    /// since they are about to be others.
    func prepare() throws {
        try makeFolder(path)
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

    /// Writes a text in one piece.
    func write(_ text: String, to name: String) throws {
        try writeText(text, to: file(name))
    }
}

/// The first 64 KB of a file; empty when there is none.
private func smallText(_ path: String) -> String {
    guard let file = fopen(path, "re") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
}
