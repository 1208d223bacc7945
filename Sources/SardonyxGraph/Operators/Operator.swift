/// An operator of ONNX (or of a user's own domain): one type, in one file. A type of Sardonyx's own bears the operator's
/// name, or, where Swift has a type of that name, the name with "Operator" behind it.
///
/// The life of a node: `lift` brings it to the newest opset's form once, at loading; `infer` gives its outputs' types,
/// first with symbolic and then with concrete shapes; `prepare` makes a kernel for concrete shapes; the kernel runs.
/// Operators whose outputs' sizes depend on data, or that handle sequences, strings or subgraphs, implement `evaluate`
/// instead of `prepare`.
package protocol Operator: Sendable {
    static var schema: Schema { get }

    /// How the operator's outputs come about.
    static var execution: Execution { get }

    /// Rewrites a node written for an older opset into the newest form.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws

    /// Sets the outputs' types from the inputs' types and from what is known of their values.
    static func infer(_ context: inout InferenceContext) throws

    /// The layouts, other than plain ones throughout, that `prepare` has kernels for with these types and constants, the best
    /// first. The inputs and outputs of the context are plain.
    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer]

    /// Whether it chooses between kernels whose packed weights (input 1) differ in size.
    static var choosesKernels: Bool { get }

    /// What the fastest of its kernels takes, where it chooses; nil for kernels that have nothing to choose from. The inputs and
    /// outputs of the context are plain.
    static func estimate(_ context: PreparationContext) throws -> KernelEstimate?

    /// Makes the kernel for concrete shapes and layouts.
    static func prepare(_ context: PreparationContext) throws -> Kernel

    /// Computes the outputs, as new values or in the memory of inputs that the context says nobody reads afterwards.
    static func evaluate(_ context: EvaluationContext) throws -> [Datum?]

    /// The rule by which `Gradient` differentiates a node; nil for none.
    static var derivative: Derivative? { get }

    /// Attributes that name values of the graph around a node. The node reads these values too: loading appends them to its
    /// inputs, in this order.
    static var attributesNamingValues: [String] { get }

    /// Worked examples, which are tests and documentation at once.
    static var examples: [Example] { get }
}

/// How an operator's outputs come about.
package enum Execution: Sendable {
    /// The output shapes follow from the input shapes and known values; `prepare` makes a kernel.
    case planned
    /// Like `planned`, and elements are only moved, never computed with: tensors of strings work too.
    case movesElements
    /// Output shapes depend on data, or values are not plain tensors: `evaluate` makes the outputs at each run.
    case dynamic
    /// Like `dynamic`, and two runs on the same inputs may differ, so that it is never folded.
    case random

    package var isDynamic: Bool {
        switch self {
        case .planned, .movesElements: false
        case .dynamic, .random: true
        }
    }
}

extension Operator {
    package static var execution: Execution { .planned }
    package static var examples: [Example] { [] }
    package static var derivative: Derivative? { nil }
    package static var attributesNamingValues: [String] { [] }
    package static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {}

    package static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] { [] }
    package static var choosesKernels: Bool { false }
    package static func estimate(_ context: PreparationContext) throws -> KernelEstimate? { nil }

    package static func prepare(_ context: PreparationContext) throws -> Kernel {
        throw SardonyxError(.unsupported, "\(schema.qualifiedName) has no planned form")
    }

    package static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        try evaluatePlanned(context)
    }
}

/// The operators that exist, by domain and name.
package struct OperatorRegistry: Sendable {
    /// By the names of their types: only operators that are looked for are touched, and the others' code and schemas stay
    /// out of memory.
    private var own: [String: any Operator.Type] = [:]
    /// By qualified names.
    private var users: [String: any Operator.Type] = [:]

    /// - Parameter operators: types that bear their operator's name, or, where Swift has a type of that name, the name with
    ///   "Operator" behind it.
    /// - Precondition: no two have the same name.
    package init(_ operators: [any Operator.Type]) {
        for type in operators {
            var name = _typeName(type, qualified: false)
            if name.hasSuffix("Operator") { name.removeLast("Operator".count) }
            let before = own.updateValue(type, forKey: name)
            precondition(before == nil, "\(name) is registered twice")
        }
    }

    package func find(domain: String, type: String) -> (any Operator.Type)? {
        if let found = own[type], found.schema.domain == domain, found.schema.name == type { return found }
        guard !users.isEmpty, let found = users[Schema.qualifiedName(domain: domain, type)],
            found.schema.domain == domain
        else { return nil }
        return found
    }

    package func find(_ node: Node) -> (any Operator.Type)? { find(domain: node.domain, type: node.operatorType) }

    /// Adds a user's operator; false where there is one of its name.
    mutating func add(_ type: any Operator.Type) -> Bool {
        let schema = type.schema
        guard find(domain: schema.domain, type: schema.name) == nil else { return false }
        users[schema.qualifiedName] = type
        return true
    }

    /// Sorted by qualified names.
    package var all: [any Operator.Type] {
        (Array(own.values) + Array(users.values)).sorted { $0.schema.qualifiedName < $1.schema.qualifiedName }
    }
}
