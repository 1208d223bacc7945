/// Builds NIfTI files byte by byte from the standard's tables, independent of the reader and the writer under test.
struct NIfTIBytes {
    var version = 1
    var bigEndian = false
    var dim: [Int] = [3, 2, 2, 2, 1, 1, 1, 1]
    var dataType = 2
    var bitpix = 8
    var pixdim: [Double] = [1, 1, 1, 1, 1, 1, 1, 1]
    var voxOffset = 352.0
    var slope = 1.0
    var intercept = 0.0
    var qformCode = 0
    var sformCode = 1
    /// b, c, d, x, y, z
    var quaternion: [Double] = [0, 0, 0, 0, 0, 0]
    var srows: [Double] = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
    var units = 2
    var magic: [UInt8] = Array("n+1\0".utf8)
    var sizeOfHeader: Int?

    func ordered<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: bigEndian ? value.bigEndian : value.littleEndian) { Array($0) }
    }
    func float(_ value: Double) -> [UInt8] { ordered(Float(value).bitPattern) }
    func double(_ value: Double) -> [UInt8] { ordered(value.bitPattern) }

    var header: [UInt8] { version == 1 ? header1 : header2 }

    private var header1: [UInt8] {
        var bytes = ordered(Int32(sizeOfHeader ?? 348)) + [UInt8](repeating: 0, count: 36)
        for d in dim { bytes += ordered(Int16(truncatingIfNeeded: d)) }
        bytes += [UInt8](repeating: 0, count: 14) + ordered(Int16(dataType)) + ordered(Int16(bitpix)) + [0, 0]
        for p in pixdim { bytes += float(p) }
        bytes += float(voxOffset) + float(slope) + float(intercept) + [0, 0, 0, UInt8(units)]
        bytes += [UInt8](repeating: 0, count: 24) + Array("a test".utf8) + [UInt8](repeating: 0, count: 98)
        bytes += ordered(Int16(qformCode)) + ordered(Int16(sformCode))
        for q in quaternion + srows { bytes += float(q) }
        return bytes + [UInt8](repeating: 0, count: 16) + magic
    }

    private var header2: [UInt8] {
        var bytes = ordered(Int32(sizeOfHeader ?? 540)) + magic + [0x0d, 0x0a, 0x1a, 0x0a]
        bytes += ordered(Int16(dataType)) + ordered(Int16(bitpix))
        for d in dim { bytes += ordered(Int64(d)) }
        bytes += [UInt8](repeating: 0, count: 24)
        for p in pixdim { bytes += double(p) }
        bytes += ordered(Int64(voxOffset)) + double(slope) + double(intercept)
        bytes += [UInt8](repeating: 0, count: 48) + Array("a test".utf8) + [UInt8](repeating: 0, count: 98)
        bytes += ordered(Int32(qformCode)) + ordered(Int32(sformCode))
        for q in quaternion + srows { bytes += double(q) }
        return bytes + ordered(Int32(0)) + ordered(Int32(units)) + [UInt8](repeating: 0, count: 36)
    }

    /// A single file: header, "no extension", voxels.
    func file(_ voxels: [UInt8]) -> [UInt8] {
        let gap = max(0, Int(voxOffset.isFinite ? min(max(voxOffset, 0), 10_000) : 0) - header.count)
        return header + [UInt8](repeating: 0, count: gap) + voxels
    }

    static func version2() -> NIfTIBytes {
        var bytes = NIfTIBytes()
        bytes.version = 2
        bytes.voxOffset = 544
        bytes.magic = Array("n+2\0".utf8)
        return bytes
    }
}

/// The stored bytes of one value of each type of the standard.
enum Stored {
    /// Eight voxels whose values suit the type's range, and their bytes; complex and colours have the component
    /// `component` checked.
    struct Case: Sendable, CustomStringConvertible {
        let dataType: Int
        let bitpix: Int
        let component: Int?
        let values: [Double]
        var description: String { "datatype \(dataType)" }
    }

    static func bytes(_ type: Int, _ value: Double, _ b: NIfTIBytes) -> [UInt8] {
        switch type {
        case 2: return [UInt8(value)]
        case 256: return b.ordered(Int8(value))
        case 4: return b.ordered(Int16(value))
        case 512: return b.ordered(UInt16(value))
        case 8: return b.ordered(Int32(value))
        case 768: return b.ordered(UInt32(value))
        case 1024: return b.ordered(Int64(value))
        case 1280: return b.ordered(UInt64(value))
        case 16: return b.float(value)
        case 64: return b.double(value)
        case 32: return b.float(-7) + b.float(value)
        case 1792: return b.double(-7) + b.double(value)
        case 128: return [9, UInt8(value), 8]
        case 2304: return [9, 8, 7, UInt8(value)]
        default: preconditionFailure("no such type")
        }
    }
}
