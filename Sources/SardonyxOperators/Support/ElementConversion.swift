import CKernels
import SardonyxGraph

/// ONNX's Cast between all element types that are numbers or truth values.
struct ElementConversion: Sendable {
    let source: DataType
    let target: DataType
    /// Whether small float formats clamp what is out of their range.
    var saturates = true
    /// How float8e8m0 takes numbers between two powers of two.
    var rounding = SmallFloat.ScaleRounding.up

    init(from source: DataType, to target: DataType) {
        self.source = source
        self.target = target
    }

    /// Whether the bytes stay as they are.
    var isIdentity: Bool { source == target }

    /// y[i] = the number nearest to x[i], as Cast has it, for `count` elements.
    func kernel(count: Int) throws -> Kernel {
        if isIdentity { return .view }
        var kernel =
            if let fast = cKernel(count) {
                fast
            } else if source.byteCount == 1 {
                try target.byteCount == 1
                    ? lookupKernel(count) : target.visitNumber(Widening(conversion: self, count: count))
            } else if target.byteCount == 1 {
                try source.visitNumber(Narrowing(code: try code(of: target), count: count))
            } else {
                try source.visitNumber(Source(target: target, count: count))
            }
        if source.byteCount == target.byteCount { kernel.inPlace = [0: [0]] }
        return kernel
    }

    // MARK: Elements of one byte

    /// What a byte of the source type means.
    private func value(of byte: UInt8) -> Double {
        switch source {
        case .int8, .int4, .int2: Double(Int8(bitPattern: byte))
        case .bool: byte == 0 ? 0 : 1
        default: Double(byte)
        }
    }

    /// What each byte of the source type means.
    private func values() -> [Double] {
        if let table = SmallFloat.table(source) { return table.map(Double.init) }
        return (0...255).map { value(of: UInt8($0)) }
    }

    /// How numbers become bytes of a type.
    fileprivate enum Code: Sendable {
        /// The low bits of an integer.
        case bits(UInt8)
        /// The low bits, sign-extended to the byte: so many bits to the left and back.
        case signed(Int8)
        case truth
        case small(SmallFloat, saturates: Bool)
        case scale(SmallFloat.ScaleRounding, saturates: Bool)
    }

    private func code(of type: DataType) throws -> Code {
        switch type {
        case .uint8, .int8: return .bits(0xFF)
        case .uint4: return .bits(0x0F)
        case .uint2: return .bits(0x03)
        case .int4: return .signed(4)
        case .int2: return .signed(6)
        case .bool: return .truth
        case .float8e8m0: return .scale(rounding, saturates: saturates)
        default:
            guard let format = SmallFloat(type) else { throw type.unsupported }
            return .small(format, saturates: saturates)
        }
    }

    private func lookupKernel(_ count: Int) throws -> Kernel {
        let code = try code(of: target)
        let table = values().map { code.byte($0) }
        return Kernel { frame in
            ByteLookup(x: frame.input(0), y: frame.output(0), table: table).run(count: count, on: frame.pool)
        }
    }

    private struct Widening: NumberVisitor {
        let conversion: ElementConversion
        let count: Int

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let table = conversion.values().map { T.casting($0) }
            let count = count
            return Kernel { frame in
                LookupWork(x: frame.input(0), y: frame.output(0), table: table).run(count: count, on: frame.pool)
            }
        }
    }

    private struct LookupWork<T: Number>: ChunkedWork {
        let x: UnsafePointer<UInt8>
        let y: UnsafeMutablePointer<T>
        let table: [T]

        func run(_ range: Range<Int>) {
            table.withUnsafeBufferPointer { table in
                for i in range { y[i] = table[Int(x[i])] }
            }
        }
    }

    private struct Narrowing: NumberVisitor {
        let code: Code
        let count: Int

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let (code, count) = (code, count)
            return Kernel { frame in
                NarrowingWork<T>(x: frame.input(0), y: frame.output(0), code: code).run(count: count, on: frame.pool)
            }
        }
    }

    private struct NarrowingWork<T: Number>: ChunkedWork {
        let x: UnsafePointer<T>
        let y: UnsafeMutablePointer<UInt8>
        let code: Code

        func run(_ range: Range<Int>) {
            switch code {
            case .bits(0xFF): for i in range { y[i] = UInt8.casting(x[i]) }
            case .truth: for i in range { y[i] = x[i] == T.zero ? 0 : 1 }
            default: for i in range { y[i] = code.byte(x[i]) }
            }
        }
    }

    // MARK: Wider elements

    private struct Source: NumberVisitor {
        let target: DataType
        let count: Int

        func visit<S: Number>(_ type: S.Type) throws -> Kernel { try target.visitNumber(Target<S>(count: count)) }
    }

    private struct Target<S: Number>: NumberVisitor {
        let count: Int

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let count = count
            return Kernel { frame in
                Work<S, T>(x: frame.input(0), y: frame.output(0)).run(count: count, on: frame.pool)
            }
        }
    }

    private struct Work<S: Number, T: Number>: ChunkedWork {
        let x: UnsafePointer<S>
        let y: UnsafeMutablePointer<T>

        func run(_ range: Range<Int>) {
            for i in range { y[i] = T.casting(x[i]) }
        }
    }

    private func cKernel(_ count: Int) -> Kernel? {
        let count = Int64(count)
        return switch (source, target) {
        case (.float16, .float): Kernel { sdx_convert_f16_f32($0.pool, $0.input(0), $0.output(0), count) }
        case (.float, .float16): Kernel { sdx_convert_f32_f16($0.pool, $0.input(0), $0.output(0), count) }
        case (.bfloat16, .float): Kernel { sdx_convert_bf16_f32($0.pool, $0.input(0), $0.output(0), count) }
        case (.float, .bfloat16): Kernel { sdx_convert_f32_bf16($0.pool, $0.input(0), $0.output(0), count) }
        case (.uint8, .float): Kernel { sdx_convert_u8_f32($0.pool, $0.input(0), $0.output(0), count, 1, 0) }
        case (.int8, .float): Kernel { sdx_convert_i8_f32($0.pool, $0.input(0), $0.output(0), count, 1, 0) }
        case (.float, .uint8), (.float, .int8):
            Kernel { sdx_cast_f32_8bit($0.pool, $0.input(0), $0.output(0), count) }
        default: nil
        }
    }
}

extension ElementConversion.Code {
    @inline(__always) fileprivate func byte<T: Number>(_ value: T) -> UInt8 {
        switch self {
        case .bits(let mask): UInt8.casting(value) & mask
        case .signed(let shift): UInt8(bitPattern: (Int8(bitPattern: UInt8.casting(value)) << shift) >> shift)
        case .truth: value == T.zero ? 0 : 1
        case .small(let format, let saturates): format.encode(value.double, saturates: saturates)
        case .scale(let rounding, let saturates):
            SmallFloat.encodeScale(Float(value.double), rounding, saturates: saturates)
        }
    }
}
