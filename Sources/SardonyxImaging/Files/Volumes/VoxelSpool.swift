/// Decodes pieces, one behind the other, into a temporary file of raw values, through a buffer of fixed size.
final class VoxelSpool {
    let file: RandomAccessFile
    private let layout: VolumeLayout
    private let chunk: UnsafeMutableRawBufferPointer
    private var filled = 0
    private var written: UInt64 = 0

    init(_ layout: VolumeLayout, in folder: String?) throws {
        self.layout = layout
        file = try RandomAccessFile(temporaryIn: folder)
        chunk = .allocate(byteCount: 1 << 18, alignment: 16)
    }

    deinit { chunk.deallocate() }

    /// Decodes one piece; an error unless it holds its share of the values.
    func add(_ piece: VolumeLayout.Piece) throws {
        if layout.encoding == .picture { return try addPages(PictureFile(piece.path)) }
        let form: ByteReader.Form = layout.encoding == .deflate ? .deflate : .plain
        let reader = try ByteReader(piece.path, at: piece.afterLines(), form)
        try layout.checkBound(piece, reader)
        let start = piece.skip ?? 0
        guard try reader.skip(start) == start else { throw layout.cut(piece.path, held: 0, isCut: reader.isCut) }
        switch layout.encoding {
        case .raw, .deflate: try copy(reader)
        case .text: try decodeText(reader)
        case .hex: try decodeHex(reader)
        case .picture: break
        }
        try flush()
    }

    private func addPages(_ pages: PictureFile) throws {
        guard try pages.layout().summary == layout.summary else {
            throw ImagingError(
                .mismatch, path: pages.path, problem: "it has changed while it was opened", remedy: "open it again")
        }
        var kept = 0
        for page in 0..<pages.info.pageCount {
            try pages.slice(page).samples.withUnsafeBytes {
                try file.write($0, at: written)
                written += UInt64($0.count)
                kept += $0.count
            }
            if kept > FileBytes.longest {
                pages.release()
                kept = 0
            }
        }
    }

    private func flush() throws {
        try file.write(UnsafeRawBufferPointer(rebasing: chunk[..<filled]), at: written)
        written += UInt64(filled)
        filled = 0
    }

    /// Room for `count` more bytes in the chunk.
    private func room(_ count: Int) throws -> UnsafeMutableRawPointer {
        if filled + count > chunk.count { try flush() }
        defer { filled += count }
        return chunk.baseAddress! + filled
    }

    private func copy(_ reader: ByteReader) throws {
        var left = layout.pieceBytes
        while left > 0 {
            let step = Int(min(UInt64(chunk.count), left))
            filled = try reader.read(into: .init(rebasing: chunk[..<step]))
            left -= UInt64(filled)
            if filled < step { throw layout.cut(reader.path, held: layout.pieceBytes - left, isCut: reader.isCut) }
            try flush()
        }
        // Damage shows as more bytes than there should be, too.
        try reader.finish(limit: max(layout.pieceBytes, 1 << 20))
        if reader.isCut { throw layout.cut(reader.path, held: layout.pieceBytes, isCut: true) }
    }

    private func decodeHex(_ reader: ByteReader) throws {
        var left = layout.pieceBytes
        var high: UInt8?
        try eachByte(of: reader) { byte in
            if VoxelSpool.isBlank(byte) { return true }
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue.map(UInt8.init), byte < 128 else {
                throw corrupt(reader, "a byte \(byte) among hexadecimal digits")
            }
            guard let first = high else {
                high = digit
                return true
            }
            try room(1).storeBytes(of: first << 4 | digit, as: UInt8.self)
            high = nil
            left -= 1
            return left > 0
        }
        if left > 0 { throw layout.cut(reader.path, held: layout.pieceBytes - left, isCut: false) }
    }

    private func decodeText(_ reader: ByteReader) throws {
        let width = layout.type.component.bytes
        var left = layout.pieceBytes / UInt64(width)
        var token: [UInt8] = []
        func take() throws {
            let text = String(decoding: token, as: UTF8.self)
            token.removeAll(keepingCapacity: true)
            guard store(text, try room(width)) else {
                throw corrupt(
                    reader, "'\(TextHeader.plain(text))' among the values, expected a number of type \(layout.type)")
            }
            left -= 1
        }
        try eachByte(of: reader) { byte in
            if !VoxelSpool.isBlank(byte) {
                token.append(byte)
                if token.count > 100 { throw corrupt(reader, "more than 100 characters without a blank") }
            } else if !token.isEmpty {
                try take()
            }
            return left > 0
        }
        if !token.isEmpty, left > 0 { try take() }
        if left > 0 {
            throw layout.cut(reader.path, held: layout.pieceBytes - left * UInt64(width), isCut: false)
        }
    }

    /// Writes the value of `text` in the layout's type and this machine's byte order; false where it has none.
    private func store(_ text: String, _ target: UnsafeMutableRawPointer) -> Bool {
        func put<T: BitwiseCopyable>(_ value: T?) -> Bool {
            guard let value else { return false }
            target.storeBytes(of: value, as: T.self)
            return true
        }
        func integer<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> Bool {
            put(T(text) ?? Double(text).flatMap { T(exactly: $0) })
        }
        switch layout.type {
        case .uint8: return integer(UInt8.self)
        case .int8: return integer(Int8.self)
        case .int16: return integer(Int16.self)
        case .uint16: return integer(UInt16.self)
        case .int32: return integer(Int32.self)
        case .uint32: return integer(UInt32.self)
        case .int64: return integer(Int64.self)
        case .uint64: return integer(UInt64.self)
        case .float32: return put(Float(text))
        case .float64: return put(Double(text))
        case .float128, .complex64, .complex128, .complex256, .rgb24, .rgba32: return false
        }
    }

    /// Hands on bytes until there are none or `body` returns false.
    private func eachByte(of reader: ByteReader, _ body: (UInt8) throws -> Bool) throws {
        try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
            while case let got = try reader.read(into: buffer), got > 0 {
                for byte in buffer[..<got] where try !body(byte) { return }
            }
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || (9...13).contains(byte) || byte == UInt8(ascii: ",")
    }

    private func corrupt(_ reader: ByteReader, _ found: String) -> ImagingError {
        ImagingError(.corrupt, path: reader.path, problem: "there is \(found)", remedy: "write the file again")
    }
}
