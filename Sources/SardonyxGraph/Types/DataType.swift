/// The element types of ONNX tensors, with the numbers of `TensorProto.DataType`.
///
/// Elements narrower than a byte (`uint4`, `int4`, `uint2`, `int2`, `float4e2m1`, `float6e2m3`, `float6e3m2`) take a whole byte each in memory,
/// sign-extended where they are signed; they are packed only in files.
public enum DataType: Int32, Sendable, Hashable, CaseIterable {
    /// 32 bits, IEEE 754; `Float` in Swift.
    case float = 1
    /// 8 bits without a sign.
    case uint8 = 2
    /// 8 bits with a sign.
    case int8 = 3
    /// 16 bits without a sign.
    case uint16 = 4
    /// 16 bits with a sign.
    case int16 = 5
    /// 32 bits with a sign.
    case int32 = 6
    /// 64 bits with a sign.
    case int64 = 7
    /// Text in UTF-8; see ``Tensor/strings``.
    case string = 8
    /// One byte, 0 or 1.
    case bool = 9
    /// 16 bits, IEEE 754 binary16.
    case float16 = 10
    /// 64 bits, IEEE 754; `Double` in Swift.
    case double = 11
    /// 32 bits without a sign.
    case uint32 = 12
    /// 64 bits without a sign.
    case uint64 = 13
    /// Real and imaginary part, each `float`.
    case complex64 = 14
    /// Real and imaginary part, each `double`.
    case complex128 = 15
    /// The upper 16 bits of a `float`: ``BFloat16`` in Swift.
    case bfloat16 = 16
    /// 8 bits: 4 of exponent, 3 of fraction; no infinities.
    case float8e4m3fn = 17
    /// As `float8e4m3fn`, without a negative zero.
    case float8e4m3fnuz = 18
    /// 8 bits: 5 of exponent, 2 of fraction.
    case float8e5m2 = 19
    /// As `float8e5m2`, without infinities and a negative zero.
    case float8e5m2fnuz = 20
    /// 4 bits without a sign, 0 to 15.
    case uint4 = 21
    /// 4 bits with a sign, -8 to 7.
    case int4 = 22
    /// 4 bits: 2 of exponent, 1 of fraction.
    case float4e2m1 = 23
    /// 8 bits of exponent alone: powers of two, for scales.
    case float8e8m0 = 24
    /// 2 bits without a sign, 0 to 3.
    case uint2 = 25
    /// 2 bits with a sign, -2 to 1.
    case int2 = 26
    /// 6 bits: 2 of exponent, 3 of fraction.
    case float6e2m3 = 27
    /// 6 bits: 3 of exponent, 2 of fraction.
    case float6e3m2 = 28

    /// Bytes that one element takes in memory; for `string` the size of an index into the tensor's string table.
    public var byteCount: Int {
        switch self {
        case .uint8, .int8, .bool, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0: 1
        case .uint4, .int4, .float4e2m1, .uint2, .int2, .float6e2m3, .float6e3m2: 1
        case .uint16, .int16, .float16, .bfloat16: 2
        case .float, .int32, .uint32: 4
        case .int64, .uint64, .double, .complex64, .string: 8
        case .complex128: 16
        }
    }

    /// Bits that one element takes in a file.
    package var fileBitCount: Int {
        switch self {
        case .uint4, .int4, .float4e2m1: 4
        case .uint2, .int2: 2
        case .float6e2m3, .float6e3m2: 6
        default: byteCount * 8
        }
    }

    /// The name that ONNX's text form uses, such as `float` or `int64`.
    public var name: String { "\(self)" }

    package var isFloatingPoint: Bool {
        switch self {
        case .float, .double, .float16, .bfloat16, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz,
            .float8e8m0, .float4e2m1, .float6e2m3, .float6e3m2:
            true
        default: false
        }
    }

    package var isInteger: Bool {
        switch self {
        case .uint8, .int8, .uint16, .int16, .int32, .int64, .uint32, .uint64, .uint4, .int4, .uint2, .int2: true
        default: false
        }
    }
}
