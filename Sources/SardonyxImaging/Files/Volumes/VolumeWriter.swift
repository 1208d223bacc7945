/// Writes a volume file as its voxels come: .nii and .nii.gz (NIfTI-1), .nrrd (gzip) and .mha (zlib).
///
/// The bytes go to a temporary name in the same folder, which is renamed when they are all on the disk: `path` holds
/// the old file or the whole new one, never a part. Memory is a few buffers, whatever the size of the volume. One
/// thread at a time.
public final class VolumeWriter {
    /// The file that `finish` puts in place.
    public let path: String
    /// Bytes of voxels that belong to the file.
    public let byteCount: Int
    /// Bytes of voxels that have been appended.
    public private(set) var appended = 0

    private let name: TemporaryName
    private var writer: ByteWriter?
    /// Where the compressed size belongs, and in how many digits.
    private var sizeField: Range<Int>?

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - path: its ending chooses the format.
    ///   - grid: dimensions and affine.
    ///   - frames: volumes of the same place, one behind the other.
    ///   - components: values of a voxel, side by side. NIfTI takes them for colours (three or four of uint8) only.
    ///   - dataType: how values are stored; complex and colour types bring components of their own.
    ///   - spaceCode: NIfTI's code of the patient space: 1 scanner, 2 aligned, 3 Talairach, 4 MNI. Give the source's
    ///     `spaceCode` when the result lies on the source's grid; 0 counts as 2. Other formats do not store it.
    ///   - frameDuration: seconds between frames; 0 where unknown.
    ///   - scaling: value = stored · slope + intercept; for NIfTI only.
    ///   - text: free text; NIfTI takes 79 bytes.
    /// - Throws: `ImagingError`: `.unsupported` for another ending or what the format cannot say, `.tooLarge`,
    ///   `.badGeometry`, `.cannotWrite`.
    public init(
        path: String, grid: VoxelGrid, frames: Int = 1, components: Int = 1, dataType: VoxelType, spaceCode: Int = 1,
        frameDuration: Double = 0, scaling: (slope: Double, intercept: Double)? = nil, text: String = "Sardonyx"
    ) throws {
        let content = VolumeContent(
            grid: grid, frames: frames, components: components, dataType: dataType,
            spaceCode: spaceCode > 0 ? spaceCode : 2, frameDuration: frameDuration, scaling: scaling, text: text)
        let header: (bytes: [UInt8], sizeField: Range<Int>?)
        let format = VolumeFormat(writing: path)
        do {
            byteCount = try content.checkedByteCount()
            switch format {
            case .nifti: header = (try content.niftiHeader(), nil)
            case .nrrd: header = (try content.nrrdHeader(), nil)
            case .metaImage: header = try content.metaImageHeader()
            case .picture, nil:
                throw ImagingError(
                    .unsupported,
                    problem: "the name ends in none of "
                        + VolumeFormat.allCases.flatMap(\.writtenEndings).joined(separator: ", "),
                    remedy: "rename it")
            }
        } catch let error as ImagingError {
            throw error.at(path)
        }
        self.path = path
        sizeField = header.sizeField
        name = try TemporaryName(for: path)
        let writer = try ByteWriter(name.temporary, for: path)
        self.writer = writer
        func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try writer.write($0) } }
        if format == .nifti, path.hasSuffix(".gz") { try writer.compress(.gzip) }
        try write(header.bytes)
        if format == .nrrd { try writer.compress(.gzip) }
        if format == .metaImage { try writer.compress(.zlib) }
    }

    deinit { cancel() }

    /// Adds voxels in the file's order (components fastest, then i, j, k and frames), any number of bytes at a time, in
    /// this machine's byte order.
    ///
    /// - Throws: `ImagingError`: `.mismatch` for more than belong there, `.cannotWrite`; then the file is given up.
    public func append(_ bytes: UnsafeRawBufferPointer) throws {
        try orCancel {
            guard let writer, bytes.count <= byteCount - appended else {
                throw ImagingError(
                    .mismatch, path: path,
                    problem: "\(appended + bytes.count) bytes of voxels were given, expected \(byteCount)",
                    remedy: "give each voxel once")
            }
            try writer.write(bytes)
            appended += bytes.count
        }
    }

    /// Waits until all is on the disk and gives the file its name.
    ///
    /// - Throws: `ImagingError`: `.mismatch` unless all voxels have been given, `.cannotWrite`.
    public func finish() throws {
        try orCancel {
            guard let writer, appended == byteCount else {
                throw ImagingError(
                    .mismatch, path: path, problem: "\(appended) bytes of voxels were given, expected \(byteCount)",
                    remedy: "give each voxel once")
            }
            let size = try writer.endCompression()
            if let sizeField {
                let digits = String(size)
                let padding = String(repeating: " ", count: sizeField.count - digits.count)
                try writer.patch(Array((padding + digits).utf8), at: sizeField.lowerBound)
            }
            try writer.close()
            try name.putInPlace()
            self.writer = nil
        }
    }

    /// Gives the file up: what stood at `path` stays. Does nothing after `finish`.
    public func cancel() {
        guard writer != nil else { return }
        writer = nil
        name.remove()
    }

    private func orCancel(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch {
            cancel()
            throw error
        }
    }
}
