#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A NIfTI-1 or NIfTI-2 image: .nii, .nii.gz, or an .hdr/.img pair (each plain or gzip). Both byte orders.
///
/// Opening reads the header only. To read boxes of voxels, see `VolumeFile`.
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
        self.path = headerPath
        do {
            header = try NIfTI.readHeader(ByteReader(headerPath))
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
        let layout = try layout()
        if layout.encoding == .raw {
            _ = try VoxelStore(layout, memory: 0, temporaryFolder: nil)
        } else {
            try layout.checkBound(layout.pieces[0], ByteReader(voxelPath))
        }
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
        try Memory.check(UInt64(header.grid.count) * 4, path, header.summary)
        return try VolumeFile(layout(frame: frame), .nifti).volume(component: component ?? 0)
    }

    /// Where the values lie: all of them, the axes from the fifth on as components, or those of one frame alone.
    func layout(frame: Int? = nil) throws -> VolumeLayout {
        let isCompressed = try ByteReader(voxelPath).isCompressed
        let sizes = frame == nil ? header.dims : Array(header.dims.prefix(3))
        let roles = [VolumeLayout.Role](repeating: .space, count: 3) + [.frame]
        let axes = sizes.enumerated().map { ($1, $0 < roles.count ? roles[$0] : .component) }
        var layout = try VolumeLayout(path, axes: axes, type: header.dataType)
        layout.affine = header.affine
        layout.isLittleEndian = header.isLittleEndian
        // The standard: scaling does not apply to colours, and applies alike to real and imaginary parts (nibabel adds
        // the intercept to the real part only).
        layout.isColour = header.dataType.isColour
        layout.scaling = layout.isColour ? nil : header.scaling
        layout.spaceCode = header.spaceCode
        layout.frameDuration = header.frameDuration
        layout.encoding = isCompressed ? .deflate : .raw
        let before = header.frameBytes * UInt64(frame ?? 0)
        let (skip, overflow) = header.voxelOffset.addingReportingOverflow(before)
        layout.pieces = [VolumeLayout.Piece(path: voxelPath, skip: overflow ? .max : skip)]
        return layout
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
