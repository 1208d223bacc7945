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
            let fits = number > -0x1p31 - 1 && number < 0x1p31
            return Self(truncatingIfNeeded: fits ? Int32(number) : .min)
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
@inline(__always)
private func truncatedBits(_ value: Double) -> UInt64 {
    // A NaN compares false.
    if value >= -0x1p63 && value < 0x1p63 { return UInt64(bitPattern: Int64(value)) }
    return value >= 0x1p63 && value < 0x1p64 ? UInt64(value) : 1 << 63
}
