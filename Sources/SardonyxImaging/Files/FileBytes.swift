#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// All bytes of a file, for C that wants them in one piece. Short files are read; long ones are mapped, so that what is
/// not looked at costs no memory, and must not be cut short meanwhile.
final class FileBytes: Sendable {
    /// Files of more bytes are mapped.
    static let longest = 64 << 20

    private let isMapped: Bool
    // SAFETY: `count` bytes, written in `init` only and freed in `deinit`.
    nonisolated(unsafe) private let base: UnsafeMutableRawPointer
    let count: Int

    init(_ path: String, longest: Int = FileBytes.longest) throws {
        let file = try RandomAccessFile(path)
        guard file.size > 0 else {
            throw ImagingError(.truncated, path: path, problem: "the file is empty", remedy: "copy it again")
        }
        count = Int(file.size)
        isMapped = file.size > longest
        if isMapped {
            base = try file.map()
        } else {
            base = .allocate(byteCount: count, alignment: 16)
            do {
                try file.read(at: 0, into: UnsafeMutableRawBufferPointer(start: base, count: count))
            } catch {
                base.deallocate()
                throw error
            }
        }
    }

    deinit { if isMapped { munmap(base, count) } else { base.deallocate() } }

    /// Gives back the memory of what has been looked at; it is read again where it is wanted again.
    func release() { if isMapped { madvise(base, count, MADV_DONTNEED) } }

    /// The bytes, valid during the call.
    func withBytes<Result>(_ body: (UnsafePointer<UInt8>, Int) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(self) { try body(base.assumingMemoryBound(to: UInt8.self), count) }
    }
}
