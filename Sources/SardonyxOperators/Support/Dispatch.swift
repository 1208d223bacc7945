import SardonyxGraph

/// A computation that is written once for every number type and compiled for each of them.
///
///     struct Negation: NumberVisitor {
///         func visit<T: Number>(_ type: T.Type) throws -> Kernel { Kernel { frame in … frame.input(0, as: T.self) … } }
///     }
///     try spec.dataType.visitNumber(Negation())
protocol NumberVisitor {
    associatedtype Result
    func visit<T: Number>(_ type: T.Type) throws -> Result
}

/// The same for the floating-point types.
protocol RealVisitor {
    associatedtype Result
    func visit<T: Real>(_ type: T.Type) throws -> Result
}

/// The same for the integer types.
protocol IntegerVisitor {
    associatedtype Result
    func visit<T: Number & FixedWidthInteger>(_ type: T.Type) throws -> Result
}

/// The same for memory of one, two, four, eight or sixteen bytes an element, whatever it means.
protocol ElementVisitor {
    associatedtype Result
    func visit<T: BitwiseCopyable & Sendable>(_ type: T.Type) throws -> Result
}

/// Sixteen bytes that are only moved.
struct Bytes16: BitwiseCopyable, Sendable, Equatable {
    var low: UInt64
    var high: UInt64
}

extension DataType {
    func visitNumber<V: NumberVisitor>(_ visitor: V) throws -> V.Result {
        switch self {
        case .float: try visitor.visit(Float.self)
        case .double: try visitor.visit(Double.self)
        case .float16: try visitor.visit(Half.self)
        case .bfloat16: try visitor.visit(BFloat16.self)
        case .int8: try visitor.visit(Int8.self)
        case .int16: try visitor.visit(Int16.self)
        case .int32: try visitor.visit(Int32.self)
        case .int64: try visitor.visit(Int64.self)
        case .uint8: try visitor.visit(UInt8.self)
        case .uint16: try visitor.visit(UInt16.self)
        case .uint32: try visitor.visit(UInt32.self)
        case .uint64: try visitor.visit(UInt64.self)
        default: throw unsupported
        }
    }

    func visitReal<V: RealVisitor>(_ visitor: V) throws -> V.Result {
        switch self {
        case .float: try visitor.visit(Float.self)
        case .double: try visitor.visit(Double.self)
        case .float16: try visitor.visit(Half.self)
        case .bfloat16: try visitor.visit(BFloat16.self)
        default: throw unsupported
        }
    }

    func visitInteger<V: IntegerVisitor>(_ visitor: V) throws -> V.Result {
        switch self {
        case .int8: try visitor.visit(Int8.self)
        case .int16: try visitor.visit(Int16.self)
        case .int32: try visitor.visit(Int32.self)
        case .int64: try visitor.visit(Int64.self)
        case .uint8: try visitor.visit(UInt8.self)
        case .uint16: try visitor.visit(UInt16.self)
        case .uint32: try visitor.visit(UInt32.self)
        case .uint64: try visitor.visit(UInt64.self)
        default: throw unsupported
        }
    }

    func visitElement<V: ElementVisitor>(_ visitor: V) throws -> V.Result {
        switch byteCount {
        case 1: try visitor.visit(UInt8.self)
        case 2: try visitor.visit(UInt16.self)
        case 4: try visitor.visit(UInt32.self)
        case 8: try visitor.visit(UInt64.self)
        default: try visitor.visit(Bytes16.self)
        }
    }

    /// The error for an element type that an operator does not take.
    var unsupported: SardonyxError { SardonyxError(.unsupported, "the element type \(name) is not supported here") }
}
