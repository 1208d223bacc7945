import SardonyxGraph

/// An element type that operators compute with. Integers wrap around, as the reference does; floating point rounds.
protocol Number: Scalar, Comparable {
    static var zero: Self { get }
    static var one: Self { get }
    static func adding(_ a: Self, _ b: Self) -> Self
    static func subtracting(_ a: Self, _ b: Self) -> Self
    static func multiplying(_ a: Self, _ b: Self) -> Self
    /// Truncates toward zero for integers. The caller has refused integer divisors of zero.
    static func dividing(_ a: Self, _ b: Self) -> Self
    /// The nearest value; integers truncate toward zero and saturate, NaN gives zero.
    static func converting(_ value: Double) -> Self
    static func converting(_ value: Int) -> Self
    /// -a; the smallest integer stays.
    static func negating(_ a: Self) -> Self
    /// |a|; the smallest integer stays.
    static func absolute(_ a: Self) -> Self
    /// a - ⌊a / b⌋ · b, with the sign of b. The caller has refused integer divisors of zero.
    static func flooredRemainder(_ a: Self, _ b: Self) -> Self
    /// a - trunc(a / b) · b, with the sign of a. The caller has refused integer divisors of zero.
    static func truncatedRemainder(_ a: Self, _ b: Self) -> Self
    /// ONNX's Cast: integers keep their low bits, floating point rounds to integers toward zero and to floating point
    /// to the nearest. Floating point out of an integer's range gives what x86's conversion gives.
    static func casting<S: Number>(_ value: S) -> Self
    static var isInteger: Bool { get }
    /// The low 64 bits of the number truncated to an integer.
    var integerBits: UInt64 { get }
    var isNotANumber: Bool { get }
    var double: Double { get }
}

/// A floating-point element type. `Wide` is what transcendental functions compute in.
protocol Real: Number {
    associatedtype Wide: RealMath
    init(wide: Wide)
    var wide: Wide { get }
}

extension Number {
    static func converting(_ value: Int) -> Self { converting(Double(value)) }
}

extension Number where Self: FixedWidthInteger {
    @inline(__always) static var one: Self { 1 }
    @inline(__always) static func adding(_ a: Self, _ b: Self) -> Self { a &+ b }
    @inline(__always) static func subtracting(_ a: Self, _ b: Self) -> Self { a &- b }
    @inline(__always) static func multiplying(_ a: Self, _ b: Self) -> Self { a &* b }
    @inline(__always) static func dividing(_ a: Self, _ b: Self) -> Self {
        a.dividedReportingOverflow(by: b).partialValue
    }
    @inline(__always) static func converting(_ value: Double) -> Self {
        if value.isNaN { return 0 }
        if value >= Double(Self.max) { return .max }
        if value <= Double(Self.min) { return .min }
        return Self(value)
    }
    @inline(__always) static func converting(_ value: Int) -> Self { Self(truncatingIfNeeded: value) }
    @inline(__always) static func negating(_ a: Self) -> Self { 0 &- a }
    @inline(__always) static func absolute(_ a: Self) -> Self { a < 0 ? 0 &- a : a }
    @inline(__always) static func flooredRemainder(_ a: Self, _ b: Self) -> Self {
        let rest = truncatedRemainder(a, b)
        return rest != 0 && (rest < 0) != (b < 0) ? rest &+ b : rest
    }
    @inline(__always) static func truncatedRemainder(_ a: Self, _ b: Self) -> Self {
        a.remainderReportingOverflow(dividingBy: b).partialValue
    }
    @inline(__always) static func casting<S: Number>(_ value: S) -> Self {
        if S.isInteger { return Self(truncatingIfNeeded: value.integerBits) }
        let number = value.double
        if Self.isSigned ? bitWidth <= 32 : bitWidth <= 16 {
            return Self(truncatingIfNeeded: Int32(exactly: number.rounded(.towardZero)) ?? .min)
        }
        return Self(truncatingIfNeeded: value.integerBits)
    }
    @inline(__always) static var isInteger: Bool { true }
    @inline(__always) var integerBits: UInt64 { UInt64(truncatingIfNeeded: self) }
    @inline(__always) var isNotANumber: Bool { false }
    @inline(__always) var double: Double { Double(self) }
}

