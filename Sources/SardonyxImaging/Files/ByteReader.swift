import CImageFormats

/// A file read from some place on, decompressed on the fly. One thread at a time.
final class ByteReader {
    /// How its bytes are stored.
    enum Form {
        case plain
        /// gzip or zlib.
        case deflate
        /// gzip if it begins so, else plain.
        case detected

        fileprivate var code: Int32 {
            switch self {
            case .plain: return Int32(CIF_PLAIN)
            case .deflate: return Int32(CIF_DEFLATE)
            case .detected: return Int32(CIF_DETECT)
            }
        }
    }

    let path: String
    private let handle: OpaquePointer
    /// Bytes that have been read, after decompression.
    private(set) var position: UInt64 = 0

    init(_ path: String, at start: UInt64 = 0, _ form: Form = .detected) throws {
        self.path = path
        var opened: OpaquePointer?
        var message = Message()
        let code = cif_reader_open(path, start, form.code, &opened, &message.bytes)
        guard let opened else {
            let remedy = Int(code) == CIF_ERROR_NOT_FILE ? "name the file itself" : "check the name and your rights"
            throw ImagingError(.cannotOpen, path: path, problem: "cannot be opened (\(message.text))", remedy: remedy)
        }
        handle = opened
        let size = cif_reader_file_size(opened)
        stored = size > start ? size - start : 0
    }

    deinit { cif_reader_close(handle) }

    var isCompressed: Bool { cif_reader_is_compressed(handle) != 0 }
    var isCut: Bool { cif_reader_is_cut(handle) != 0 }
    /// Bytes on disk from the start of reading on.
    let stored: UInt64

    /// The most bytes that these can make: as many if plain; deflate cannot do better than 1032 to 1.
    var sizeBound: UInt64 {
        guard isCompressed else { return stored }
        let (product, overflow) = stored.multipliedReportingOverflow(by: 1032)
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

    /// Reads on behind the last byte of interest, to the end of compressed data, which is where its checksum is
    /// compared; but no further than `limit` bytes, for what follows may be any amount.
    func finish(limit: UInt64) throws {
        if isCompressed { _ = try skip(limit) }
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
