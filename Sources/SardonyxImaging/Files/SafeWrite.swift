#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Calls `body` with a temporary name beside `path` and renames it into place when that succeeds; on failure the
/// temporary file is removed and whatever stood at `path` is untouched.
func writeThenRename(_ path: String, _ body: (_ temporary: String) throws -> Void) throws {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[...$0]) } ?? ""
    let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    guard !name.isEmpty, !name.utf8.contains(0) else {
        throw ImagingError(.cannotWrite, path: path, problem: "it names no file", remedy: "add a file name")
    }
    let temporary = "\(folder).\(name).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
    do {
        try body(temporary)
        guard rename(temporary, path) == 0 else {
            throw ImagingError(
                .cannotWrite, path: path, problem: "cannot be put in place (\(String(cString: strerror(errno))))",
                remedy: "check that the name is not a folder and that you may write there")
        }
    } catch {
        unlink(temporary)
        throw error
    }
}
