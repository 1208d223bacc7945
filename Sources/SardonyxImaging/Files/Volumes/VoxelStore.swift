import CImageFormats

/// The values of a volume file in file order, as if they were one raw file: raw files are read where they are, what is
/// compressed or written as text is decoded once, into memory where it is small and room is given, else into a temporary
/// file.
final class VoxelStore: Sendable {
    private let pieceBytes: UInt64
    /// Where the values of each piece begin in its file; a single file is kept open.
    private let places: [(path: String, start: UInt64)]
    private let file: RandomAccessFile?
    /// All values, where they are kept in memory.
    private let bytes: InflatedBytes?

    /// Bytes of memory that the values take.
    var residentBytes: Int { bytes?.count ?? 0 }

    /// - Parameters:
    ///   - memory: as many bytes of compressed values may stay in memory instead of a temporary file.
    ///   - temporaryFolder: `nil`: $TMPDIR, else /tmp.
    /// - Throws: `ImagingError`; sizes are compared before anything is written.
    init(_ layout: VolumeLayout, memory: Int, temporaryFolder: String?) throws {
        bytes = try InflatedBytes(layout, most: memory)
        if bytes != nil {
            (places, pieceBytes, file) = ([], layout.dataBytes, nil)
            return
        }
        if layout.encoding == .raw {
            var places: [(path: String, start: UInt64)] = []
            var last: RandomAccessFile?
            for piece in layout.pieces {
                let file = try RandomAccessFile(piece.path)
                places.append((piece.path, try VoxelStore.start(of: piece, file.size, layout)))
                last = file
            }
            self.places = places
            pieceBytes = layout.pieceBytes
            file = places.count == 1 ? last : nil
        } else {
            let spool = try VoxelSpool(layout, in: temporaryFolder)
            for piece in layout.pieces { try spool.add(piece) }
            places = [("", 0)]
            pieceBytes = layout.dataBytes
            file = spool.file
        }
    }

    private static func start(of piece: VolumeLayout.Piece, _ size: UInt64, _ layout: VolumeLayout) throws -> UInt64 {
        let needed = layout.pieceBytes
        let (start, overflow) = try piece.afterLines().addingReportingOverflow(piece.skip ?? 0)
        let held = !overflow && size > start ? size - start : 0
        guard held >= needed else { throw layout.cut(piece.path, held: held, isCut: true) }
        return piece.skip == nil ? size - needed : start
    }

    /// Copies the bytes from `offset` of all values on; the caller asks for no more than there are.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws {
        if let bytes { return bytes.copy(from: Int(offset), into: buffer) }
        var done = 0
        while done < buffer.count {
            let here = offset + UInt64(done)
            let (index, within) = here.quotientAndRemainder(dividingBy: pieceBytes)
            let place = places[Int(index)]
            let count = Int(min(UInt64(buffer.count - done), pieceBytes - within))
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
            try (file ?? RandomAccessFile(place.path)).read(at: place.start + within, into: part)
            done += count
        }
    }
}

/// The values of a compressed file in memory.
private final class InflatedBytes: @unchecked Sendable {
    // Written once, before anybody else sees it.
    private let buffer: UnsafeMutableRawBufferPointer
    /// Bytes in front of the values.
    private let skip: Int

    var count: Int { buffer.count }

    /// `nil` for values that are not compressed, are more than `most` bytes, lie in several pieces or whose place is not
    /// known, and for whatever the stream reader is to judge.
    init?(_ layout: VolumeLayout, most: Int) throws {
        guard layout.encoding == .deflate, layout.pieces.count == 1, let skip = layout.pieces[0].skip,
            case let (needed, overflow) = skip.addingReportingOverflow(layout.dataBytes), !overflow,
            needed <= UInt64(most), layout.dataBytes > 0
        else { return nil }
        self.skip = Int(skip)
        buffer = .allocate(byteCount: Int(needed), alignment: 64)
        let piece = layout.pieces[0]
        guard cif_inflate_whole(piece.path, try piece.afterLines(), buffer.baseAddress!, buffer.count) == 1 else {
            return nil
        }
    }

    deinit { buffer.deallocate() }

    /// SAFETY: the caller asks for no more than there is.
    func copy(from offset: Int, into target: UnsafeMutableRawBufferPointer) {
        target.copyMemory(from: .init(rebasing: buffer[skip + offset..<skip + offset + target.count]))
    }
}

extension VolumeLayout.Piece {
    /// The byte behind `lines`.
    func afterLines() throws -> UInt64 {
        guard lines > 0 else { return start }
        let reader = try LineReader(path, at: start)
        try reader.skipLines(lines)
        return start + reader.position
    }
}
