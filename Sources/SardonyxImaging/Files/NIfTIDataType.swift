/// How a NIfTI file stores a voxel; raw values are the standard's codes.
public enum NIfTIDataType: Int, Sendable, CaseIterable {
    /// 8 bits without a sign.
    case uint8 = 2
    /// 16 bits with a sign.
    case int16 = 4
    /// 32 bits with a sign.
    case int32 = 8
    /// IEEE 754 binary32.
    case float32 = 16
    /// Real and imaginary part, each binary32.
    case complex64 = 32
    /// IEEE 754 binary64.
    case float64 = 64
    /// Red, green, blue, a byte each.
    case rgb24 = 128
    /// 8 bits with a sign.
    case int8 = 256
    /// 16 bits without a sign.
    case uint16 = 512
    /// 32 bits without a sign.
    case uint32 = 768
    /// 64 bits with a sign.
    case int64 = 1024
    /// 64 bits without a sign.
    case uint64 = 1280
    /// IEEE 754 binary128.
    case float128 = 1536
    /// Real and imaginary part, each binary64.
    case complex128 = 1792
    /// Two IEEE 754 binary128.
    case complex256 = 2048
    /// Red, green, blue, opacity, a byte each.
    case rgba32 = 2304

    /// Values a voxel: 2 for complex (real, imaginary), 3 for RGB, 4 for RGBA, else 1.
    public var components: Int {
        switch self {
        case .complex64, .complex128, .complex256: return 2
        case .rgb24: return 3
        case .rgba32: return 4
        default: return 1
        }
    }

    /// Bytes of one value.
    var componentBytes: Int {
        switch self {
        case .uint8, .int8, .rgb24, .rgba32: return 1
        case .int16, .uint16: return 2
        case .int32, .uint32, .float32, .complex64: return 4
        case .int64, .uint64, .float64, .complex128: return 8
        case .float128, .complex256: return 16
        }
    }

    /// Bytes of one voxel.
    public var bytes: Int { componentBytes * components }

    var isColour: Bool { self == .rgb24 || self == .rgba32 }
}

/// Turns stored bytes into Float.
struct VoxelDecoder {
    let type: NIfTIDataType
    let swapped: Bool
    let component: Int
    /// value = stored · slope + intercept, in double, rounded once; `nil` leaves the stored value.
    let scaling: (slope: Double, intercept: Double)?

    /// Appends one Float for each voxel in `bytes`, whose count is a multiple of the voxel's.
    func append(_ bytes: UnsafeRawBufferPointer, to output: inout [Float]) {
        switch type {
        case .uint8, .rgb24, .rgba32: integers(UInt8.self, bytes, &output)
        case .int8: integers(Int8.self, bytes, &output)
        case .int16: integers(Int16.self, bytes, &output)
        case .uint16: integers(UInt16.self, bytes, &output)
        case .int32: integers(Int32.self, bytes, &output)
        case .uint32: integers(UInt32.self, bytes, &output)
        case .int64: integers(Int64.self, bytes, &output)
        case .uint64: integers(UInt64.self, bytes, &output)
        case .float32, .complex64:
            each(UInt32.self, bytes, &output) { bits in
                let value = Float(bitPattern: bits)
                return scaling == nil ? value : scaled(Double(value))
            }
        case .float64, .complex128: each(UInt64.self, bytes, &output) { scaled(Double(bitPattern: $0)) }
        case .float128, .complex256: quads(bytes, &output)
        }
    }

    private func scaled(_ value: Double) -> Float {
        guard let scaling else { return Float(value) }
        return Float(value * scaling.slope + scaling.intercept)
    }

    private func integers<T: FixedWidthInteger>(
        _: T.Type, _ bytes: UnsafeRawBufferPointer, _ output: inout [Float]
    ) {
        // Whole numbers below 2^24 are exact either way; Float(T) rounds once from any width.
        if scaling == nil {
            each(T.self, bytes, &output) { Float($0) }
        } else {
            each(T.self, bytes, &output) { scaled(Double($0)) }
        }
    }

    @inline(__always)
    private func each<T: FixedWidthInteger>(
        _: T.Type, _ bytes: UnsafeRawBufferPointer, _ output: inout [Float], _ convert: (T) -> Float
    ) {
        let stride = type.bytes
        let first = component * type.componentBytes
        let count = bytes.count / stride
        for voxel in 0..<count {
            // SAFETY: voxel < count, so the load ends within `bytes`.
            let stored = bytes.loadUnaligned(fromByteOffset: voxel * stride + first, as: T.self)
            output.append(convert(swapped ? stored.byteSwapped : stored))
        }
    }

    private func quads(_ bytes: UnsafeRawBufferPointer, _ output: inout [Float]) {
        let stride = type.bytes
        for voxel in 0..<(bytes.count / stride) {
            let at = voxel * stride + component * 16
            let a = bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)
            let b = bytes.loadUnaligned(fromByteOffset: at + 8, as: UInt64.self)
            let (low, high) = swapped ? (b.byteSwapped, a.byteSwapped) : (a, b)
            output.append(scaled(VoxelDecoder.quad(high: high, low: low)))
        }
    }

    /// The double nearest to an IEEE 754 binary128 (to within its last bit; below 2^-1022 it becomes 0).
    static func quad(high: UInt64, low: UInt64) -> Double {
        let negative = high >> 63 == 1
        let exponent = Int(high >> 48 & 0x7fff)
        let top = high & 0xffff_ffff_ffff
        var value: Double
        if exponent == 0x7fff {
            value = top == 0 && low == 0 ? .infinity : .nan
        } else if exponent - 16383 > 1023 {
            value = .infinity
        } else if exponent - 16383 < -1022 {
            value = 0
        } else {
            // 48 bits of the fraction are in `top`, 64 in `low`; the sum of exact parts rounds once.
            let fraction = 1 + Double(top) * 0x1p-48 + Double(low >> 11) * 0x1p-101
            value = Double(sign: .plus, exponent: exponent - 16383, significand: fraction)
        }
        if negative { value.negate() }
        return value
    }
}
