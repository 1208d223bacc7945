import Glibc
import Sardonyx

/// Inputs for measurements: the same numbers on every machine.
struct RandomInputs {
    private var state: UInt64
    private var spare: Double?

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Above 0, at most 1.
    private mutating func uniform() -> Double { Double((next() >> 11) + 1) * 0x1p-53 }

    /// A number of the normal distribution with mean 0 and variance 1, by Box and Muller, who give two at a time.
    private mutating func normal() -> Double {
        if let value = spare {
            spare = nil
            return value
        }
        let radius = (-2 * log(uniform())).squareRoot()
        let angle = 2 * Double.pi * uniform()
        spare = radius * sin(angle)
        return radius * cos(angle)
    }

    private mutating func normals<T>(_ count: Int, _ convert: (Double) -> T) -> [T] {
        [T](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count { buffer.initializeElement(at: index, to: convert(normal())) }
            initialized = count
        }
    }

    /// Normal numbers for floating-point types, ones for integers, true for bool.
    mutating func tensor(_ port: Port, _ shape: [Int]) throws -> Tensor {
        guard let type = port.dataType else {
            throw CommandFailure(
                .badInput, "input '\(port.name)' is \(port.typeDescription); give it with --input \(port.name)=FILE")
        }
        // Checks the shape's size.
        var tensor = try Tensor(dataType: type, shape: shape)
        let count = tensor.count
        switch type {
        case .float: return Tensor(shape: shape, scalars: normals(count) { Float($0) })
        case .double: return Tensor(shape: shape, scalars: normals(count) { $0 })
        case .float16: return Tensor(shape: shape, scalars: normals(count) { Float16($0) })
        case .bfloat16: return Tensor(shape: shape, scalars: normals(count) { BFloat16(Float($0)) })
        case .uint8, .int8, .bool, .uint4, .int4, .uint2, .int2:
            try tensor.withUnsafeMutableBytes { bytes in
                for index in bytes.indices { bytes[index] = 1 }
            }
            return tensor
        case .uint16, .int16: try tensor.fill(with: 1 as UInt16)
        case .uint32, .int32: try tensor.fill(with: 1 as UInt32)
        case .uint64, .int64: try tensor.fill(with: 1 as UInt64)
        default: break
        }
        return tensor
    }
}

extension Tensor {
    /// Sets all elements of a type with the same memory form as `T`.
    fileprivate mutating func fill<T: FixedWidthInteger>(with value: T) throws {
        let count = count
        try withUnsafeMutableBytes { bytes in
            for index in 0..<count {
                bytes.storeBytes(of: value, toByteOffset: index * MemoryLayout<T>.stride, as: T.self)
            }
        }
    }
}
