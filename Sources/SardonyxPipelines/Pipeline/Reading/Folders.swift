#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What is in a folder, sorted; `nil` when there is no such folder.
package func folderNames(_ path: String) -> [String]? {
    guard let folder = opendir(path) else { return nil }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// Makes a folder and those above it.
///
/// - Throws: `PipelineFailure` `.cannotWrite`.
package func makeFolder(_ path: String) throws {
    var made = path.hasPrefix("/") ? "/" : ""
    var failure = EEXIST
    for part in path.split(separator: "/") where failure == EEXIST {
        made += part
        failure = mkdir(made, 0o777) == 0 ? EEXIST : errno
        made += "/"
    }
    guard folderNames(path) != nil else {
        if failure == EEXIST { failure = errno }
        let reason = failure == ENOTDIR ? "a file with this name is in the way" : String(cString: strerror(failure))
        throw PipelineFailure(.cannotWrite, "\(path): the folder cannot be made: \(reason)")
    }
}

/// A text file of at most 1 MB.
///
/// - Throws: `PipelineError` for one that cannot be read, is larger, or is not UTF-8.
package func smallText(_ path: String) throws -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else {
        throw PipelineError(path: path, "cannot be opened (\(String(cString: strerror(errno))))")
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        throw PipelineError(path: path, "is not a file", remedy: "name the pipeline's folder or its pipeline.yaml")
    }
    guard status.st_size <= Tree.mostBytes else {
        throw PipelineError(
            path: path, "has \(status.st_size) bytes, more than \(Tree.mostBytes)", remedy: "check the file")
    }
    // To the end, since files of the system have no size.
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 14)
    while bytes.count <= Tree.mostBytes {
        let count = read(file, &part, part.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else {
            throw PipelineError(path: path, "cannot be read (\(String(cString: strerror(errno))))")
        }
        if count == 0 { break }
        bytes += part[..<count]
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw PipelineError(path: path, "is not UTF-8 text", remedy: "check the file")
    }
    return text
}
