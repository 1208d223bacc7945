#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Labels in a file without a name, which goes away with the value or with the process. Slices that were never written
/// are 0. Memory: one slice in bytes where labels fit into a byte, nothing otherwise.
///
/// One thread at a time.
public final class FileSliceStore: SliceStore {
    /// Voxels along i, j, k.
    public let dims: SIMD3<Int>
    private let folder: String
    private let file: Int32
    /// One slice as it lies in the file where a voxel takes one byte.
    private var narrow: [UInt8]

    /// Makes the file in `folder`; one byte a voxel when no label is above 255, else two.
    ///
    /// - Throws: `ImagingError` `.cannotWrite` when the folder takes no file, `.tooLarge` when the sizes overflow.
    public init(dims: SIMD3<Int>, largestLabel: UInt16, folder: String = "/tmp") throws {
        precondition(dims.x > 0 && dims.y > 0 && dims.z > 0, "at least one voxel along each axis")
        let width = largestLabel > 255 ? 2 : 1
        var size = width
        for axis in 0..<3 {
            let (product, overflow) = size.multipliedReportingOverflow(by: dims[axis])
            guard !overflow else {
                throw ImagingError(
                    .tooLarge, path: folder, problem: "\(dims.x)×\(dims.y)×\(dims.z) voxels are more than a file holds",
                    remedy: "cut the volume")
            }
            size = product
        }
        var name = Array("\(folder)/sardonyx-labels-XXXXXX".utf8CString)
        file = mkstemp(&name)
        guard file >= 0 else {
            throw FileSliceStore.failure(.cannotWrite, folder, "cannot hold a temporary file", errno)
        }
        unlink(name)
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        self.dims = dims
        self.folder = folder
        narrow = width == 1 ? [UInt8](repeating: 0, count: dims.x * dims.y) : []
        guard ftruncate(file, size) == 0 else {
            throw FileSliceStore.failure(.cannotWrite, folder, "cannot hold \(Format.bytes(UInt64(size)))", errno)
        }
    }

    deinit { if file >= 0 { close(file) } }

    /// Fills `buffer` with slice `k`; traps when that is outside the volume.
    public func read(slice k: Int, into buffer: UnsafeMutableBufferPointer<UInt16>) throws {
        check(k, buffer.count)
        guard !narrow.isEmpty else {
            return try transfer(slice: k, UnsafeMutableRawBufferPointer(buffer), pread, .cannotRead)
        }
        try narrow.withUnsafeMutableBytes { try transfer(slice: k, $0, pread, .cannotRead) }
        narrow.withUnsafeBufferPointer { bytes in for v in 0..<bytes.count { buffer[v] = UInt16(bytes[v]) } }
    }

    /// Replaces slice `k`; traps when that is outside the volume.
    public func write(slice k: Int, from buffer: UnsafeBufferPointer<UInt16>) throws {
        check(k, buffer.count)
        let put = { (file: Int32, bytes: UnsafeMutableRawPointer?, count: Int, place: off_t) in
            pwrite(file, bytes, count, place)
        }
        // SAFETY: pwrite only reads the bytes.
        let bytes = UnsafeMutableRawBufferPointer(mutating: UnsafeRawBufferPointer(buffer))
        guard !narrow.isEmpty else { return try transfer(slice: k, bytes, put, .cannotWrite) }
        var all: UInt16 = 0
        narrow.withUnsafeMutableBufferPointer { narrow in
            for v in 0..<narrow.count {
                all |= buffer[v]
                narrow[v] = UInt8(truncatingIfNeeded: buffer[v])
            }
        }
        guard all < 256 else {
            throw ImagingError(
                .mismatch, path: folder, problem: "slice \(k) has a label above 255 in a file of bytes",
                remedy: "state the largest label when making the file")
        }
        try narrow.withUnsafeMutableBytes { try transfer(slice: k, $0, put, .cannotWrite) }
    }

    private func check(_ k: Int, _ count: Int) {
        precondition(k >= 0 && k < dims.z && count == dims.x * dims.y, "outside the volume")
    }

    private func transfer(
        slice k: Int, _ bytes: UnsafeMutableRawBufferPointer,
        _ call: (Int32, UnsafeMutableRawPointer?, Int, off_t) -> Int, _ code: ImagingError.Code
    ) throws {
        var done = 0
        while done < bytes.count {
            let got = call(file, bytes.baseAddress! + done, bytes.count - done, off_t(k * bytes.count + done))
            if got < 0, errno == EINTR { continue }
            guard got > 0 else {
                throw FileSliceStore.failure(code, folder, "the temporary labels fail at slice \(k)", errno)
            }
            done += got
        }
    }

    private static func failure(_ code: ImagingError.Code, _ folder: String, _ what: String, _ number: Int32)
        -> ImagingError
    {
        ImagingError(
            code, path: folder, problem: "\(what) (\(String(cString: strerror(number))))",
            remedy: "check its free space and your rights there")
    }
}
