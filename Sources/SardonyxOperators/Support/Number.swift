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
    var isNotANumber: Bool { get }
    var double: Double { get }
}

/// A floating-point element type. `Wide` is what transcendental functions compute in.
protocol Real: Number {
    associatedtype Wide: BinaryFloatingPoint & Number
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
    @inline(__always) static func dividing(_ a: Self, _ b: Self) -> Self { a.dividedReportingOverflow(by: b).partialValue }
    @inline(__always) static func converting(_ value: Double) -> Self {
        if value.isNaN { return 0 }
        if value >= Double(Self.max) { return .max }
        if value <= Double(Self.min) { return .min }
        return Self(value)
    }
    @inline(__always) static func converting(_ value: Int) -> Self { Self(truncatingIfNeeded: value) }
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
    var isNotANumber: Bool { floatValue.isNaN }
    var double: Double { Double(floatValue) }
    @inline(__always) init(wide: Float) { self.init(wide) }
    @inline(__always) var wide: Float { floatValue }
}
