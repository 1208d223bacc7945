/// What the compiler knows of a value's type.
public indirect enum ValueType: Sendable, Hashable {
    /// A tensor; its shape is nil when not even the rank is known.
    case tensor(DataType, SymbolicShape?)
    /// A sparse tensor, with the shape of the dense one.
    case sparseTensor(DataType, SymbolicShape?)
    /// A sequence of values of one type.
    case sequence(ValueType)
    /// A value or none.
    case optional(ValueType)
    /// Values of one type by key.
    case map(key: DataType, value: ValueType)
    /// Nothing is known.
    case unknown

    package var dataType: DataType? {
        switch self {
        case .tensor(let type, _), .sparseTensor(let type, _): type
        default: nil
        }
    }

    package var shape: SymbolicShape? {
        switch self {
        case .tensor(_, let shape), .sparseTensor(_, let shape): shape
        default: nil
        }
    }

    /// The element type and concrete shape, when both are known.
    package var spec: TensorSpec? {
        guard case .tensor(let type, let shape?) = self, let fixed = shape.fixed else { return nil }
        return TensorSpec(dataType: type, shape: fixed)
    }

    /// The type, with what it leaves open taken from another one: an empty sequence does not tell its elements' type.
    package func filled(from declared: ValueType) -> ValueType {
        switch (self, declared) {
        case (.unknown, _): declared
        case (.sequence(let element), .sequence(let other)): .sequence(element.filled(from: other))
        case (.optional(let element), .optional(let other)): .optional(element.filled(from: other))
        default: self
        }
    }

    /// The type as people read it: `float[N, 3, 224, 224]`, `seq(float[?])`.
    package var text: String {
        switch self {
        case .tensor(let type, let shape): type.name + (shape?.text ?? "[…]")
        case .sparseTensor(let type, let shape): "sparse_" + type.name + (shape?.text ?? "[…]")
        case .sequence(let element): "seq(\(element.text))"
        case .optional(let element): "optional(\(element.text))"
        case .map(let key, let value): "map(\(key.name), \(value.text))"
        case .unknown: "?"
        }
    }
}

/// A tensor's element type, concrete shape and layout in memory.
public struct TensorSpec: Sendable, Hashable {
    /// The elements' type.
    public var dataType: DataType
    /// The extents, outermost first.
    public var shape: [Int]
    package var layout: TensorLayout

    package init(dataType: DataType, shape: [Int], layout: TensorLayout = .plain) {
        self.dataType = dataType
        self.shape = shape
        self.layout = layout
    }

    /// No tensor is larger, in bytes: more than a process can address, and sums of many still fit an `Int`.
    package static let byteLimit = 1 << 47

    /// Whether the tensor could exist: extents that are not negative, and a size below the limit.
    package var isPossible: Bool {
        shape.checkedElementCount.map { $0 <= Self.byteLimit / dataType.byteCount } ?? false
    }

    /// - Parameter limit: the bytes that there are for it.
    /// - Throws: `SardonyxError`: `invalidValue` for a negative extent, `memory` for a size above the limit.
    package func checkPossible(
        _ what: @autoclosure () -> String, limit: Int = TensorSpec.byteLimit
    ) throws(SardonyxError) {
        guard isPossible else {
            let code: SardonyxError.Code = shape.contains { $0 < 0 } ? .invalidValue : .memory
            throw SardonyxError(code, "\(what()) would have the impossible shape \(text)")
        }
        guard byteCount <= limit else {
            throw SardonyxError(.memory, "\(what()), \(text), takes \(byteCount) bytes; there are \(limit)")
        }
    }

    /// The number of elements.
    public var elementCount: Int { shape.elementCount }
    /// The bytes of the elements.
    public var byteCount: Int { elementCount * dataType.byteCount }
    package var text: String { dataType.name + SymbolicShape(shape).text }
}
