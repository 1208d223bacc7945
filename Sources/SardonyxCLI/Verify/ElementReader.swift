import Sardonyx

/// Elements of any numeric type as `Double`s, exactly for all but 64-bit integers beyond 2⁵³.
enum ElementReader {
    /// - Returns: two numbers an element for complex types, else one; nil for strings.
    static func doubles(_ tensor: Tensor) -> [Double]? {
        switch tensor.dataType {
        case .float: tensor.scalars(Float.self).map(Double.init)
        case .double: tensor.scalars(Double.self)
        case .float16: tensor.scalars(Float16.self).map(Double.init)
        case .bfloat16: tensor.scalars(BFloat16.self).map { Double($0.floatValue) }
        case .int8: tensor.scalars(Int8.self).map(Double.init)
        case .int16: tensor.scalars(Int16.self).map(Double.init)
        case .int32: tensor.scalars(Int32.self).map(Double.init)
        case .int64: tensor.scalars(Int64.self).map(Double.init)
        case .uint8: tensor.scalars(UInt8.self).map(Double.init)
        case .uint16: tensor.scalars(UInt16.self).map(Double.init)
        case .uint32: tensor.scalars(UInt32.self).map(Double.init)
        case .uint64: tensor.scalars(UInt64.self).map { Double($0) }
        case .bool, .uint4, .uint2: bytes(tensor).map(Double.init)
        case .int4, .int2: bytes(tensor).map { Double(Int8(bitPattern: $0)) }
        case .complex64: raw(tensor, Float.self).map(Double.init)
        case .complex128: raw(tensor, Double.self)
        case .float8e4m3fn: bytes(tensor).map { small($0, fraction: 3, bias: 7, kind: .finite) }
        case .float8e4m3fnuz: bytes(tensor).map { small($0, fraction: 3, bias: 8, kind: .unsignedZero) }
        case .float8e5m2: bytes(tensor).map { small($0, fraction: 2, bias: 15, kind: .standard) }
        case .float8e5m2fnuz: bytes(tensor).map { small($0, fraction: 2, bias: 16, kind: .unsignedZero) }
        case .float8e8m0:
            bytes(tensor).map { $0 == 0xFF ? .nan : Double(sign: .plus, exponent: Int($0) - 127, significand: 1) }
        case .float4e2m1: bytes(tensor).map { narrow($0, bits: 4, fraction: 1, bias: 1) }
        case .float6e2m3: bytes(tensor).map { narrow($0, bits: 6, fraction: 3, bias: 1) }
        case .float6e3m2: bytes(tensor).map { narrow($0, bits: 6, fraction: 2, bias: 3) }
        case .string: nil
        }
    }

    /// What a small float's largest bit patterns stand for.
    private enum Kind {
        /// Infinities and NaNs as in IEEE 754.
        case standard
        /// No infinities; all bits set is a NaN.
        case finite
        /// No infinities and no negative zero, whose pattern is the NaN.
        case unsignedZero
    }

    private static func small(_ bits: UInt8, fraction: Int, bias: Int, kind: Kind) -> Double {
        let sign: FloatingPointSign = bits & 0x80 == 0 ? .plus : .minus
        let exponent = Int(bits & 0x7F) >> fraction
        let mantissa = Int(bits) & (1 << fraction - 1)
        switch kind {
        case .standard where exponent == 0x7F >> fraction:
            if mantissa != 0 { return .nan }
            return sign == .plus ? .infinity : -.infinity
        case .finite where bits & 0x7F == 0x7F: return .nan
        case .unsignedZero where bits == 0x80: return .nan
        default: break
        }
        let scale = max(exponent, 1) - bias - fraction
        let significand = Double(exponent == 0 ? mantissa : mantissa | 1 << fraction)
        return Double(sign: sign, exponent: scale, significand: significand)
    }

    /// A float of 4 or 6 bits: every pattern is a finite number.
    private static func narrow(_ bits: UInt8, bits width: Int, fraction: Int, bias: Int) -> Double {
        let exponent = Int(bits) >> fraction & (1 << (width - 1 - fraction) - 1)
        let mantissa = Int(bits) & (1 << fraction - 1)
        return Double(
            sign: bits >> UInt8(width - 1) & 1 == 0 ? .plus : .minus, exponent: max(exponent, 1) - bias - fraction,
            significand: Double(exponent == 0 ? mantissa : mantissa | 1 << fraction))
    }

    private static func bytes(_ tensor: Tensor) -> [UInt8] { tensor.withUnsafeBytes { Array($0) } }

    private static func raw<T: BitwiseCopyable>(_ tensor: Tensor, _ type: T.Type) -> [T] {
        tensor.withUnsafeBytes { source in
            (0..<(source.count / MemoryLayout<T>.stride)).map {
                source.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.stride, as: T.self)
            }
        }
    }
}
