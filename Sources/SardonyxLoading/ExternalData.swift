import COnnxReader
import Glibc
import SardonyxGraph
import Synchronization

/// Files beside the model that hold weights. Nothing outside the model's folder is ever opened.
final class ExternalData: Sendable {
    /// A mapped file, shared by the tensors in it.
    private final class File: MappedOwner, @unchecked Sendable {
        let pointer: UnsafeMutablePointer<sdx_file>
        init(_ pointer: UnsafeMutablePointer<sdx_file>) { self.pointer = pointer }
        deinit { sdx_file_close(pointer) }
        var bytes: UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(start: sdx_file_bytes(pointer), count: sdx_file_byte_count(pointer))
        }
        func releaseAllPages() { releasePages(bytes) }

        func releasePages(_ bytes: UnsafeRawBufferPointer) {
            sdx_file_release_pages(pointer, bytes.baseAddress, bytes.count)
        }
    }

    private let folder: String
    private let mode: sdx_open_mode
    private let files = Mutex<[String: File]>([:])

    init(folder: String, mode: sdx_open_mode) {
        self.folder = folder
        self.mode = mode
    }

    /// The bytes that a tensor's entries point to, and what keeps them alive.
    func bytes(
        for tensor: String, entries: [sdx_entry], expected: Int
    ) throws(SardonyxError) -> (UnsafeRawBufferPointer, AnyObject) {
        var location: String?
        var offset = 0
        var length: Int?
        for entry in entries {
            let value = entry.value.text
            switch entry.key.text {
            case "location": location = value
            case "offset": offset = try Self.number(value, "offset", tensor)
            case "length": length = try Self.number(value, "length", tensor)
            default: break
            }
        }
        guard let location, !location.isEmpty else {
            throw SardonyxError(.malformed, "the external data of tensor '\(tensor)' has no location")
        }
        let file = try open(location, for: tensor)
        let bytes = file.bytes
        let count = length ?? expected
        guard offset <= bytes.count, count <= bytes.count - offset else {
            throw SardonyxError(
                .malformed,
                "tensor '\(tensor)' wants \(count) bytes at \(offset) of '\(location)', which has \(bytes.count)")
        }
        return (UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]), file)
    }

    /// The paths of the files that tensors lie in, by name.
    var paths: [String] { files.withLock { $0.keys.sorted() }.map(path) }

    private func path(_ location: String) -> String { folder.isEmpty ? location : folder + "/" + location }

    private static func number(_ text: String, _ what: String, _ tensor: String) throws(SardonyxError) -> Int {
        guard let value = Int(text), value >= 0 else {
            throw SardonyxError(.malformed, "the external data of tensor '\(tensor)' has the \(what) '\(text)'")
        }
        return value
    }

    private func open(_ location: String, for tensor: String) throws(SardonyxError) -> File {
        if let file = files.withLock({ $0[location] }) { return file }
        let refusal = SardonyxError(
            .invalidModel, "the external data of tensor '\(tensor)' is at '\(location)', outside the model's folder")
        guard !location.hasPrefix("/"), !location.utf8.contains(0),
            !location.split(separator: "/").contains("..")
        else { throw refusal }
        let path = path(location)
        guard let real = Self.realPath(path) else {
            throw SardonyxError(
                .file, "cannot open '\(path)' with the data of tensor '\(tensor)': \(String(cString: strerror(errno)))")
        }
        // A symbolic link may lead out of the folder.
        guard let root = Self.realPath(folder.isEmpty ? "." : folder), real.hasPrefix(root == "/" ? root : root + "/")
        else { throw refusal }
        var error = sdx_error()
        guard let pointer = sdx_file_open(real, mode, false, &error) else { throw SardonyxError(error).inFile(path) }
        let file = File(pointer)
        files.withLock { $0[location] = file }
        return file
    }

    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
