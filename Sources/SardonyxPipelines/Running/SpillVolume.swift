import SardonyxImaging

/// Values of a volume in a temporary file without a name: written in any order, read slice by slice, gone with its owner
/// or its process. Not in memory, whatever the number of slices.
final class SpillVolume<Scalar: BitwiseCopyable> {
    let dims: SIMD3<Int>
    private let file: RandomAccessFile

    /// A volume of zeros.
    ///
    /// - Parameter folder: where the disk has room for it.
    /// - Throws: `ImagingError` `.cannotWrite`.
    init(dims: SIMD3<Int>, folder: String) throws {
        self.dims = dims
        file = try RandomAccessFile(temporaryIn: folder)
        try file.extend(to: UInt64(dims.x * dims.y * dims.z * MemoryLayout<Scalar>.stride))
    }

    /// Writes a box, i fastest.
    func write(_ box: VoxelBox, from values: UnsafePointer<Scalar>) throws {
        try each(box) {
            try file.write(UnsafeRawBufferPointer(UnsafeBufferPointer(start: values + $1, count: $2)), at: $0)
        }
    }

    /// Makes every voxel `value`, a small block of them at a time.
    func fill(with value: Scalar) throws {
        let count = dims.x * dims.y * dims.z
        let block = [Scalar](repeating: value, count: min(count, 1 << 14))
        for start in stride(from: 0, to: count, by: block.count) {
            try block.prefix(count - start).withUnsafeBytes {
                try file.write($0, at: UInt64(start * MemoryLayout<Scalar>.stride))
            }
        }
    }

    /// Reads a box, i fastest.
    func read(_ box: VoxelBox, into values: UnsafeMutablePointer<Scalar>) throws {
        try each(box) {
            try file.read(
                at: $0, into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(start: values + $1, count: $2)))
        }
    }

    /// Reads slice `k`, i fastest.
    func read(slice k: Int, into buffer: UnsafeMutableBufferPointer<Scalar>) throws {
        try read(VoxelBox(slice: k, of: dims), into: buffer.baseAddress!)
    }

    /// Writes slice `k`, i fastest.
    func write(slice k: Int, from buffer: UnsafeBufferPointer<Scalar>) throws {
        try write(VoxelBox(slice: k, of: dims), from: buffer.baseAddress!)
    }

    /// Hands each run of a box that is one piece of the file to `transfer`: place in the file, first value, values.
    private func each(_ box: VoxelBox, _ transfer: (UInt64, Int, Int) throws -> Void) throws {
        let size = box.size
        // Runs grow over rows and slices that the box holds whole.
        var run = size.x
        var (rows, slices) = (size.y, size.z)
        if size.x == dims.x {
            (run, rows) = (run * rows, 1)
            if size.y == dims.y { (run, slices) = (run * slices, 1) }
        }
        var start = 0
        for k in 0..<slices {
            for j in 0..<rows {
                let first = box.lower.x + dims.x * (box.lower.y + j + dims.y * (box.lower.z + k))
                try transfer(UInt64(first * MemoryLayout<Scalar>.stride), start, run)
                start += run
            }
        }
    }
}

extension SpillVolume: SliceStore where Scalar == UInt16 {}
