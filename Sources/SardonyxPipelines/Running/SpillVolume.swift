import SardonyxImaging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Values of a volume in a temporary file without a name: written in any order, read slice by slice, gone with its owner
/// or its process. Not in memory, whatever the number of slices.
final class SpillVolume<Scalar: BitwiseCopyable> {
    let dims: SIMD3<Int>
    private let descriptor: Int32
    private let folder: String

    /// A volume of zeros.
    ///
    /// - Parameter folder: where the disk has room for it.
    /// - Throws: `ImagingError` `.cannotWrite`.
    init(dims: SIMD3<Int>, folder: String) throws {
        self.dims = dims
        self.folder = folder
        descriptor = try openTemporary(in: folder)
        guard ftruncate(descriptor, off_t(dims.x * dims.y * dims.z * MemoryLayout<Scalar>.stride)) == 0 else {
            throw SpillVolume.failure(folder)
        }
    }

    deinit { close(descriptor) }

    /// Writes a box, i fastest.
    func write(_ box: VoxelBox, from values: UnsafePointer<Scalar>) throws {
        try each(box) { offset, start, count in
            pwrite(descriptor, values + start, count * MemoryLayout<Scalar>.stride, offset)
        }
    }

    /// Reads a box, i fastest.
    func read(_ box: VoxelBox, into values: UnsafeMutablePointer<Scalar>) throws {
        try each(box) { offset, start, count in
            pread(descriptor, values + start, count * MemoryLayout<Scalar>.stride, offset)
        }
    }

    /// Hands each run of a box that is one piece of the file to `transfer`: place in the file, first value, values.
    private func each(_ box: VoxelBox, _ transfer: (off_t, Int, Int) -> Int) throws {
        let size = box.upper &- box.lower
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
                var done = 0
                while done < run {
                    let count = transfer(off_t((first + done) * MemoryLayout<Scalar>.stride), start + done, run - done)
                    if count < 0 && errno == EINTR { continue }
                    guard count >= MemoryLayout<Scalar>.stride else { throw SpillVolume.failure(folder) }
                    // What a full disk left of a value is written again.
                    done += count / MemoryLayout<Scalar>.stride
                }
                start += run
            }
        }
    }

    private static func failure(_ folder: String) -> ImagingError {
        ImagingError(
            .cannotWrite, path: folder,
            problem: "intermediate results cannot be kept there (\(String(cString: strerror(errno))))",
            remedy: "check the free space")
    }
}

extension SpillVolume: SliceStore where Scalar == UInt16 {
    func read(slice k: Int, into buffer: UnsafeMutableBufferPointer<UInt16>) throws {
        try read(slice(k), into: buffer.baseAddress!)
    }

    func write(slice k: Int, from buffer: UnsafeBufferPointer<UInt16>) throws {
        try write(slice(k), from: buffer.baseAddress!)
    }

    private func slice(_ k: Int) -> VoxelBox {
        VoxelBox(lower: SIMD3(0, 0, k), upper: SIMD3(dims.x, dims.y, k + 1))
    }
}

/// Opens a file for reading and writing that has no name.
private func openTemporary(in folder: String) throws -> Int32 {
    var template = Array((folder + "/.sardonyx-XXXXXX").utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
        throw ImagingError(
            .cannotWrite, path: folder, problem: "no file can be made there (\(String(cString: strerror(errno))))",
            remedy: "check the folder and your rights")
    }
    unlink(template)
    return descriptor
}
