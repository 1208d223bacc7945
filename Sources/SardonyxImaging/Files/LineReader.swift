/// The lines of a text header, of which there are at most 8 MB.
final class LineReader {
    private let reader: ByteReader
    private let chunk: UnsafeMutableRawBufferPointer
    private var rest: UnsafeMutableRawBufferPointer.SubSequence
    /// Bytes that have been taken, from where the reader began.
    private(set) var position: UInt64 = 0
    private static let limit: UInt64 = 8_000_000

    init(_ path: String, at start: UInt64 = 0) throws {
        reader = try ByteReader(path, at: start, .plain)
        chunk = .allocate(byteCount: 1 << 14, alignment: 1)
        rest = chunk[..<0]
    }

    deinit { chunk.deallocate() }

    /// The next line without its end (\n or \r\n) and the blanks before that; nil at the end of the file.
    func line() throws -> String? {
        var line: [UInt8] = []
        while let part = try next() {
            line += part.bytes
            if part.isEnd { return text(line) }
            guard position < LineReader.limit else {
                throw ImagingError(
                    .badHeader, path: reader.path,
                    problem: "the header has no end in \(Format.bytes(LineReader.limit))",
                    remedy: "copy the file again")
            }
        }
        return line.isEmpty ? nil : text(line)
    }

    /// The lines that are left and are not empty; an error when there are more than `most`.
    func rest(most: Int) throws -> [String] {
        var lines: [String] = []
        while let line = try line() {
            if !line.isEmpty { lines.append(line) }
            guard lines.count <= most else {
                throw ImagingError(
                    .badHeader, path: reader.path, problem: "the header names more than \(most) files",
                    remedy: "keep the data in fewer files")
            }
        }
        return lines
    }

    /// Passes over lines, as many as there are if fewer.
    func skipLines(_ count: Int) throws {
        var left = count
        while left > 0, let part = try next() { left -= part.isEnd ? 1 : 0 }
    }

    /// Bytes up to the end of a line, which is taken but not among them, or of the chunk; nil at the end of the file.
    private func next() throws -> (bytes: UnsafeMutableRawBufferPointer.SubSequence, isEnd: Bool)? {
        if rest.isEmpty {
            rest = chunk[..<(try reader.read(into: chunk))]
            if rest.isEmpty { return nil }
        }
        let end = rest.firstIndex(of: UInt8(ascii: "\n"))
        let bytes = rest[..<(end ?? rest.endIndex)]
        let taken = bytes.count + (end == nil ? 0 : 1)
        rest = rest.dropFirst(taken)
        position += UInt64(taken)
        return (bytes, end != nil)
    }

    private func text(_ bytes: [UInt8]) -> String {
        var bytes = bytes
        while let last = bytes.last, [UInt8(ascii: "\r"), UInt8(ascii: " "), UInt8(ascii: "\t")].contains(last) {
            bytes.removeLast()
        }
        // Errors show parts of lines; a terminal obeys control characters.
        return TextHeader.plain(String(decoding: bytes, as: UTF8.self))
    }
}
