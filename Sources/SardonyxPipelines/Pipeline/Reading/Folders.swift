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
