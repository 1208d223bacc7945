import SardonyxGraph

/// Scales or zero points of any type, as `Double` in the workspace.
struct QuantizationParameters: Sendable {
    private let input: Int
    private let count: Int
    private let offset: Int
    private let read: @Sendable (UnsafeRawPointer, UnsafeMutablePointer<Double>, Int) -> Void

    init(_ context: PreparationContext, input: Int, _ layout: inout Workspace.Layout) throws {
        let spec = try context.input(input)
        self.input = input
        count = spec.elementCount
        offset = layout.reserve(count, of: Double.self)
        if let table = spec.dataType.byteMeanings {
            read = { source, target, count in
                let bytes = source.assumingMemoryBound(to: UInt8.self)
                for i in 0..<count { target[i] = Double(table[Int(bytes[i])]) }
            }
        } else {
            read = try spec.dataType.visitNumber(Reader())
        }
    }

    private struct Reader: NumberVisitor {
        func visit<T: Number>(
            _ type: T.Type
        ) throws -> @Sendable (UnsafeRawPointer, UnsafeMutablePointer<Double>, Int) -> Void {
            { source, target, count in
                let elements = source.assumingMemoryBound(to: T.self)
                for i in 0..<count { target[i] = elements[i].double }
            }
        }
    }

    /// Converts the run's values. They are at `values` afterwards.
    func load(_ frame: Frame) { read(frame.input(input, as: UInt8.self), frame.scratch(offset), count) }

    func values(_ frame: Frame) -> UnsafePointer<Double> { UnsafePointer(frame.scratch(offset, as: Double.self)) }
}

extension DataType {
    /// The numbers of all 256 bytes, for types of one byte.
    var byteMeanings: [Float]? {
        switch self {
        case .uint8, .uint4, .uint2: (0...255).map { Float($0) }
        case .int8, .int4, .int2: (0...255).map { Float(Int8(truncatingIfNeeded: $0)) }
        default: SmallFloat.table(self)
        }
    }

    /// What QuantizeLinear makes and DequantizeLinear takes.
    static let quantized: TypeSet =
        .subBytes + [
            .float6e2m3, .float6e3m2, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .int16, .int8,
            .uint16, .uint8,
        ]
}
