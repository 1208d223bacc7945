import Glibc
import SardonyxGraph

/// Tensors in numpy's .npy files, versions 1 to 3.
package enum NumPyFile {
    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// A tensor's header has far less; a longer one is a lie.
    private static let headerLimit = 1 << 16

    /// Whether numpy has the type: all but strings, bfloat16, float8 and types narrower than a byte.
    package static func canHold(_ type: DataType) -> Bool { NumPyHeader.descriptor(of: type) != nil }

    /// Reads a tensor, in row-major order and this machine's byte order whatever the file has.
    /// - Throws: `file`, `malformed` when the file is broken, short or long, `unsupported` for numpy types that ONNX lacks.
    package static func read(_ path: String) throws(SardonyxError) -> Tensor {
        let file = try InputFile(path)
        do {
            return try read(file)
        } catch {
            throw error.inFile(path)
        }
    }

    private static func read(_ file: borrowing InputFile) throws(SardonyxError) -> Tensor {
        guard file.byteCount >= 10 else { throw SardonyxError(.malformed, "too short for a .npy file") }
        let start = try file.read(8)
        guard start[..<6].elementsEqual(magic) else { throw SardonyxError(.malformed, "no .npy file") }
        guard (1...3).contains(start[6]) else {
            throw SardonyxError(.unsupported, ".npy version \(start[6]).\(start[7]); versions 1 to 3 can be read")
        }
        let sizeBytes = try file.read(start[6] == 1 ? 2 : 4)
        let headerByteCount = sizeBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        let headerEnd = 8 + sizeBytes.count + headerByteCount
        guard headerByteCount <= headerLimit, headerEnd <= file.byteCount else {
            throw SardonyxError(
                .malformed, "the .npy header has \(headerByteCount) bytes; the file has \(file.byteCount)")
        }
        let header = try NumPyHeader(parsing: file.read(headerByteCount))
        let shape = header.shape
        guard shape.count <= maximumRank, let count = shape.checkedElementCount, count <= Int.max / 64 else {
            throw SardonyxError(.malformed, "the .npy header has the impossible shape \(shape)")
        }
        let expected = count * header.dataType.byteCount
        guard file.byteCount - headerEnd == expected else {
            throw SardonyxError(
                .malformed,
                "\(header.dataType.name)\(shape) needs \(expected) bytes of data; the file has \(file.byteCount - headerEnd)"
            )
        }
        let tensor = try Tensor(uninitialized: header.dataType, shape: shape)
        let bytes = UnsafeMutableRawBufferPointer(start: tensor.storage.base, count: expected)
        try file.read(into: bytes)
        if header.isBigEndian { swapBytes(bytes, header.dataType) }
        if header.dataType == .bool {
            for index in bytes.indices where bytes[index] > 1 { bytes[index] = 1 }
        }
        return header.isFortranOrder ? try rowMajor(tensor) : tensor
    }

    private static func swapBytes(_ bytes: UnsafeMutableRawBufferPointer, _ type: DataType) {
        // A complex number is two real ones.
        let size = type == .complex64 || type == .complex128 ? type.byteCount / 2 : type.byteCount
        for start in stride(from: 0, to: bytes.count, by: size) {
            for offset in 0..<(size / 2) { bytes.swapAt(start + offset, start + size - 1 - offset) }
        }
    }

    /// The elements of a column-major tensor in row-major order.
    private static func rowMajor(_ source: Tensor) throws(SardonyxError) -> Tensor {
        let shape = source.shape
        if shape.count < 2 || source.count == 0 { return source }
        let target = try Tensor(uninitialized: source.dataType, shape: shape)
        let size = source.dataType.byteCount
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in 1..<shape.count { strides[axis] = strides[axis - 1] * shape[axis - 1] }
        var position = [Int](repeating: 0, count: shape.count)
        var offset = 0
        for element in 0..<source.count {
            memcpy(target.storage.base + element * size, source.storage.base + offset * size, size)
            for axis in shape.indices.reversed() {
                position[axis] += 1
                offset += strides[axis]
                if position[axis] < shape[axis] { break }
                offset -= position[axis] * strides[axis]
                position[axis] = 0
            }
        }
        return target
    }

    /// Writes a tensor as numpy.save would, whole or not at all.
    /// - Throws: `unsupported` for types that numpy lacks, `file`.
    package static func write(_ tensor: Tensor, to path: String) throws(SardonyxError) {
        guard let descriptor = NumPyHeader.descriptor(of: tensor.dataType) else {
            throw SardonyxError(
                .unsupported, "numpy has no type for \(tensor.dataType.name); write a .pb file", file: path)
        }
        let header = NumPyHeader.text(descriptor, tensor.shape, prefix: magic.count + 4)
        let size = UInt16(header.utf8.count)
        let start = magic + [1, 0, UInt8(size & 0xFF), UInt8(size >> 8)] + Array(header.utf8)
        try write(path, start, tensor)
    }

    private static func write(_ path: String, _ start: [UInt8], _ tensor: Tensor) throws(SardonyxError) {
        do {
            try start.withUnsafeBytes { head in try tensor.withUnsafeBytes { try writeFile(path, [head, $0]) } }
        } catch let error as SardonyxError {
            throw error
        } catch {
            throw SardonyxError(.file, "\(error)", file: path)
        }
    }
}
