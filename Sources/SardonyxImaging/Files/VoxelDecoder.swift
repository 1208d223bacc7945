/// Turns stored values into Float.
struct VoxelDecoder: Sendable {
    /// A type of one component.
    let type: VoxelType
    /// True when stored numbers have this machine's least significant byte last.
    let swapped: Bool
    /// value = stored · slope + intercept, in double, rounded once; `nil` leaves the stored value.
    let scaling: (slope: Double, intercept: Double)?

    /// True when the stored bytes are the Floats already.
    var isIdentity: Bool { type == .float32 && !swapped && scaling == nil }

    /// Whether every value is a finite number, whatever is stored.
    var isFinite: Bool {
        switch type {
        case .int8, .int16, .uint8, .uint16, .int32, .uint32, .int64, .uint64: break
        default: return false
        }
        guard let (slope, intercept) = scaling else { return true }
        // No stored integer is larger than 2^64.
        return abs(slope) * 0x1p64 + abs(intercept) < Double(Float.greatestFiniteMagnitude)
    }

    /// Converts `count` values that lie `step` bytes apart.
    ///
    /// SAFETY: the caller owns `step * (count - 1) + type.bytes` bytes at `source` and `count` Floats at `output`.
    func decode(_ source: UnsafeRawPointer, step: Int, count: Int, into output: UnsafeMutablePointer<Float>) {
        switch type {
        case .int8: integers(Int8.self, source, step, count, output, { Float($0) }, { Double($0) })
        case .int16: integers(Int16.self, source, step, count, output, { Float($0) }, { Double($0) })
        case .uint16: integers(UInt16.self, source, step, count, output, { Float($0) }, { Double($0) })
        case .int32: integers(Int32.self, source, step, count, output, { Float($0) }, { Double($0) })
        case .uint32: integers(UInt32.self, source, step, count, output, { Float($0) }, { Double($0) })
        case .int64: integers(Int64.self, source, step, count, output, { Float($0) }, { Double($0) })
        case .uint64: integers(UInt64.self, source, step, count, output, { Float($0) }, { Double($0) })
        case .float32:
            if let scaling {
                each(UInt32.self, source, step, count, output) {
                    Float(Double(Float(bitPattern: $0)) * scaling.slope + scaling.intercept)
                }
            } else {
                each(UInt32.self, source, step, count, output) { Float(bitPattern: $0) }
            }
        case .float64:
            let (slope, intercept) = scaling ?? (1, 0)
            if scaling == nil {
                each(UInt64.self, source, step, count, output) { Float(Double(bitPattern: $0)) }
            } else {
                each(UInt64.self, source, step, count, output) { Float(Double(bitPattern: $0) * slope + intercept) }
            }
        case .float128: quads(source, step, count, output)
        case .uint8, .complex64, .complex128, .complex256, .rgb24, .rgba32:
            integers(UInt8.self, source, step, count, output, { Float($0) }, { Double($0) })
        }
    }

    // The conversions come from where the type is known: those of generic code go through 64 bits.
    @inline(__always)
    private func integers<T: FixedWidthInteger & BitwiseCopyable>(
        _: T.Type, _ source: UnsafeRawPointer, _ step: Int, _ count: Int, _ output: UnsafeMutablePointer<Float>,
        _ single: (T) -> Float, _ double: (T) -> Double
    ) {
        // Whole numbers below 2^24 are exact either way; one rounding from any width.
        if let (slope, intercept) = scaling {
            each(T.self, source, step, count, output) { Float(double($0) * slope + intercept) }
        } else {
            each(T.self, source, step, count, output, single)
        }
    }

    /// The loop that matters; values side by side in this machine's order get one that the compiler makes vectors of.
    @inline(__always)
    private func each<T: FixedWidthInteger & BitwiseCopyable>(
        _: T.Type, _ source: UnsafeRawPointer, _ step: Int, _ count: Int, _ output: UnsafeMutablePointer<Float>,
        _ convert: (T) -> Float
    ) {
        let width = MemoryLayout<T>.size
        if step == width, !swapped {
            for n in 0..<count {
                output[n] = convert(source.loadUnaligned(fromByteOffset: n &* width, as: T.self))
            }
        } else {
            for n in 0..<count {
                let stored = source.loadUnaligned(fromByteOffset: n &* step, as: T.self)
                output[n] = convert(swapped ? stored.byteSwapped : stored)
            }
        }
    }

    private func quads(
        _ source: UnsafeRawPointer, _ step: Int, _ count: Int, _ output: UnsafeMutablePointer<Float>
    ) {
        let (slope, intercept) = scaling ?? (1, 0)
        for n in 0..<count {
            let a = source.loadUnaligned(fromByteOffset: n * step, as: UInt64.self)
            let b = source.loadUnaligned(fromByteOffset: n * step + 8, as: UInt64.self)
            let (low, high) = swapped ? (b.byteSwapped, a.byteSwapped) : (a, b)
            let value = VoxelDecoder.quad(high: high, low: low)
            output[n] = Float(scaling == nil ? value : value * slope + intercept)
        }
    }

    /// The double nearest to an IEEE 754 binary128 (to within its last bit; below 2^-1022 it becomes 0).
    static func quad(high: UInt64, low: UInt64) -> Double {
        let negative = high >> 63 == 1
        let exponent = Int(high >> 48 & 0x7fff)
        let top = high & 0xffff_ffff_ffff
        var value: Double
        if exponent == 0x7fff {
            value = top == 0 && low == 0 ? .infinity : .nan
        } else if exponent - 16383 > 1023 {
            value = .infinity
        } else if exponent - 16383 < -1022 {
            value = 0
        } else {
            // 48 bits of the fraction are in `top`, 64 in `low`; the sum of exact parts rounds once.
            let fraction = 1 + Double(top) * 0x1p-48 + Double(low >> 11) * 0x1p-101
            value = Double(sign: .plus, exponent: exponent - 16383, significand: fraction)
        }
        if negative { value.negate() }
        return value
    }
}
