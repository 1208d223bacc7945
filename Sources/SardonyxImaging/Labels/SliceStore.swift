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
}

extension SliceStore {
    /// Runs and places count in 32 bits.
    func checkSize() throws {
        guard (0..<3).allSatisfy({ dims[$0] <= Int32.max }) else {
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
