#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A regular file that any number of threads read at any place. It is not mapped: a file that others cut short gives an
/// error instead of a signal, and what has been read does not stay resident.
package final class RandomAccessFile: Sendable {
    /// As the caller named it; errors say so.
    let path: String
    /// Bytes when it was opened.
    let size: UInt64
    private let descriptor: Int32
    /// Linux's O_TMPFILE, a macro that Swift does not import.
    private static let withoutName = 0o20_000_000 | O_DIRECTORY

    /// Opens a file for reading.
    init(_ path: String) throws {
        // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { close(descriptor) }
            throw ImagingError(
                .cannotOpen, path: path, problem: "cannot be opened (\(reason))",
                remedy: "check the name and your rights")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw ImagingError(
                .cannotOpen, path: path, problem: "it is no regular file", remedy: "name the file itself")
        }
        (self.path, self.descriptor, self.size) = (path, descriptor, UInt64(status.st_size))
    }

    /// An empty file without a name in `folder` (`nil`: $TMPDIR, else /tmp), which goes away with this object or with
    /// the process, however that ends.
    package init(temporaryIn folder: String?) throws {
        path = folder ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var made = open(path, RandomAccessFile.withoutName | O_RDWR | O_CLOEXEC, 0o600)
        if made < 0 {
            // Some file systems have no files without names: this one has a name for a moment. Should the process end in it,
            // `StudyFolder` takes the file away from a study's folder by that name.
            let name = try TemporaryName(for: path + "/voxels")
            made = open(name.temporary, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
            if made >= 0 { name.remove() }
        }
        descriptor = made
        guard made >= 0 else {
            throw ImagingError(
                .cannotWrite, path: path,
                problem: "no temporary file can be made there (\(String(cString: strerror(errno))))",
                remedy: "name another folder in TMPDIR")
        }
        size = 0
    }

    deinit { close(descriptor) }

    /// Fills `buffer` with the bytes from `offset` on; an error when the file ends before.
    package func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws {
        var got = 0
        while got < buffer.count {
            // SAFETY: got < buffer.count, and the kernel writes at most the rest.
            let n = pread(descriptor, buffer.baseAddress! + got, buffer.count - got, off_t(offset) + got)
            if n < 0 {
                if errno == EINTR { continue }
                throw ImagingError(
                    .cannotRead, path: path,
                    problem: "reading failed after \(Format.bytes(offset)) (\(String(cString: strerror(errno))))",
                    remedy: "check the disk and copy the file again")
            }
            guard n > 0 else {
                throw ImagingError(
                    .truncated, path: path,
                    problem: "it had \(size) bytes when it was opened and now ends after \(offset + UInt64(got))",
                    remedy: "leave the file alone while it is read")
            }
            got += n
        }
    }

    /// All the bytes, mapped, for the caller to `munmap`: a file that others cut short then raises SIGBUS. Not for an
    /// empty file.
    func map() throws -> UnsafeMutableRawPointer {
        let base = mmap(nil, Int(size), PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let base, base != MAP_FAILED else {
            throw ImagingError(
                .cannotRead, path: path, problem: "it cannot be mapped (\(String(cString: strerror(errno))))",
                remedy: "check how much memory programs may map")
        }
        return base
    }

    /// Gives the file so many bytes; those that nobody wrote are 0.
    package func extend(to size: UInt64) throws {
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            throw ImagingError(
                .cannotWrite, path: path,
                problem: "a file of \(Format.bytes(size)) cannot be kept there (\(String(cString: strerror(errno))))",
                remedy: "make room there")
        }
    }

    /// Writes bytes from `offset` on.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws {
        var done = 0
        while done < bytes.count {
            let n = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset) + done)
            if n < 0, errno == EINTR { continue }
            guard n > 0 else {
                throw ImagingError(
                    .cannotWrite, path: path,
                    problem: "intermediate voxels cannot be kept there (\(String(cString: strerror(errno))))",
                    remedy: "make room there")
            }
            done += n
        }
    }
}
