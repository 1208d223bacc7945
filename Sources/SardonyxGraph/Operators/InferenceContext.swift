/// What an operator's `infer` sees and sets.
public struct InferenceContext {
    /// The node, with its attributes.
    public let node: Node
    /// The inputs' types; an omitted input has none.
    package let inputs: [ValueType?]
    /// The outputs' types, to be set; an output that nobody wants may be left.
    package var outputs: [ValueType]
    /// What is known of one-axis or scalar integer outputs, element by element, where they describe shapes.
    package var outputElements: [SymbolicShape?]

    private let constantOf: (Int) -> Tensor?
    private let elementsOf: (Int) -> SymbolicShape?
    private let inferSubgraph: (Subgraph, [ValueType]) throws -> [ValueType]

    package init(
        node: Node, inputs: [ValueType?], constantOf: @escaping (Int) -> Tensor?,
        elementsOf: @escaping (Int) -> SymbolicShape? = { _ in nil },
        inferSubgraph: @escaping (Subgraph, [ValueType]) throws -> [ValueType] = { _, _ in [] }
    ) {
        self.node = node
        self.inputs = inputs
        self.constantOf = constantOf
        self.elementsOf = elementsOf
        self.inferSubgraph = inferSubgraph
        outputs = [ValueType](repeating: .unknown, count: node.outputs.count)
        outputElements = [SymbolicShape?](repeating: nil, count: node.outputs.count)
    }

    /// Whether the node has the input.
    public func has(_ input: Int) -> Bool { input < inputs.count && inputs[input] != nil }

    /// The input's element type.
    /// - Throws: when the input is missing, or its type is not known to be a tensor.
    public func dataType(_ input: Int) throws(SardonyxError) -> DataType {
        guard let type = knownDataType(input) else {
            throw SardonyxError(.invalidModel, "input \(input) must be a tensor of a known element type")
        }
        return type
    }

    /// The input's element type, when it is known.
    public func knownDataType(_ input: Int) -> DataType? {
        has(input) ? inputs[input]?.dataType : nil
    }

    /// The input's dimensions, or nil when the rank is unknown or the input is omitted.
    public func shape(_ input: Int) -> SymbolicShape? { has(input) ? inputs[input]?.shape : nil }

    /// The input's number of axes, when it is known.
    public func rank(_ input: Int) -> Int? { shape(input)?.count }

    /// The input's value, when it is a constant.
    public func constant(_ input: Int) -> Tensor? { has(input) ? constantOf(input) : nil }

    /// The elements of a constant integer input.
    public func integers(_ input: Int) -> [Int]? { constant(input)?.integers }

    /// The elements of an integer input that describes a shape, as far as they are known.
    package func elements(_ input: Int) -> SymbolicShape? {
        guard has(input) else { return nil }
        if let constant = constantOf(input) {
            guard constant.count <= 64 else { return nil }
            return constant.integers.map { SymbolicShape($0) }
        }
        return elementsOf(input)
    }

    package func infer(_ subgraph: Subgraph, inputs: [ValueType]) throws -> [ValueType] {
        try inferSubgraph(subgraph, inputs)
    }

    /// Sets an output's type; the shape is nil when not even the rank is known.
    public mutating func set(_ output: Int, _ type: DataType, _ shape: SymbolicShape?) {
        if output < outputs.count { outputs[output] = .tensor(type, shape) }
    }

    package mutating func set(_ output: Int, _ type: ValueType) {
        if output < outputs.count { outputs[output] = type }
    }

    /// A non-negative axis below `rank`, from one that may count from the end.
    public func axis(_ axis: Int, rank: Int, _ what: String = "axis") throws(SardonyxError) -> Int {
        try normalizedAxis(axis, rank: rank, what)
    }
}

/// A non-negative axis below `rank`, from one that may count from the end.
/// - Throws: `SardonyxError` (`invalidModel`) when it is out of range.
package func normalizedAxis(_ axis: Int, rank: Int, _ what: String = "axis") throws(SardonyxError) -> Int {
    guard axis >= -rank, axis < rank else {
        throw SardonyxError(.invalidModel, "\(what) is \(axis), which is outside [-\(rank), \(rank - 1)]")
    }
    return axis < 0 ? axis + rank : axis
}

/// The shape that numpy's broadcasting gives.
/// - Throws: `SardonyxError` (`invalidModel`) when two known extents differ and neither is 1.
public func broadcast(_ a: SymbolicShape, _ b: SymbolicShape) throws(SardonyxError) -> SymbolicShape {
    let rank = max(a.count, b.count)
    var result: SymbolicShape = []
    result.reserveCapacity(rank)
    for axis in 0..<rank {
        let x = axis < rank - a.count ? .fixed(1) : a[axis - (rank - a.count)]
        let y = axis < rank - b.count ? .fixed(1) : b[axis - (rank - b.count)]
        switch (x, y) {
        case (.fixed(1), _): result.append(y)
        case (_, .fixed(1)): result.append(x)
        case (.fixed(let i), .fixed(let j)):
            if i != j { throw SardonyxError(.invalidModel, "the shapes \(a.text) and \(b.text) do not broadcast") }
            result.append(x)
        case (.fixed, _): result.append(x)
        case (_, .fixed): result.append(y)
        default: result.append(x == y ? x : .unknown)
        }
    }
    return result
}
