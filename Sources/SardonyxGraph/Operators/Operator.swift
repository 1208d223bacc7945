/// An operator of ONNX (or of a user's own domain): one type, in one file.
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

    /// Makes the kernel for concrete shapes and layouts.
    static func prepare(_ context: PreparationContext) throws -> Kernel

    /// Computes the outputs as new values.
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

    package static func prepare(_ context: PreparationContext) throws -> Kernel {
        throw SardonyxError(.unsupported, "\(schema.qualifiedName) has no planned form")
    }

    package static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        try evaluatePlanned(context)
    }
}

/// The operators that exist, by domain and name.
package struct OperatorRegistry: Sendable {
    private let table: [String: any Operator.Type]

    package init(_ operators: [any Operator.Type]) {
        var table: [String: any Operator.Type] = [:]
        for type in operators {
            let name = type.schema.qualifiedName
            precondition(table[name] == nil, "\(name) is registered twice")
            table[name] = type
        }
        self.table = table
    }

    package func find(domain: String, type: String) -> (any Operator.Type)? {
        table[domain.isEmpty ? type : "\(domain).\(type)"]
    }

    package func find(_ node: Node) -> (any Operator.Type)? { find(domain: node.domain, type: node.operatorType) }

    package var all: [any Operator.Type] {
        table.sorted { $0.key < $1.key }.map(\.value)
    }
}
