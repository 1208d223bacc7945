/// The values of a volume file in file order, as if they were one raw file: raw files are read where they are, what is
/// compressed or written as text is decoded once into a temporary file.
final class VoxelStore: Sendable {
    private let pieceBytes: UInt64
    /// Where the values of each piece begin in its file; a single file is kept open.
    private let places: [(path: String, start: UInt64)]
    private let file: RandomAccessFile?

    /// - Parameter temporaryFolder: `nil`: $TMPDIR, else /tmp.
    /// - Throws: `ImagingError`; sizes are compared before anything is written.
    init(_ layout: VolumeLayout, temporaryFolder: String?) throws {
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

extension VolumeLayout.Piece {
    /// The byte behind `lines`.
    func afterLines() throws -> UInt64 {
        guard lines > 0 else { return start }
        let reader = try LineReader(path, at: start)
        try reader.skipLines(lines)
        return start + reader.position
    }
}
