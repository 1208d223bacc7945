import CImageFormats

/// A file being written, plain or, from some place on, compressed.
final class ByteWriter {
    /// What compressed bytes are wrapped in.
    enum Form {
        case gzip
        case zlib

        fileprivate var code: Int32 { Int32(self == .gzip ? CIF_GZIP : CIF_ZLIB) }
    }

    private var handle: OpaquePointer?
    private let path: String

    /// `path` is opened; errors name `shown`. With a form all of it is compressed.
    init(_ path: String, for shown: String, as form: Form? = nil) throws {
        self.path = shown
        try attempt { cif_writer_open(path, &handle, &$0) }
        if let form { try compress(form) }
    }

    deinit { try? close() }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try attempt { cif_writer_write(handle, bytes.baseAddress, bytes.count, &$0) }
    }

    /// Compresses what is written from here on. The same bytes give the same file on CPUs of one kind, not on all.
    func compress(_ form: Form) throws {
        try attempt { cif_writer_deflate(handle, form.code, &$0) }
    }

    /// Ends the compressed part; returns its bytes.
    func endCompression() throws -> UInt64 {
        var count: UInt64 = 0
        try attempt { cif_writer_end_deflate(handle, &count, &$0) }
        return count
    }

    /// Overwrites bytes written before.
    func patch(_ bytes: [UInt8], at offset: Int) throws {
        try attempt { cif_writer_patch(handle, UInt64(offset), bytes, bytes.count, &$0) }
    }

    /// Waits until the bytes are on the disk.
    func close() throws {
        let open = handle
        handle = nil
        try attempt { cif_writer_close(open, &$0) }
    }

    private func attempt(_ body: (inout [CChar]) -> Int32) throws {
        var message = Message()
        guard body(&message.bytes) == CIF_OK else {
            throw ImagingError(
                .cannotWrite, path: path, problem: "cannot be written (\(message.text))",
                remedy: "check the folder, your rights and the free space")
        }
    }
}
