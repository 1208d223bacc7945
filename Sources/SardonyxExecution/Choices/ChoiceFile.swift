import CKernels
import Glibc
import SardonyxGraph

/// Measured choices of kernels as a file holds them: JSON, an entry a line, those of several machines side by side.
///
/// Anybody may have written the file: its size is bounded, every field is checked, and an entry never names more than one of
/// the kernels that can do the work.
struct ChoiceFile {
    /// What a choice is for: the work in words, and the machine as far as times depend on it.
    struct Key: Hashable {
        var question: String
        var instructionSet: String
        var cacheByteCount: Int
    }

    struct Entry {
        var chosen: String
        /// Microseconds by kernel; for people, nothing depends on them.
        var times: JSON
    }

    static let version = 1
    /// In bytes: what some ten thousand layers take.
    private static let sizeLimit = 4 << 20

    let path: String
    private(set) var entries: [Key: Entry] = [:]
    /// The keys in the order of the file.
    private var order: [Key] = []

    /// A question on this machine.
    static func key(_ question: String) -> Key {
        Key(
            question: question, instructionSet: Processor.instructionSet,
            cacheByteCount: Int(sdx_second_cache_bytes()))
    }

    /// A file without entries, which is not there yet.
    private init(path: String) { self.path = path }

    /// What is in the file; nothing where there is none.
    init(contentsOf path: String) throws(SardonyxError) {
        self.init(path: path)
        guard let text = try Self.text(path) else { return }
        try read(text)
    }

    /// Where an entry stands, for messages.
    func place(of key: Key) -> String {
        order.firstIndex(of: key).map { "choice \($0 + 1) ('\(key.question)')" } ?? "'\(key.question)'"
    }

    func error(_ message: String) -> SardonyxError {
        SardonyxError(
            .invalidOption, "\(message); correct the file, or delete it so that all is measured anew", file: path)
    }

    // MARK: Reading

    private static func text(_ path: String) throws(SardonyxError) -> String? {
        func fail(_ what: String) -> SardonyxError { SardonyxError(.file, what, file: path) }
        // A pipe would wait for whoever writes.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw fail("cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw fail("is no file") }
        guard status.st_size <= sizeLimit else {
            throw fail("\(status.st_size) bytes of choices are too many; at most \(sizeLimit) are read")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress! + done, $0.count - done)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw fail("cannot be read: \(String(cString: strerror(errno)))") }
            if count == 0 { break }
            done += count
        }
        return String(decoding: bytes[..<done], as: UTF8.self)
    }

    private mutating func read(_ text: String) throws(SardonyxError) {
        guard let json = JSON(parsing: text), case .object = json, case .int(let version)? = json["sardonyx_choices"]
        else { throw error("this is no file of measured choices") }
        guard version == Self.version else {
            throw error("version \(version) of choices; this program knows version \(Self.version)")
        }
        guard case .array(let values)? = json["choices"] else { throw error("there is no list 'choices'") }
        for (index, value) in values.enumerated() {
            guard let question = value["convolution"]?.string, !question.isEmpty else {
                throw error("choice \(index + 1): 'convolution' is no text")
            }
            func fail(_ what: String) -> SardonyxError { error("choice \(index + 1) ('\(question)'): \(what)") }
            guard let instructionSet = value["isa"]?.string else { throw fail("'isa' is no text") }
            guard case .int(let cache)? = value["l2_bytes"], cache > 0 else { throw fail("'l2_bytes' is no size") }
            guard let chosen = value["algorithm"]?.string else { throw fail("'algorithm' is no text") }
            guard case .object? = value["microseconds"] else { throw fail("'microseconds' is no object") }
            let key = Key(question: question, instructionSet: instructionSet, cacheByteCount: cache)
            guard entries[key] == nil else { throw fail("there is an earlier choice for the same") }
            insert(Entry(chosen: chosen, times: value["microseconds"] ?? .null), for: key)
        }
    }

    mutating func insert(_ entry: Entry, for key: Key) {
        if entries.updateValue(entry, forKey: key) == nil { order.append(key) }
    }

    /// Takes over what another has and this has not.
    mutating func complete(with other: ChoiceFile) {
        for key in other.order where entries[key] == nil {
            if let entry = other.entries[key] { insert(entry, for: key) }
        }
    }

    // MARK: Writing

    private var text: String {
        let lines = order.map { key -> String in
            let entry = entries[key]
            return JSON.object([
                ("convolution", .string(key.question)), ("isa", .string(key.instructionSet)),
                ("l2_bytes", .int(key.cacheByteCount)), ("algorithm", .string(entry?.chosen ?? "")),
                ("microseconds", entry?.times ?? .null),
            ]).text
        }
        return "{\"sardonyx_choices\": \(Self.version), \"choices\": [\n" + lines.joined(separator: ",\n") + "\n]}\n"
    }

    /// Adds entries to those that the file has by now, and writes it in one move: who reads meanwhile sees the old file or the
    /// new one. Where two programs have measured the same, the first one's choice stays.
    /// - Returns: what the file has now.
    static func merge(_ added: [(key: Key, entry: Entry)], into path: String) throws(SardonyxError) -> ChoiceFile {
        let place = target(of: path)
        // The file's own lock would go with the file when another takes its place. Where the system cannot lock a folder, the
        // file stays whole all the same.
        let lock = open(folder(of: place), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if lock >= 0 { close(lock) } }
        if lock >= 0 { while flock(lock, LOCK_EX) != 0 && errno == EINTR {} }
        var file = try ChoiceFile(contentsOf: path)
        var isNew = false
        for (key, entry) in added where file.entries[key] == nil {
            file.insert(entry, for: key)
            isNew = true
        }
        if isNew { try file.write(to: place) }
        if lock >= 0 { _ = fsync(lock) }
        return file
    }

    /// The folder that a path names a file in.
    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Where the symbolic links at a path's end lead, be there a file or not: what takes the file's place must not take a link's.
    private static func target(of path: String) -> String {
        var path = path
        // The system follows no more of them either.
        for _ in 0..<40 {
            var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink(path, &bytes, bytes.count)
            guard count > 0, count < bytes.count else { break }
            let link = String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
            path = link.hasPrefix("/") ? link : folder(of: path) + "/" + link
        }
        return path
    }

    /// - Parameter place: the file's path behind links.
    private func write(to place: String) throws(SardonyxError) {
        func fail(_ what: String) -> SardonyxError {
            SardonyxError(
                .file, "the choices cannot be written: \(what): \(String(cString: strerror(errno)))", file: path)
        }
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.sizeLimit else {
            throw SardonyxError(
                .file, "the choices would take more than \(Self.sizeLimit) bytes; begin a new file", file: path)
        }
        let temporary = "\(place).\(getpid()).\(UInt64.random(in: 0...UInt64.max))"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw fail("no file beside it") }
        // Whoever could read the old file can read the new one, as far as the system lets us say so.
        var status = stat()
        if stat(place, &status) == 0 {
            _ = fchown(descriptor, status.st_uid, status.st_gid)
            _ = fchmod(descriptor, status.st_mode & 0o777)
        }
        var isWritten = true
        var done = 0
        while done < bytes.count, isWritten {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + done, $0.count - done) }
            if count < 0 && errno == EINTR { continue }
            isWritten = count > 0
            done += max(count, 0)
        }
        isWritten = isWritten && fsync(descriptor) == 0
        let isClosed = close(descriptor) == 0
        guard isWritten, isClosed, rename(temporary, place) == 0 else {
            let failure = fail("writing it")
            unlink(temporary)
            throw failure
        }
    }
}
