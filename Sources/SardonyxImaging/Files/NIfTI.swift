#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A NIfTI-1 or NIfTI-2 image: .nii, .nii.gz, or an .hdr/.img pair (each plain or gzip). Both byte orders.
///
/// Opening reads the header only. Voxels are decoded as they stream in: no second copy, and never more of the file, or
/// of what it decompresses to, than the header asks for.
public struct NIfTI: Sendable {
    /// The header's file, as the caller named it or, for an .img, the .hdr beside it.
    public let path: String
    /// The file that holds the voxels.
    public let voxelPath: String
    /// What the header says.
    public let header: NIfTIHeader

    /// Opens a file and checks its header, and where that costs nothing (plain files) that it is long enough.
    ///
    /// - Throws: `ImagingError`.
    public init(contentsOf path: String) throws {
        let headerPath = NIfTI.partner(of: path, from: ".img", to: ".hdr") ?? path
        let reader = try ByteReader(headerPath)
        self.path = headerPath
        do {
            header = try NIfTI.readHeader(reader)
        } catch let error as ImagingError {
            throw error.at(headerPath)
        }
        if header.isSingleFile {
            voxelPath = headerPath
        } else {
            guard let image = NIfTI.partner(of: headerPath, from: ".hdr", to: ".img") else {
                throw ImagingError(
                    .badHeader, path: headerPath,
                    problem: "the header says that the voxels are in an .img file, but the name does not end in .hdr",
                    remedy: "name the pair NAME.hdr and NAME.img")
            }
            voxelPath = image
        }
        let source = header.isSingleFile ? reader : try ByteReader(voxelPath)
        try NIfTI.checkSize(source, header, needed: header.dataBytes)
    }

    /// The values of one 3D volume, scaled as the header says, as Float (integers above 2^24 are rounded).
    ///
    /// - Parameters:
    ///   - frame: which volume of a file of four or more dimensions, 0 to `header.frames - 1`.
    ///   - component: which value of a voxel with several: 0 real, 1 imaginary; 0 red, 1 green, 2 blue, 3 alpha.
    ///     `nil` is an error for such files.
    /// - Throws: `ImagingError`: `.truncated`, `.corrupt`, `.tooLarge`, `.mismatch`, …
    public func volume(frame: Int = 0, component: Int? = nil) throws -> Volume<Float> {
        let type = header.dataType
        guard (0..<header.frames).contains(frame) else {
            throw ImagingError(
                .mismatch, path: path, problem: "frame \(frame) was asked for; it holds \(header.frames)",
                remedy: "choose 0 to \(header.frames - 1)")
        }
        guard (component ?? 0) >= 0, (component ?? 0) < type.components, component != nil || type.components == 1
        else {
            throw ImagingError(
                .mismatch, path: path, problem: "a voxel has \(type.components) values (\(type))",
                remedy: "choose one, 0 to \(type.components - 1)")
        }
        let reader = try ByteReader(voxelPath)
        let before = header.frameBytes * UInt64(frame)
        try NIfTI.checkSize(reader, header, needed: before + header.frameBytes)
        let start = header.voxelOffset + before
        guard try reader.skip(start) == start else { throw cut(reader) }
        // The standard: scaling does not apply to colours, and applies alike to real and imaginary parts (nibabel adds
        // the intercept to the real part only).
        let decoder = VoxelDecoder(
            type: type, swapped: !header.isLittleEndian, component: component ?? 0,
            scaling: type.isColour ? nil : header.scaling)
        let voxels = try decode(reader, decoder)
        if frame == header.frames - 1 {
            // One byte more makes zlib compare the checksum of what has been read.
            try withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { _ = try reader.read(into: $0) }
            if reader.isCut { throw cut(reader) }
        }
        return Volume(grid: header.grid, voxels: voxels)
    }

