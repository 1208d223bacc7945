import CImageFormats

/// A voxel type that NIfTI can store.
public protocol NIfTIVoxel: Voxel {
    /// The type's code in the header.
    static var niftiDataType: NIfTIDataType { get }
}

extension UInt8: NIfTIVoxel {
    /// As NIfTI stores it.
    public static var niftiDataType: NIfTIDataType { .uint8 }
}

extension Int16: NIfTIVoxel {
    /// As NIfTI stores it.
    public static var niftiDataType: NIfTIDataType { .int16 }
}

extension UInt16: NIfTIVoxel {
    /// As NIfTI stores it.
    public static var niftiDataType: NIfTIDataType { .uint16 }
}

extension Int32: NIfTIVoxel {
    /// As NIfTI stores it.
    public static var niftiDataType: NIfTIDataType { .int32 }
}

extension Float: NIfTIVoxel {
    /// As NIfTI stores it.
    public static var niftiDataType: NIfTIDataType { .float32 }
}

extension NIfTI {
    /// Writes a NIfTI-1 file: gzip when the name ends in .gz, else plain. The bytes go to a temporary name in the same
    /// folder and are renamed when they are on the disk: `path` holds the old file or the whole new one, never a part.
    ///
    /// - Parameters:
    ///   - volume: what to write; its affine becomes the s-form (and the q-form, where that can express it).
    ///   - path: ends in .nii or .nii.gz.
    ///   - spaceCode: the NIFTI_XFORM code of the patient space: 1 scanner, 2 aligned, 3 Talairach, 4 MNI. Give the
    ///     source header's `spaceCode` when the result lies on the source's grid; 0 counts as 2.
    ///   - text: free text of up to 79 bytes.
    /// - Throws: `ImagingError`: `.unsupported` for another ending or a side above 32767, `.badGeometry`,
    ///   `.cannotWrite`.
    public static func write<Scalar: NIfTIVoxel>(
        _ volume: Volume<Scalar>, to path: String, spaceCode: Int = 1, text: String = "Sardonyx"
    ) throws {
        guard path.hasSuffix(".nii") || path.hasSuffix(".nii.gz") else {
            throw ImagingError(
                .unsupported, path: path, problem: "the name ends in neither .nii nor .nii.gz", remedy: "rename it")
        }
        guard volume.dims.max() <= Int(Int16.max) else {
            throw ImagingError(
                .unsupported, path: path, problem: "a side of \(volume.dims.max()) voxels; NIfTI-1 ends at 32767",
                remedy: "cut the volume")
        }
        guard volume.affine.isInvertible else {
            throw ImagingError(
                .badGeometry, path: path, problem: "the volume's affine places no voxels", remedy: "give a spacing")
        }
        let header = headerBytes(
            volume.grid, type: Scalar.niftiDataType, spaceCode: spaceCode > 0 ? spaceCode : 2, text: text)
        try writeThenRename(path) { temporary in
            let writer = try ByteWriter(temporary, for: path, level: path.hasSuffix(".gz") ? 6 : 0)
            try header.withUnsafeBytes { try writer.write($0) }
            try volume.voxels.withUnsafeBytes { try writer.write($0) }
            try writer.close()
        }
    }

    /// 348 bytes of header and 4 that say "no extension", little-endian.
    static func headerBytes(_ grid: VoxelGrid, type: NIfTIDataType, spaceCode: Int, text: String) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 352)
        func put<T: FixedWidthInteger>(_ value: T, _ offset: Int) {
            withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
        }
        func put(_ value: Double, _ offset: Int) { put(Float(value).bitPattern, offset) }
        put(Int32(348), 0)
        bytes[38] = UInt8(ascii: "r")
        let sizes = [3, grid.dims.x, grid.dims.y, grid.dims.z, 1, 1, 1, 1]
        for (i, size) in sizes.enumerated() { put(Int16(size), 40 + 2 * i) }
        put(Int16(type.rawValue), 70)
        put(Int16(type.bytes * 8), 72)
        for (i, step) in [grid.spacing.x, grid.spacing.y, grid.spacing.z].enumerated() { put(step, 80 + 4 * i) }
        put(352.0, 108)
        put(1.0, 112)
        bytes[123] = 2  // millimetres
        bytes.replaceSubrange(148..<148 + min(79, text.utf8.count), with: text.utf8.prefix(79))
        put(1.0, 76)
        if let q = Quaternion(grid.affine) {
            put(q.qfac, 76)
            put(Int16(spaceCode), 252)
            for (i, part) in [q.b, q.c, q.d].enumerated() { put(part, 256 + 4 * i) }
            let origin = grid.affine.column(3)
            for i in 0..<3 { put(origin[i], 268 + 4 * i) }
        }
        put(Int16(spaceCode), 254)
        for (row, values) in [grid.affine.x, grid.affine.y, grid.affine.z].enumerated() {
            for i in 0..<4 { put(values[i], 280 + 16 * row + 4 * i) }
        }
        bytes.replaceSubrange(344..<348, with: [0x6e, 0x2b, 0x31, 0])  // "n+1"
        return bytes
    }
}

