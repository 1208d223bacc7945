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
        guard VolumeFormat(writing: path) == .nifti else {
            throw ImagingError(
                .unsupported, path: path, problem: "the name ends in neither .nii nor .nii.gz", remedy: "rename it")
        }
        let writer = try VolumeWriter(
            path: path, grid: volume.grid, dataType: Scalar.niftiDataType, spaceCode: spaceCode, text: text)
        try volume.voxels.withUnsafeBytes { try writer.append($0) }
        try writer.finish()
    }

    /// 348 bytes of header and 4 that say "no extension", little-endian.
    static func headerBytes(
        _ grid: VoxelGrid, frames: Int = 1, frameDuration: Double = 0, type: VoxelType, spaceCode: Int,
        scaling: (slope: Double, intercept: Double)? = nil, text: String
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 352)
        func put<T: FixedWidthInteger>(_ value: T, _ offset: Int) {
            withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
        }
        func put(_ value: Double, _ offset: Int) { put(Float(value).bitPattern, offset) }
        put(Int32(348), 0)
        bytes[38] = UInt8(ascii: "r")
        let sizes = [frames > 1 ? 4 : 3, grid.dims.x, grid.dims.y, grid.dims.z, frames, 1, 1, 1]
        for (i, size) in sizes.enumerated() { put(Int16(size), 40 + 2 * i) }
        put(Int16(type.rawValue), 70)
        put(Int16(type.bytes * 8), 72)
        for (i, step) in [grid.spacing.x, grid.spacing.y, grid.spacing.z].enumerated() { put(step, 80 + 4 * i) }
        put(frames > 1 ? frameDuration : 0, 92)
        put(352.0, 108)
        put(scaling?.slope ?? 1, 112)
        put(scaling?.intercept ?? 0, 116)
        bytes[123] = 2 + 8  // millimetres and seconds
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
