/// Rows of slices of a volume in memory, as they are stored: voxels become Floats where they are wanted.
struct VoxelSlab {
    let slices: Range<Int>
    let rows: Range<Int>
    /// Bytes from a voxel to the next along i, j, k.
    let steps: SIMD3<Int>
    let decoder: VoxelDecoder
    /// Where the first voxel of the first row lies.
    private let base: UnsafeRawPointer

    /// Slices of Floats without gaps.
    init(_ values: UnsafePointer<Float>, slices: Range<Int>, dims: SIMD3<Int>) {
        (self.slices, rows, base) = (slices, 0..<dims.y, UnsafeRawPointer(values))
        steps = SIMD3(1, dims.x, dims.x * dims.y) &* 4
        decoder = VoxelDecoder(type: .float32, swapped: false, scaling: nil)
    }

    fileprivate init(
        _ base: UnsafeRawPointer, slices: Range<Int>, rows: Range<Int>, steps: SIMD3<Int>, _ decoder: VoxelDecoder
    ) {
        (self.base, self.slices, self.rows, self.steps, self.decoder) = (base, slices, rows, steps, decoder)
    }

    /// Where a voxel of the slab is stored.
    func address(_ i: Int, _ j: Int, _ k: Int) -> UnsafeRawPointer {
        base + i * steps.x + (j - rows.lowerBound) * steps.y + (k - slices.lowerBound) * steps.z
    }

    /// Converts `count` voxels from one on, each `stride` voxels further along an axis; backwards below 0.
    ///
    /// SAFETY: the slab holds all of them, and `output` has room.
    func read(
        _ i: Int, _ j: Int, _ k: Int, count: Int, along axis: Int, stride: Int = 1,
        into output: UnsafeMutablePointer<Float>
    ) {
        decoder.decode(address(i, j, k), step: steps[axis] * stride, count: count, into: output)
    }
}

extension VolumeFile {
    /// Bytes that `count` slices take from the first voxel to the last; `nil` where they lie so far apart that reading
    /// what is between them takes over 8 bytes a voxel.
    func slabBytes(_ count: Int) -> Int? {
        let last = (SIMD3(grid.dims.x, grid.dims.y, count) &- 1) &* layout.strides
        let bytes = (last.wrappedSum() + 1) * decoder.type.bytes
        return bytes <= 8 * grid.dims.x * grid.dims.y * count ? bytes : nil
    }

    /// Reads rows of slices as they are stored.
    ///
    /// - Parameter buffer: `slabBytes` of as many slices; the slab lies in it.
    /// - Throws: `ImagingError`, as `read`.
    func slab(
        _ slices: Range<Int>, rows: Range<Int>, frame: Int, component: Int, in buffer: UnsafeMutableRawBufferPointer
    ) throws -> VoxelSlab {
        let width = decoder.type.bytes
        let steps = layout.strides &* width
        let last = (SIMD3(grid.dims.x, rows.count, slices.count) &- 1) &* steps
        let start = SIMD3(0, rows.lowerBound, slices.lowerBound) &* steps
        let place = try offset(frame, component) * width + start.wrappedSum()
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(last.wrappedSum() + width)])
        try store.read(at: UInt64(place), into: part)
        return VoxelSlab(part.baseAddress!, slices: slices, rows: rows, steps: steps, decoder)
    }
}
