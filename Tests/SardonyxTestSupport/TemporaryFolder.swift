import Glibc

/// A folder that goes with its owner.
package final class TemporaryFolder {
    package let path: String

    package init() {
        var template = Array("/tmp/sardonyx-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { preconditionFailure("cannot make a temporary folder") }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            for name in names(in: path) { remove(path + "/" + name) }
            rmdir(path)
        } else {
            unlink(path)
        }
    }

    /// What is in a folder, sorted.
    package static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// What is in the folder, sorted.
    package var names: [String] { TemporaryFolder.names(in: path) }

    /// The bytes of one of its files.
    package func read(_ name: String) -> [UInt8] { fileBytes(path + "/" + name) }

    @discardableResult
    package func write(_ text: String, to name: String) -> String { write(Array(text.utf8), to: name) }

    /// Writes a file, in folders of its own when its name has slashes, and returns its path.
    @discardableResult
    package func write(_ bytes: [UInt8], to name: String) -> String {
        let file = path + "/" + name
        for slash in name.indices where name[slash] == "/" { mkdir(path + "/" + name[..<slash], 0o777) }
        let descriptor = open(file, O_CREAT | O_WRONLY | O_TRUNC, 0o644)
        precondition(descriptor >= 0, "cannot write \(file)")
        defer { close(descriptor) }
        let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        precondition(written == bytes.count, "cannot write \(file)")
        return file
    }
}
