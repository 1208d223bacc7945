/// The element types of ONNX tensors, with the numbers of `TensorProto.DataType`.
///
/// Elements narrower than a byte (`uint4`, `int4`, `uint2`, `int2`, `float4e2m1`, `float6e2m3`, `float6e3m2`) take a whole byte each in memory,
/// sign-extended where they are signed; they are packed only in files.
public enum DataType: Int32, Sendable, Hashable, CaseIterable {
    case float = 1
    case uint8 = 2
    case int8 = 3
    case uint16 = 4
    case int16 = 5
    case int32 = 6
    case int64 = 7
    case string = 8
    case bool = 9
    case float16 = 10
    case double = 11
    case uint32 = 12
    case uint64 = 13
    case complex64 = 14
    case complex128 = 15
    case bfloat16 = 16
    case float8e4m3fn = 17
    case float8e4m3fnuz = 18
    case float8e5m2 = 19
    case float8e5m2fnuz = 20
    case uint4 = 21
    case int4 = 22
    case float4e2m1 = 23
    case float8e8m0 = 24
    case uint2 = 25
    case int2 = 26
    case float6e2m3 = 27
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
