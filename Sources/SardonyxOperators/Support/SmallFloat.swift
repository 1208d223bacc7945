import SardonyxGraph

/// A floating-point format of at most 8 bits: a sign, an exponent and a fraction, one element a byte in memory.
///
/// Formats: OCP 8-bit (E4M3FN, E5M2), their variants without infinity and negative zero (FNUZ), and OCP microscaling
/// (E2M1, E2M3, E3M2, and the scale E8M0, which has neither sign nor fraction).
/// <https://onnx.ai/onnx/technical/float8.html>
struct SmallFloat: Sendable {
    /// Which codes are no numbers.
    private enum Specials {
        /// The largest exponent holds infinity and NaN, as IEEE 754 has it.
        case infinityAndNaN
        /// Only all ones are a NaN.
        case allOnesNaN
        /// The code of negative zero is the only NaN.
        case negativeZeroNaN
        /// Every code is a number.
        case none
    }

    /// How a power of two is chosen for a number between two of them (Cast's `round_mode`).
    enum ScaleRounding: String { case up, down, nearest }

    private let exponentBits: Int
    private let fractionBits: Int
    private let bias: Int
    private let specials: Specials

    private init(_ exponentBits: Int, _ fractionBits: Int, bias: Int, _ specials: Specials) {
        self.exponentBits = exponentBits
        self.fractionBits = fractionBits
        self.bias = bias
        self.specials = specials
    }

    /// nil for types that are not small formats with a sign; float8e8m0 has functions of its own.
    init?(_ type: DataType) {
        switch type {
        case .float8e4m3fn: self.init(4, 3, bias: 7, .allOnesNaN)
        case .float8e4m3fnuz: self.init(4, 3, bias: 8, .negativeZeroNaN)
        case .float8e5m2: self.init(5, 2, bias: 15, .infinityAndNaN)
        case .float8e5m2fnuz: self.init(5, 2, bias: 16, .negativeZeroNaN)
        case .float4e2m1: self.init(2, 1, bias: 1, .none)
        case .float6e2m3: self.init(2, 3, bias: 1, .none)
        case .float6e3m2: self.init(3, 2, bias: 3, .none)
        default: return nil
        }
    }

    private var signCode: Int { 1 << (exponentBits + fractionBits) }

    /// The code of the largest finite number.
    private var largestCode: Int {
        switch specials {
        case .infinityAndNaN: (1 << (exponentBits + fractionBits)) - (1 << fractionBits) - 1
        case .allOnesNaN: signCode - 2
        case .negativeZeroNaN, .none: signCode - 1
        }
    }

    /// The nearest number's code, ties to even.
    /// - Parameter saturates: whether infinity and numbers out of range become the largest number; else they become
    ///   infinity, or NaN where the format has none. Formats without NaN saturate always, and store NaN as a zero.
    func encode(_ value: Double, saturates: Bool) -> UInt8 {
        let sign = value.sign == .minus ? signCode : 0
        if value.isNaN {
            switch specials {
            case .infinityAndNaN: return UInt8(sign | (signCode - 2))
            case .allOnesNaN: return UInt8(sign | (signCode - 1))
            case .negativeZeroNaN: return UInt8(signCode)
            // A zero of the other sign, as ml_dtypes has it.
            case .none: return UInt8(signCode - sign)
            }
        }
        let magnitude = value.magnitude
        var code = Int.max
        if magnitude < 1e30 {
            let exponent = max(magnitude == 0 ? Int.min : Int(magnitude.exponent), 1 - bias)
            let steps = (magnitude * Double(sign: .plus, exponent: fractionBits - exponent, significand: 1))
                .rounded(.toNearestOrEven)
            // A fraction that rounds up to a power of two carries into the exponent.
            code = Int(steps) + (exponent - (1 - bias)) << fractionBits
        }
        if code > largestCode {
            if saturates || specials == .none {
                code = largestCode
            } else {
                switch specials {
                case .infinityAndNaN: code = largestCode + 1
                case .allOnesNaN: code = signCode - 1
                case .negativeZeroNaN, .none: return UInt8(signCode)
                }
            }
        }
        if code == 0, specials == .negativeZeroNaN { return 0 }
        return UInt8(sign | code)
    }

    private func decode(_ code: Int) -> Float {
        let magnitude = code & (signCode - 1)
        let sign: FloatingPointSign = code & signCode == 0 ? .plus : .minus
        if specials == .negativeZeroNaN, code & (2 * signCode - 1) == signCode { return -.nan }
        if magnitude > largestCode {
            let isInfinity = specials == .infinityAndNaN && magnitude == largestCode + 1
            return isInfinity ? (sign == .plus ? .infinity : -.infinity) : .nan
        }
        let exponent = magnitude >> fractionBits
        let fraction = magnitude & ((1 << fractionBits) - 1)
        let steps = exponent == 0 ? fraction : fraction + (1 << fractionBits)
        let unit = Float(sign: .plus, exponent: max(exponent, 1) - bias - fractionBits, significand: 1)
        return Float(signOf: sign == .plus ? 1 : -1, magnitudeOf: Float(steps) * unit)
    }

    /// The numbers of all 256 codes of a small format, or nil for other types.
    static func table(_ type: DataType) -> [Float]? {
        if type == .float8e8m0 {
            return (0..<255).map { Float(sign: .plus, exponent: $0 - 127, significand: 1) } + [.nan]
        }
        guard let format = SmallFloat(type) else { return nil }
        return (0..<256).map(format.decode)
    }

    /// The code of a power of two near a number's magnitude, as float8e8m0 stores scales; 255 is NaN.
    /// - Parameter saturates: whether infinity and numbers beyond the largest power of two become that power.
    static func encodeScale(_ value: Float, _ rounding: ScaleRounding, saturates: Bool) -> UInt8 {
        if value.isNaN { return 255 }
        if value.isInfinite { return saturates ? 254 : 255 }
        // 2⁻¹²⁷ is the smallest scale; saturating maps what is below to it.
        if !saturates, value.magnitude < Float(sign: .plus, exponent: -127, significand: 1) { return 255 }
        let bits = value.bitPattern
        let exponent = Int(bits >> 23) & 0xFF
        let fraction = bits & 0x7F_FFFF
        let raised =
            switch rounding {
            case .up: fraction != 0
            case .down: false
            // Half-way goes up, but for numbers below the smallest normal one.
            case .nearest: exponent > 0 ? fraction >= 0x40_0000 : fraction > 0x40_0000
            }
        let code = exponent + (raised ? 1 : 0)
        return UInt8(saturates ? min(code, 254) : code)
    }
}
