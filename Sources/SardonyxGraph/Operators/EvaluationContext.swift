/// What an operator's `evaluate` sees: the inputs themselves.
public struct EvaluationContext {
    /// The node, with its attributes.
    public let node: Node
    /// nil for an omitted input.
    package let inputs: [Datum?]
    /// What the compiler knows of the outputs; sequences and optionals need it where they are empty.
    package let outputTypes: [ValueType]
    package let environment: any EvaluationEnvironment
    package let operatorType: any Operator.Type
    /// Inputs that nobody else holds and nobody reads afterwards: kernels that work in place overwrite them.
    package var lastReads: Set<Int>

    package init(
        node: Node, inputs: [Datum?], outputTypes: [ValueType], environment: any EvaluationEnvironment,
        operatorType: any Operator.Type, lastReads: Set<Int> = []
    ) {
        self.node = node
        self.inputs = inputs
        self.outputTypes = outputTypes
        self.environment = environment
        self.operatorType = operatorType
        self.lastReads = lastReads
    }

    /// Whether the node has the input.
    public func has(_ input: Int) -> Bool { input < inputs.count && inputs[input] != nil }

    /// A tensor input that the schema requires.
    public func tensor(_ index: Int) throws(SardonyxError) -> Tensor {
        guard has(index), case .tensor(let tensor)? = inputs[index] else {
            throw SardonyxError(.invalidInput, "input \(index) must be a tensor")
        }
        return tensor
    }

    /// A tensor input that may be omitted.
    public func optionalTensor(_ index: Int) throws(SardonyxError) -> Tensor? {
        has(index) ? try tensor(index) : nil
    }

    /// An input that is a sequence.
    public func sequence(_ index: Int) throws(SardonyxError) -> [Datum] {
        guard has(index), case .sequence(let elements)? = inputs[index] else {
            throw SardonyxError(.invalidInput, "input \(index) must be a sequence")
        }
        return elements
    }

    /// A tensor for a result; its elements have any values until they are set.
    /// - Throws: `SardonyxError` (`memory`) for more than the session's memory budget leaves.
    public func allocate(_ dataType: DataType, _ shape: [Int]) throws -> Tensor {
        try environment.allocate(dataType, shape)
    }

    /// What `make` makes of the node's attributes, made once for all runs and plans of a session.
    package func derived<Value: Sendable>(_ make: () throws -> Value) throws -> Value {
        try environment.kept { try environment.packedWeights.derived(node, make) }.value
    }

    /// - Throws: `SardonyxError` (`cancelled`) once the run was cancelled. Long loops call it from time to time.
    public func checkCancellation() throws { try environment.checkCancellation() }
}

/// What evaluation needs from the engine around it.
package protocol EvaluationEnvironment: Sendable {
    /// The worker pool (`sdx_pool` of CKernels), or nil.
    var pool: OpaquePointer? { get }
    var workers: Int { get }
    /// Runs the node's subgraph of that attribute on these inputs; what it captures is bound already.
    func run(_ attribute: String, inputs: [Datum]) throws -> [Datum]
    /// Throws `SardonyxError` (`cancelled`) once the run was cancelled.
    func checkCancellation() throws
    /// The same, and (`invalidValue`) once the run's loops have had all iterations that the session allows. What runs a graph
    /// again and again calls it each time.
    func beginIteration() throws
    /// Throws when a result of this size would be refused. Asked before an operator prepares, whose tables may be as large.
    func admit(_ spec: TensorSpec) throws
    /// Refuses a size that the memory budget does not allow.
    func allocate(_ dataType: DataType, _ shape: [Int]) throws -> Tensor
    /// What the session's nodes share.
    var packedWeights: PackedWeights { get }
    /// What `make` makes, kept for the step's next runs.
    func kept<Object: AnyObject & Sendable>(_ make: () throws -> Object) throws -> Object
}

extension EvaluationEnvironment {
    package func admit(_ spec: TensorSpec) throws {}
    package func beginIteration() throws { try checkCancellation() }
    package var packedWeights: PackedWeights { PackedWeights() }
    package func kept<Object: AnyObject & Sendable>(_ make: () throws -> Object) throws -> Object { try make() }
}

/// An environment without subgraphs or a pool.
package struct PlainEnvironment: EvaluationEnvironment {
    package init() {}
    package var pool: OpaquePointer? { nil }
    package var workers: Int { 1 }

    package func run(_ attribute: String, inputs: [Datum]) throws -> [Datum] {
        throw SardonyxError(.unsupported, "a subgraph cannot run here")
    }

    package func checkCancellation() throws {}

    package func allocate(_ dataType: DataType, _ shape: [Int]) throws -> Tensor {
        try Tensor(uninitialized: dataType, shape: shape)
    }
}
