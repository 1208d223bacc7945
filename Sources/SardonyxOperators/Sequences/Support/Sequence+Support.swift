import SardonyxGraph

extension InferenceContext {
    /// The type of a sequence input's elements; unknown when nothing is known of the sequence.
    /// - Throws: `SardonyxError` (`invalidModel`) when the input is something else.
    func elementType(_ input: Int) throws(SardonyxError) -> ValueType {
        guard has(input), let type = inputs[input] else { return .unknown }
        switch type {
        case .sequence(let element): return element
        case .unknown: return .unknown
        default: throw SardonyxError(.invalidModel, "input \(input) must be a sequence; it is \(type.text)")
        }
    }
}

extension EvaluationContext {
    /// A position in a sequence, from one that may count from the end.
    /// - Parameter count: positions are below it; for a place to insert at, the sequence's length and one more.
    func position(_ input: Int, length: Int, below count: Int) throws(SardonyxError) -> Int {
        let tensor = try tensor(input)
        guard tensor.count == 1, let position = tensor.integers?.first else {
            throw SardonyxError(.invalidInput, "the position must be one integer; its shape is \(tensor.shape)")
        }
        guard position >= -length, position < count else {
            throw SardonyxError(
                .invalidValue,
                "position \(position) is outside a sequence of \(length) elements: "
                    + "it must be in -\(length) ..< \(count)")
        }
        return position < 0 ? position + length : position
    }
}

extension SardonyxError {
    /// The error for a value whose kind or element type does not fit a sequence.
    static func mixedElements(_ element: Datum, _ first: Datum) -> SardonyxError {
        SardonyxError(
            .invalidInput, "a sequence of \(first.kind) cannot hold \(element.kind); all elements have one type")
    }
}

extension Datum {
    /// What people call the value's type.
    fileprivate var kind: String {
        switch self {
        case .tensor(let tensor): "tensor(\(tensor.dataType.name))"
        case .sequence: "sequences"
        case .optional: "optionals"
        case .map: "maps"
        }
    }

    /// Whether both values may be elements of one sequence, as far as the values say.
    func isAlike(_ other: Datum) -> Bool {
        switch (self, other) {
        case (.tensor(let a), .tensor(let b)): a.dataType == b.dataType
        case (.sequence, .sequence), (.optional, .optional), (.map, .map): true
        default: false
        }
    }

    /// Whether a sequence or an optional may hold the value: a loop could nest values until their release takes all of the stack.
    /// - Throws: `SardonyxError` (`invalidValue`).
    func checkNesting() throws(SardonyxError) {
        guard nesting < Self.deepest else {
            throw SardonyxError(
                .invalidValue, "sequences and optionals would be nested more than \(Self.deepest) deep")
        }
    }

    private static let deepest = 64

    /// How many sequences and optionals there are from here to what is innermost.
    private var nesting: Int {
        switch self {
        case .tensor, .map: 0
        case .optional(let value): 1 + (value?.nesting ?? 0)
        case .sequence(let elements):
            // All elements are tensors where one is.
            if case .tensor? = elements.first { 1 } else { 1 + (elements.map(\.nesting).max() ?? 0) }
        }
    }
}