    private func decode(_ reader: ByteReader, _ decoder: VoxelDecoder) throws -> [Float] {
        let count = header.grid.count
        var voxels: [Float] = []
        // A plain file's length is known to fit; gzip must first show that it holds so much, so the array grows with it.
        voxels.reserveCapacity(reader.isGzip ? min(count, 1 << 24) : count)
        let voxelBytes = decoder.type.bytes
        let chunk = (1 << 18) / voxelBytes * voxelBytes
        var left = header.frameBytes
        try withUnsafeTemporaryAllocation(byteCount: chunk, alignment: 16) { buffer in
            while left > 0 {
                let step = Int(min(UInt64(chunk), left))
                let part = UnsafeMutableRawBufferPointer(rebasing: buffer[0..<step])
                guard try reader.read(into: part) == step else { throw cut(reader) }
                decoder.append(UnsafeRawBufferPointer(part), to: &voxels)
                left -= UInt64(step)
            }
        }
        return voxels
    }

    private func cut(_ reader: ByteReader) -> ImagingError {
        NIfTI.cut(reader.path, header, held: reader.position, after: reader.isGzip, damaged: reader.isCut)
    }

    private static func cut(
        _ path: String, _ header: NIfTIHeader, held: UInt64, after gzip: Bool, damaged: Bool
    ) -> ImagingError {
        let held = held > header.voxelOffset ? held - header.voxelOffset : 0
        let found = "the file holds \(Format.bytes(held))" + (gzip ? " after decompression" : "")
        return ImagingError(
            .truncated, path: path,
            problem: "the header says \(header.summary) (\(Format.bytes(header.dataBytes))) but \(found)"
                + (damaged ? "; it is cut short" : ""),
            remedy: damaged || !gzip ? "copy it again" : "write it again: it was compressed incomplete")
    }

    private static func readHeader(_ reader: ByteReader) throws -> NIfTIHeader {
        var bytes = [UInt8](repeating: 0, count: NIfTIHeader.size2)
        var got = try bytes.withUnsafeMutableBytes { try reader.read(into: .init(rebasing: $0[0..<4])) }
        guard let (size, _) = NIfTIHeader.recognise(Array(bytes[0..<got])) else {
            let empty = got == 0 && !reader.isCut
            throw ImagingError(
                got < 4 ? .truncated : .unknownFormat,
                problem: empty ? "the file is empty" : "it does not begin with a NIfTI header (348 or 540)",
                remedy: got < 4 ? "copy it again" : "convert it to NIfTI")
        }
        got += try bytes.withUnsafeMutableBytes { try reader.read(into: .init(rebasing: $0[4..<size])) }
        guard got == size else {
            throw ImagingError(
                .truncated, problem: "the header has \(size) bytes but the file ends after \(got)",
                remedy: "copy it again")
        }
        return try NIfTIHeader(parsing: Array(bytes[0..<size]))
    }

    /// Refuses what cannot be true before anything is allocated.
    private static func checkSize(_ reader: ByteReader, _ header: NIfTIHeader, needed: UInt64) throws {
        let (end, overflow) = header.voxelOffset.addingReportingOverflow(needed)
        if !reader.isGzip, overflow || end > reader.fileSize {
            throw cut(reader.path, header, held: reader.fileSize, after: false, damaged: true)
        }
        if overflow || end > reader.sizeBound {
            throw ImagingError(
                .truncated, path: reader.path,
                problem: "the header says \(header.summary) (\(Format.bytes(header.dataBytes))) but \(reader.fileSize) "
                    + "bytes of gzip cannot hold so much",
                remedy: "copy it again, or repair the header's dimensions")
        }
        let floats = UInt64(header.grid.count) * 4
        let memory = UInt64(max(0, sysconf(Int32(_SC_PHYS_PAGES)))) * UInt64(max(0, sysconf(Int32(_SC_PAGESIZE))))
        if memory > 0, floats > memory {
            throw ImagingError(
                .tooLarge, path: reader.path,
                problem: "\(header.summary) needs \(Format.bytes(floats)); this machine has \(Format.bytes(memory))",
                remedy: "cut it into smaller volumes")
        }
    }

    /// `path` with one ending exchanged, gzip or not; where both exist the same kind is taken, else the one that does.
    private static func partner(of path: String, from: String, to: String) -> String? {
        for (ending, other) in [("", ".gz"), (".gz", "")] where path.hasSuffix(from + ending) {
            let stem = path.dropLast((from + ending).count)
            let same = stem + to + ending
            if access(String(same), F_OK) != 0, access(String(stem + to + other), F_OK) == 0 {
                return String(stem + to + other)
            }
            return String(same)
        }
        return nil
    }
}
