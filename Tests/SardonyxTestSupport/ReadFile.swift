import Glibc

/// The bytes of a file; empty when there is none.
package func fileBytes(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 20)
    while case let count = fread(&part, 1, part.count, file), count > 0 { bytes += part[..<count] }
    return bytes
}

/// A file's text; empty when there is none.
package func fileText(_ path: String) -> String { String(decoding: fileBytes(path), as: UTF8.self) }

/// The path of a file of this repository.
package func repositoryFile(_ name: String) -> String {
    "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/" + name
}

/// The text of a file of this repository.
package func repositoryText(_ name: String) -> String { fileText(repositoryFile(name)) }
