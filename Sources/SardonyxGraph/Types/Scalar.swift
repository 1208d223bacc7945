/// A Swift type that is stored in tensors as it is.
public protocol Scalar: BitwiseCopyable, Sendable {
    /// The tensor element type with this memory form.
    static var dataType: DataType { get }
}

extension Float: Scalar {
    /// `float`.
    public static var dataType: DataType { .float }
}

extension Double: Scalar {
    /// `double`.
    public static var dataType: DataType { .double }
}

extension Float16: Scalar {
    /// `float16`.
    public static var dataType: DataType { .float16 }
}

extension Int8: Scalar {
    /// `int8`.
    public static var dataType: DataType { .int8 }
}

extension Int16: Scalar {
    /// `int16`.
    public static var dataType: DataType { .int16 }
}

extension Int32: Scalar {
    /// `int32`.
    public static var dataType: DataType { .int32 }
}

extension Int64: Scalar {
    /// `int64`.
    public static var dataType: DataType { .int64 }
}

extension UInt8: Scalar {
    /// `uint8`.
    public static var dataType: DataType { .uint8 }
}

extension UInt16: Scalar {
    /// `uint16`.
    public static var dataType: DataType { .uint16 }
}

extension UInt32: Scalar {
    /// `uint32`.
    public static var dataType: DataType { .uint32 }
}

extension UInt64: Scalar {
    /// `uint64`.
    public static var dataType: DataType { .uint64 }
}

extension Bool: Scalar {
    /// `bool`.
    public static var dataType: DataType { .bool }
}

/// A number with the sign and exponent of `Float` and 7 bits of fraction.
@frozen
public struct BFloat16: Scalar, Hashable, Comparable {
    /// The bits as they are in memory.
    public var bitPattern: UInt16

    /// The number with these bits.
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

    /// The same number as a `Float`; exact.
    @inlinable public var floatValue: Float { Float(bitPattern: UInt32(bitPattern) << 16) }
    /// `bfloat16`.
    public static var dataType: DataType { .bfloat16 }

    /// Compares as numbers do: zeros of either sign are equal, a NaN is equal to nothing.
    @inlinable
    public static func == (a: BFloat16, b: BFloat16) -> Bool { a.floatValue == b.floatValue }
    /// Compares as numbers do; a NaN is less than nothing.
    @inlinable
    public static func < (a: BFloat16, b: BFloat16) -> Bool { a.floatValue < b.floatValue }
    /// Equal numbers have equal hashes, zeros of either sign too.
    @inlinable
    public func hash(into hasher: inout Hasher) { hasher.combine(floatValue) }
}