extension Int8: Number {}
extension Int16: Number {}
extension Int32: Number {}
extension Int64: Number {}
extension UInt8: Number {}
extension UInt16: Number {}
extension UInt32: Number {}
extension UInt64: Number {}

extension Number where Self: BinaryFloatingPoint {
    @inline(__always) static var one: Self { 1 }
    @inline(__always) static func adding(_ a: Self, _ b: Self) -> Self { a + b }
    @inline(__always) static func subtracting(_ a: Self, _ b: Self) -> Self { a - b }
    @inline(__always) static func multiplying(_ a: Self, _ b: Self) -> Self { a * b }
    @inline(__always) static func dividing(_ a: Self, _ b: Self) -> Self { a / b }
    @inline(__always) static func converting(_ value: Int) -> Self { Self(value) }
    @inline(__always) static func converting(_ value: Double) -> Self { Self(value) }
    @inline(__always) static func negating(_ a: Self) -> Self { -a }
    @inline(__always) static func absolute(_ a: Self) -> Self { a.magnitude }
    @inline(__always) static func casting<S: Number>(_ value: S) -> Self {
        // Through double, 64-bit integers would be rounded twice.
        if S.isInteger {
            let isSigned = S.negating(S.one) < S.zero
            return isSigned ? Self(Int64(bitPattern: value.integerBits)) : Self(value.integerBits)
        }
        return converting(value.double)
    }
    @inline(__always) static var isInteger: Bool { false }
    @inline(__always) var integerBits: UInt64 { truncatedBits(Double(self)) }
    @inline(__always) var isNotANumber: Bool { isNaN }
    @inline(__always) var double: Double { Double(self) }
}

extension Float: Real {
    @inline(__always) init(wide: Float) { self = wide }
    @inline(__always) var wide: Float { self }
}

extension Double: Real {
    @inline(__always) init(wide: Double) { self = wide }
    @inline(__always) var wide: Double { self }
}

extension Float16: Real {
    @inline(__always) init(wide: Float) { self.init(wide) }
    @inline(__always) var wide: Float { Float(self) }
}

extension BFloat16: Real {
    static var zero: BFloat16 { BFloat16(bitPattern: 0) }
    static var one: BFloat16 { BFloat16(1) }
    static func adding(_ a: Self, _ b: Self) -> Self { BFloat16(a.floatValue + b.floatValue) }
    static func subtracting(_ a: Self, _ b: Self) -> Self { BFloat16(a.floatValue - b.floatValue) }
    static func multiplying(_ a: Self, _ b: Self) -> Self { BFloat16(a.floatValue * b.floatValue) }
    static func dividing(_ a: Self, _ b: Self) -> Self { BFloat16(a.floatValue / b.floatValue) }
    static func converting(_ value: Double) -> Self { BFloat16(Float(value)) }
    static func negating(_ a: Self) -> Self { BFloat16(bitPattern: a.bitPattern ^ 0x8000) }
    static func absolute(_ a: Self) -> Self { BFloat16(bitPattern: a.bitPattern & 0x7FFF) }
    static func casting<S: Number>(_ value: S) -> Self { BFloat16(Float.casting(value)) }
    static var isInteger: Bool { false }
    var integerBits: UInt64 { floatValue.integerBits }
    var isNotANumber: Bool { floatValue.isNaN }
    var double: Double { Double(floatValue) }
    @inline(__always) init(wide: Float) { self.init(wide) }
    @inline(__always) var wide: Float { floatValue }
}

extension Real {
    @inline(__always) static func flooredRemainder(_ a: Self, _ b: Self) -> Self {
        let divisor = b.wide
        let rest = Wide.fmod(a.wide, divisor)
        if rest == 0 { return Self(wide: Wide(signOf: divisor, magnitudeOf: rest)) }
        return Self(wide: rest < 0 && divisor > 0 || rest > 0 && divisor < 0 ? rest + divisor : rest)
    }
    @inline(__always) static func truncatedRemainder(_ a: Self, _ b: Self) -> Self {
        Self(wide: Wide.fmod(a.wide, b.wide))
    }
}

/// The low 64 bits of a number truncated toward zero. Out of the range of int64 and uint64, -2⁶³, as x86 converts.
private func truncatedBits(_ value: Double) -> UInt64 {
    let whole = value.rounded(.towardZero)
    if let number = Int64(exactly: whole) { return UInt64(bitPattern: number) }
    return UInt64(exactly: whole) ?? 1 << 63
}
