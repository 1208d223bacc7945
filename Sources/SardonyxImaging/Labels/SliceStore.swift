/// A label volume that is read and written one slice at a time, so that it need not fit in memory.
public protocol SliceStore: AnyObject {
    /// Voxels along i, j, k.
    var dims: SIMD3<Int> { get }

    /// Fills `buffer` (dims.x · dims.y values, i fastest) with slice `k`.
    ///
    /// - Throws: `ImagingError` `.cannotRead` when the system fails.
    func read(slice k: Int, into buffer: UnsafeMutableBufferPointer<UInt16>) throws

    /// Replaces slice `k` by `buffer` (dims.x · dims.y values, i fastest).
    ///
    /// - Throws: `ImagingError` `.cannotWrite` when the system fails, `.mismatch` for a label that it cannot hold.
    func write(slice k: Int, from buffer: UnsafeBufferPointer<UInt16>) throws

    /// The runs of slice `k`, each as long as can be, in the place of those that `runs` (of dims.x · dims.y voxels) holds;
    /// those of label 0 are left out. Without an implementation of its own a store's slices are read and searched.
    ///
    /// - Throws: as reading a slice.
    func read(slice k: Int, into runs: inout LabelRuns) throws

    /// Replaces slice `k` by the voxels of runs (of dims.x · dims.y voxels), 0 between them.
    ///
    /// - Throws: as writing a slice.
    func write(slice k: Int, from runs: LabelRuns) throws

    /// Copies the labels of a box inside the volume, i fastest, to `values`, which has room for them.
    ///
    /// - Throws: as reading a slice.
    func read(_ box: VoxelBox, into values: UnsafeMutablePointer<UInt16>) throws
}

extension SliceStore {
    /// Reads the slice and searches it.
    public func read(slice k: Int, into runs: inout LabelRuns) throws {
        precondition(runs.width == dims.x && runs.height == dims.y, "runs of the store's slices")
        try runs.scan { try read(slice: k, into: $0) }
    }

    /// Writes the slice that the runs make.
    public func write(slice k: Int, from runs: LabelRuns) throws {
        precondition(runs.width == dims.x && runs.height == dims.y, "runs of the store's slices")
        try withSlice {
            runs.fill($0)
            try write(slice: k, from: UnsafeBufferPointer($0))
        }
    }

    /// Reads each slice that the box touches.
    public func read(_ box: VoxelBox, into values: UnsafeMutablePointer<UInt16>) throws {
        precondition(all((box.lower .>= 0) .& (box.upper .<= dims)), "the box lies in the volume")
        let size = box.size
        if box.isEmpty { return }
        try withSlice { slice in
            for k in 0..<size.z {
                try read(slice: box.lower.z + k, into: slice)
                for j in 0..<size.y {
                    // SAFETY: `values` has room for the box, whose row this is; the row's voxels lie in the slice.
                    (values + (k * size.y + j) * size.x).update(
                        from: slice.baseAddress! + (box.lower.y + j) * dims.x + box.lower.x, count: size.x)
                }
            }
        }
    }

    /// Hands the runs of slice `k` to `body`. Where many slices are read, `read(slice:into:)` uses one memory for all.
    public func withRuns<R>(slice k: Int, _ body: (LabelRuns) throws -> R) throws -> R {
        var runs = LabelRuns(width: dims.x, height: dims.y)
        try read(slice: k, into: &runs)
        return try body(runs)
    }

    /// Memory for one slice while `body` runs.
    func withSlice<R>(_ body: (UnsafeMutableBufferPointer<UInt16>) throws -> R) throws -> R {
        let slice = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: dims.x * dims.y)
        defer { slice.deallocate() }
        return try body(slice)
    }

    /// Runs and places count in 32 bits.
    func checkSize() throws { try Self.checkSize(dims) }

    static func checkSize(_ dims: SIMD3<Int>) throws {
        guard (0..<3).allSatisfy({ (0...Int(Int32.max)).contains(dims[$0]) }) else {
            throw ImagingError(
                .tooLarge, problem: "\(dims.x)×\(dims.y)×\(dims.z) labels; an axis may have \(Int32.max)",
                remedy: "cut the volume")
        }
    }
}

/// Labels in memory.
public final class MemorySliceStore: SliceStore {
    /// The labels as they are now.
    public private(set) var volume: Volume<UInt16>

    /// Keeps a volume.
    public init(_ volume: Volume<UInt16>) { self.volume = volume }

    /// Keeps a mask; what is not 0 becomes 1.
    public init(mask: Mask) { volume = Volume(grid: mask.grid, voxels: mask.voxels.map { $0 == 0 ? 0 : 1 }) }

    /// Voxels along i, j, k.
    public var dims: SIMD3<Int> { volume.dims }

    /// Fills `buffer` with slice `k`; traps when that is outside the volume.
    public func read(slice k: Int, into buffer: UnsafeMutableBufferPointer<UInt16>) {
        let count = dims.x * dims.y
        _ = buffer.update(from: volume.voxels[k * count..<(k + 1) * count])
    }

    /// Replaces slice `k`; traps when that is outside the volume.
    public func write(slice k: Int, from buffer: UnsafeBufferPointer<UInt16>) {
        let count = dims.x * dims.y
        volume.voxels.withUnsafeMutableBufferPointer {
            _ = $0[k * count..<(k + 1) * count].update(from: buffer[0..<count])
        }
    }
}
