/// A Swift type that is stored in tensors as it is.
public protocol Scalar: BitwiseCopyable, Sendable {
    /// The tensor element type with this memory form.
    static var dataType: DataType { get }
}

extension Float: Scalar { public static var dataType: DataType { .float } }
extension Double: Scalar { public static var dataType: DataType { .double } }
extension Float16: Scalar { public static var dataType: DataType { .float16 } }
extension Int8: Scalar { public static var dataType: DataType { .int8 } }
extension Int16: Scalar { public static var dataType: DataType { .int16 } }
extension Int32: Scalar { public static var dataType: DataType { .int32 } }
extension Int64: Scalar { public static var dataType: DataType { .int64 } }
extension UInt8: Scalar { public static var dataType: DataType { .uint8 } }
extension UInt16: Scalar { public static var dataType: DataType { .uint16 } }
extension UInt32: Scalar { public static var dataType: DataType { .uint32 } }
extension UInt64: Scalar { public static var dataType: DataType { .uint64 } }
extension Bool: Scalar { public static var dataType: DataType { .bool } }

/// A number with the sign and exponent of `Float` and 7 bits of fraction.
@frozen
public struct BFloat16: Scalar, Hashable, Comparable {
    public var bitPattern: UInt16

    @inlinable
    public init(bitPattern: UInt16) { self.bitPattern = bitPattern }

    /// Rounds to nearest, ties to even; a NaN stays a NaN.
    @inlinable
    public init(_ value: Float) {
        let bits = value.bitPattern
        if value.isNaN {
            bitPattern = UInt16(truncatingIfNeeded: bits >> 16) | 0x40
        } else {
            bitPattern = UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
        }
    }

    @inlinable public var floatValue: Float { Float(bitPattern: UInt32(bitPattern) << 16) }
    public static var dataType: DataType { .bfloat16 }

    /// Compares as numbers do: zeros of either sign are equal, a NaN is equal to nothing.
    @inlinable
    public static func == (a: BFloat16, b: BFloat16) -> Bool { a.floatValue == b.floatValue }
    @inlinable
    public static func < (a: BFloat16, b: BFloat16) -> Bool { a.floatValue < b.floatValue }
    @inlinable
    public func hash(into hasher: inout Hasher) { hasher.combine(floatValue) }
}