/// The rotation of an affine without shear, as NIfTI's q-form stores it.
struct Quaternion {
    var b = 0.0, c = 0.0, d = 0.0
    /// −1 for left-handed grids, else 1.
    var qfac = 1.0

    /// `nil` when the voxel axes are not at right angles.
    init?(_ affine: Affine) {
        let s = affine.spacing
        let (i, j) = (affine.column(0) / s.x, affine.column(1) / s.y)
        qfac = affine.determinant < 0 ? -1 : 1
        let k = affine.column(2) / (s.z * qfac)
        for (u, v) in [(i, j), (j, k), (k, i)] where abs((u * v).sum()) > 1e-5 { return nil }
        // The largest of the four parts is the well-conditioned one to start from.
        let squares = [
            1 + i.x + j.y + k.z, 1 + i.x - j.y - k.z, 1 - i.x + j.y - k.z, 1 - i.x - j.y + k.z,
        ]
        var a: Double
        if squares[0] > 0.5 {
            a = squares[0].squareRoot() / 2
            (b, c, d) = ((j.z - k.y) / (4 * a), (k.x - i.z) / (4 * a), (i.y - j.x) / (4 * a))
        } else if squares[1] >= squares[2], squares[1] >= squares[3] {
            b = squares[1].squareRoot() / 2
            (a, c, d) = ((j.z - k.y) / (4 * b), (j.x + i.y) / (4 * b), (k.x + i.z) / (4 * b))
        } else if squares[2] >= squares[3] {
            c = squares[2].squareRoot() / 2
            (a, b, d) = ((k.x - i.z) / (4 * c), (j.x + i.y) / (4 * c), (k.y + j.z) / (4 * c))
        } else {
            d = squares[3].squareRoot() / 2
            (a, b, c) = ((i.y - j.x) / (4 * d), (k.x + i.z) / (4 * d), (k.y + j.z) / (4 * d))
        }
        if a < 0 { (b, c, d) = (-b, -c, -d) }
        if abs(a) < 1e-6 { roundToHalfTurn() }
    }
}

extension Quaternion {
    /// Makes b, c, d such that, in single precision, their squares do not add up to less than 1.
    ///
    /// Readers compute the real part as √(1 − b² − c² − d²): a shortfall of one rounding (6e-8) would turn a half turn
    /// by 5e-4.
    private mutating func roundToHalfTurn() {
        var parts = [Float(b), Float(c), Float(d)]
        let most = parts.indices.max { abs(parts[$0]) < abs(parts[$1]) }!
        func square() -> Double { parts.reduce(0) { $0 + Double($1) * Double($1) } }
        while square() < 1 { parts[most] = parts[most] < 0 ? parts[most].nextDown : parts[most].nextUp }
        (b, c, d) = (Double(parts[0]), Double(parts[1]), Double(parts[2]))
    }
}

/// A file being written, plain or gzip.
final class ByteWriter {
    private var handle: OpaquePointer?
    private let path: String

    /// `path` is opened; errors name `shown`.
    init(_ path: String, for shown: String, level: Int32) throws {
        self.path = shown
        var message = Message()
        guard cif_writer_open(path, level, &handle, &message.bytes) == CIF_OK else { throw failure(message) }
    }

    deinit {
        var message = Message()
        if let handle { _ = cif_writer_close(handle, &message.bytes) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var message = Message()
        guard cif_writer_write(handle, bytes.baseAddress, bytes.count, &message.bytes) == CIF_OK else {
            throw failure(message)
        }
    }

    /// Waits until the bytes are on the disk.
    func close() throws {
        var message = Message()
        let code = cif_writer_close(handle, &message.bytes)
        handle = nil
        guard code == CIF_OK else { throw failure(message) }
    }

    private func failure(_ message: Message) -> ImagingError {
        ImagingError(
            .cannotWrite, path: path, problem: "cannot be written (\(message.text))",
            remedy: "check the folder, your rights and the free space")
    }
}
