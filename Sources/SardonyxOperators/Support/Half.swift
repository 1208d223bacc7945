import SardonyxGraph

/// A 16-bit floating-point type that is computed with in float, and rounded once.
protocol NarrowReal: Real where Wide == Float {
    init(bitPattern: UInt16)
    var bitPattern: UInt16 { get }
}

/// An IEEE 754 half, as `Float16`, with conversions in integer arithmetic: those of the standard library are calls on
/// x86-64, and they flush half denormals on threads that flush denormals.
struct Half: NarrowReal {
    var bitPattern: UInt16

    static var dataType: DataType { .float16 }

    @inline(__always) init(bitPattern: UInt16) { self.bitPattern = bitPattern }

    /// Rounds to nearest, ties to even.
    @inline(__always) init(wide: Float) {
        let sign = UInt16(truncatingIfNeeded: wide.bitPattern >> 16) & 0x8000
        let magnitude = wide.bitPattern & 0x7FFF_FFFF
        let result: UInt32
        if magnitude < 0x3880_0000 {
            // Below 2⁻¹⁴ a half is a multiple of 2⁻²⁴, and so is a float between 1/2 and 1.
            result = (Float(bitPattern: magnitude) + 0.5).bitPattern &- 0x3F00_0000
        } else if magnitude < 0x477F_F000 {
            result = (magnitude &- 0x3800_0000 &+ 0xFFF &+ ((magnitude >> 13) & 1)) >> 13
        } else {
            result = magnitude > 0x7F80_0000 ? 0x7E00 | (magnitude >> 13) & 0x3FF : 0x7C00
        }
        bitPattern = sign | UInt16(truncatingIfNeeded: result)
    }

    @inline(__always) var wide: Float {
        let sign = UInt32(bitPattern & 0x8000) << 16
        let magnitude = UInt32(bitPattern & 0x7FFF)
        let result: UInt32
        if magnitude >= 0x7C00 {
            result = 0x7F80_0000 | (magnitude & 0x3FF) << 13
        } else if magnitude >= 0x400 {
            result = magnitude << 13 &+ 0x3800_0000
        } else {
            result = (Float(magnitude) * 0x1p-24).bitPattern
        }
        return Float(bitPattern: sign | result)
    }

    @inline(__always) static func converting(_ value: Double) -> Half {
        // An odd last bit on the way through float keeps what lies below it from being rounded twice.
        let near = Float(value)
        if Double(near) == value || value.isNaN { return Half(wide: near) }
        let below = Double(near).magnitude > value.magnitude ? near.bitPattern &- 1 : near.bitPattern
        return Half(wide: Float(bitPattern: below | 1))
    }
}

extension BFloat16: NarrowReal {
    @inline(__always) init(wide: Float) { self.init(wide) }
    @inline(__always) var wide: Float { floatValue }
    @inline(__always) static func converting(_ value: Double) -> Self { BFloat16(Float(value)) }
}

extension NarrowReal {
    @inline(__always) static var zero: Self { Self(bitPattern: 0) }
    @inline(__always) static var one: Self { Self(wide: 1) }
    @inline(__always) static func adding(_ a: Self, _ b: Self) -> Self { Self(wide: a.wide + b.wide) }
    @inline(__always) static func subtracting(_ a: Self, _ b: Self) -> Self { Self(wide: a.wide - b.wide) }
    @inline(__always) static func multiplying(_ a: Self, _ b: Self) -> Self { Self(wide: a.wide * b.wide) }
    @inline(__always) static func dividing(_ a: Self, _ b: Self) -> Self { Self(wide: a.wide / b.wide) }
    @inline(__always) static func negating(_ a: Self) -> Self { Self(bitPattern: a.bitPattern ^ 0x8000) }
    @inline(__always) static func absolute(_ a: Self) -> Self { Self(bitPattern: a.bitPattern & 0x7FFF) }
    @inline(__always) static func casting<S: Number>(_ value: S) -> Self {
        S.isInteger ? Self(wide: Float.casting(value)) : converting(value.double)
    }
    @inline(__always) static var isInteger: Bool { false }
    @inline(__always) var integerBits: UInt64 { wide.integerBits }
    @inline(__always) var isNotANumber: Bool { wide.isNaN }
    @inline(__always) var double: Double { Double(wide) }
    @inline(__always) static func == (a: Self, b: Self) -> Bool { a.wide == b.wide }
    @inline(__always) static func < (a: Self, b: Self) -> Bool { a.wide < b.wide }
}
