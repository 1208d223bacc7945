extension VolumeFile {
    /// Writes the voxels to another file, whose ending chooses the format, slab by slab: memory does not grow with the
    /// volume.
    ///
    /// Integers of 8 and 16 bits without a scaling stay what they are; all else becomes 32-bit float, scaled. Complex
    /// and other components stay side by side, which NIfTI takes for colours only.
    ///
    /// - Parameters:
    ///   - path: ends in .nii, .nii.gz, .nrrd or .mha; see `VolumeWriter`.
    ///   - frame: the only one to be written; `nil` for all.
    ///   - orientation: the directions in which i, j, k are to grow; `nil` leaves them.
    /// - Throws: `ImagingError`, as `read` and `VolumeWriter`.
    public func convert(to path: String, frame: Int? = nil, orientation: Orientation? = nil) throws {
        try convert(to: path, frame: frame, orientation: orientation, slab: 1 << 20)
    }

    /// As above, by slabs of at most `slab` voxels, but of a slice at least.
    func convert(to path: String, frame: Int?, orientation: Orientation?, slab: Int) throws {
        let wanted = orientation ?? grid.orientation
        let target = grid.reoriented(to: wanted)
        let isKept = scaling == nil && [.uint8, .int8, .int16, .uint16].contains(dataType.component)
        let type = isKept ? dataType.component : .float32
        let writer = try VolumeWriter(
            path: path, grid: target, frames: frame == nil ? frames : 1, components: components, dataType: type,
            spaceCode: spaceCode, frameDuration: frameDuration)
        let plane = target.dims.x * target.dims.y
        // The target's slices are the source's slices along one of its axes.
        let (axis, isReversed) = grid.route(to: wanted)[2]
        let depth = max(1, slab / plane)
        let most = plane * min(depth, target.dims.z)
        var bytes = [UInt8](repeating: 0, count: most * components * type.bytes)
        for frame in frame.map({ $0...$0 }) ?? 0...frames - 1 {
            for first in stride(from: 0, to: target.dims.z, by: depth) {
                let end = min(first + depth, target.dims.z)
                var box = grid.box
                box.lower[axis] = isReversed ? target.dims.z - end : first
                box.upper[axis] = isReversed ? target.dims.z - first : end
                for component in 0..<components {
                    let part = try volume(of: box, frame: frame, component: component).reoriented(to: wanted)
                    VolumeFile.store(part.voxels, component, of: components, as: type, in: &bytes)
                }
                let count = box.count * components * type.bytes
                try bytes.withUnsafeBytes { try writer.append(.init(rebasing: $0[..<count])) }
            }
        }
        try writer.finish()
    }

    /// Puts the values of one component between those of the others.
    private static func store(
        _ values: [Float], _ component: Int, of components: Int, as type: VoxelType, in bytes: inout [UInt8]
    ) {
        func store<T: BitwiseCopyable>(_ convert: (Float) -> T) {
            let width = MemoryLayout<T>.size
            bytes.withUnsafeMutableBytes { bytes in
                for (n, value) in values.enumerated() {
                    let place = (n * components + component) * width
                    bytes.storeBytes(of: convert(value), toByteOffset: place, as: T.self)
                }
            }
        }
        switch type {
        case .uint8: store { UInt8($0) }
        case .int8: store { Int8($0) }
        case .int16: store { Int16($0) }
        case .uint16: store { UInt16($0) }
        default: store { $0 }
        }
    }
}
