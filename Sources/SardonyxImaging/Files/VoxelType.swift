/// How a file stores a voxel; raw values are NIfTI's codes.
public enum VoxelType: Int, Sendable, CaseIterable {
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

    /// The type of one of those values.
    public var component: VoxelType {
        switch self {
        case .complex64: return .float32
        case .complex128: return .float64
        case .complex256: return .float128
        case .rgb24, .rgba32: return .uint8
        default: return self
        }
    }

    /// Bytes of one voxel.
    public var bytes: Int {
        switch self {
        case .uint8, .int8: return 1
        case .int16, .uint16: return 2
        case .int32, .uint32, .float32: return 4
        case .int64, .uint64, .float64: return 8
        case .float128: return 16
        case .complex64, .complex128, .complex256, .rgb24, .rgba32: return component.bytes * components
        }
    }

    var isColour: Bool { self == .rgb24 || self == .rgba32 }
}

/// The name before other formats shared it.
public typealias NIfTIDataType = VoxelType
