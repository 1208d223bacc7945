#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A temporary name beside the file that is to be: `path` holds what it held before, or all of the new file.
struct TemporaryName {
    let path: String
    let temporary: String

    /// - Throws: `.cannotWrite` when `path` names no file.
    init(for path: String) throws {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { String(path[...$0]) } ?? ""
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        guard !name.isEmpty, !name.utf8.contains(0) else {
            throw ImagingError(.cannotWrite, path: path, problem: "it names no file", remedy: "add a file name")
        }
        self.path = path
        temporary = "\(folder).\(name).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
    }

    /// Gives the file its own name.
    func putInPlace() throws {
        guard rename(temporary, path) == 0 else {
            throw ImagingError(
                .cannotWrite, path: path, problem: "cannot be put in place (\(String(cString: strerror(errno))))",
                remedy: "check that the name is not a folder and that you may write there")
        }
    }

    func remove() { unlink(temporary) }
}

/// Calls `body` with a temporary name beside `path` and renames it into place when that succeeds; on failure the
/// temporary file is removed and whatever stood at `path` is untouched.
func writeThenRename(_ path: String, _ body: (_ temporary: String) throws -> Void) throws {
    let name = try TemporaryName(for: path)
    do {
        try body(name.temporary)
        try name.putInPlace()
    } catch {
        name.remove()
        throw error
    }
}

/// Writes a text in one piece: `path` holds what it held before, or all of it.
///
/// - Throws: `ImagingError` `.cannotWrite`.
package func writeText(_ text: String, to path: String) throws {
    try writeThenRename(path) { temporary in
        let writer = try ByteWriter(temporary, for: path)
        try Array(text.utf8).withUnsafeBytes { try writer.write($0) }
        try writer.close()
    }
}
