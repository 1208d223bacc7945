import Glibc
import SardonyxGraph

/// A file opened for reading, front to back.
struct InputFile: ~Copyable {
    private let descriptor: Int32
    /// The file's size in bytes when it was opened.
    let byteCount: Int

    /// - Throws: `file` when it is missing, unreadable or no regular file.
    init(_ path: String) throws(SardonyxError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SardonyxError(.file, "cannot be opened: \(systemReason())", file: path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw SardonyxError(.file, "is no regular file", file: path)
        }
        self.descriptor = descriptor
        byteCount = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// Reads the next bytes.
    /// - Throws: `malformed` when the file ends before, `file` when the system cannot read it.
    borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(SardonyxError) {
        var done = 0
        while done < buffer.count {
            let count = Glibc.read(descriptor, buffer.baseAddress.unsafelyUnwrapped + done, buffer.count - done)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw SardonyxError(.file, "cannot be read: \(systemReason())") }
            if count == 0 { throw SardonyxError(.malformed, "the file ends \(buffer.count - done) bytes early") }
            done += count
        }
    }

    borrowing func read(_ count: Int) throws(SardonyxError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        do {
            try bytes.withUnsafeMutableBytes { try read(into: $0) }
        } catch let error as SardonyxError {
            throw error
        } catch {
            throw SardonyxError(.file, "\(error)")
        }
        return bytes
    }
}

/// Writes a file whole or not at all: under a temporary name in the same folder, then renamed.
/// - Throws: `file`, and the file that was there before is untouched.
package func writeFile(_ path: String, _ parts: [UnsafeRawBufferPointer]) throws(SardonyxError) {
    func failure(_ what: String) -> SardonyxError { SardonyxError(.file, "\(what): \(systemReason())", file: path) }
    // A short name of its own: the file's name may be as long as names can be.
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    var template = Array("\(folder).sardonyx-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw failure("cannot be written") }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    var isRenamed = false
    defer { if !isRenamed { unlink(template) } }
    for part in parts {
        var done = 0
        while done < part.count {
            let count = write(descriptor, part.baseAddress.unsafelyUnwrapped + done, part.count - done)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                let error = failure("cannot be written")
                close(descriptor)
                throw error
            }
            done += count
        }
    }
    // mkstemp gives the owner alone access; a file made in the common way follows the mask of the process.
    let mask = umask(0)
    umask(mask)
    fchmod(descriptor, 0o666 & ~mask)
    guard close(descriptor) == 0 else { throw failure("cannot be written") }
    guard rename(template, path) == 0 else { throw failure("cannot be put in place") }
    isRenamed = true
}

/// What the system says about the last failed call.
func systemReason() -> String { String(cString: strerror(errno)) }
