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
}
