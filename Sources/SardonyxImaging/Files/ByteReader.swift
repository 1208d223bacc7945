import CImageFormats

/// A file read from its beginning, decompressed on the fly where it is gzip. One thread at a time.
final class ByteReader {
    let path: String
    private let handle: OpaquePointer
    private(set) var position: UInt64 = 0

    init(_ path: String) throws {
        self.path = path
        var opened: OpaquePointer?
        var message = Message()
        let code = cif_reader_open(path, &opened, &message.bytes)
        guard let opened else {
            let remedy = Int(code) == CIF_ERROR_NOT_FILE ? "name the file itself" : "check the name and your rights"
            throw ImagingError(.cannotOpen, path: path, problem: "cannot be opened (\(message.text))", remedy: remedy)
        }
        handle = opened
    }

    deinit { cif_reader_close(handle) }

    var isGzip: Bool { cif_reader_is_gzip(handle) != 0 }
    var isCut: Bool { cif_reader_is_cut(handle) != 0 }
    /// Bytes on disk.
    var fileSize: UInt64 { cif_reader_file_size(handle) }

    /// The most bytes that the file can still hold: its size if plain; deflate cannot do better than 1032 to 1.
    var sizeBound: UInt64 {
        guard isGzip else { return fileSize }
        let (product, overflow) = fileSize.multipliedReportingOverflow(by: 1032)
        return overflow ? .max : product
    }

    /// Fills `buffer` as far as the file goes; returns how many bytes it got.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard let base = buffer.baseAddress, buffer.count > 0 else { return 0 }
        var got = 0
        var message = Message()
        let code = cif_reader_read(handle, base, buffer.count, &got, &message.bytes)
        position += UInt64(got)
        try check(code, message)
        return got
    }

    /// Passes over bytes; returns how many there were.
    func skip(_ count: UInt64) throws -> UInt64 {
        var got: UInt64 = 0
        var message = Message()
        let code = cif_reader_skip(handle, count, &got, &message.bytes)
        position += got
        try check(code, message)
        return got
    }

    private func check(_ code: Int32, _ message: Message) throws {
        switch Int(code) {
        case Int(CIF_OK): return
        case Int(CIF_ERROR_DATA):
            throw ImagingError(
                .corrupt, path: path,
                problem: "the compressed data is damaged after \(Format.bytes(position)) (\(message.text))",
                remedy: "copy the file again")
        default:
            throw ImagingError(
                .cannotRead, path: path, problem: "reading failed after \(Format.bytes(position)) (\(message.text))",
                remedy: "check the disk and copy the file again")
        }
    }
}

/// A buffer that C writes its message into.
struct Message {
    var bytes = [CChar](repeating: 0, count: Int(CIF_MESSAGE_SIZE))
    var text: String { String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) }
}
