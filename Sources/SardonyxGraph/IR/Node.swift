/// One application of an operator.
public struct Node: Sendable {
    /// The name in the file; may be empty and need not be unique.
    public var name: String
    /// The operator's domain; empty is ai.onnx.
    public var domain: String
    /// The operator's name.
    public var operatorType: String
    /// The opset version of the operator's domain that the node was written for. Loading lifts every node to the newest
    /// form, and keeps this number for messages.
    package var opset: Int
    /// An omitted optional input is nil.
    package var inputs: [ValueID?]
    /// An output that nobody wants is nil.
    package var outputs: [ValueID?]
    package var attributes: [String: Attribute]
    /// The first output's name, for messages about nodes without a name.
    package var firstOutputName: String

    package init(
        _ operatorType: String, domain: String = "", opset: Int = 0, name: String = "", inputs: [ValueID?],
        outputs: [ValueID?], attributes: [String: Attribute] = [:], firstOutputName: String = ""
    ) {
        self.name = name
        self.domain = domain
        self.operatorType = operatorType
        self.opset = opset
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
        self.firstOutputName = firstOutputName
    }

    package var displayName: String { name.isEmpty ? firstOutputName : name }

    /// The operator's domain and type in one text, `ai.onnx.ml.Scaler`; ai.onnx itself is left out.
    package var qualifiedType: String { domain.isEmpty ? operatorType : "\(domain).\(operatorType)" }

    /// The graphs inside, in the order of their attributes' names.
    package var subgraphs: [Subgraph] {
        if !hasSubgraphs { return [] }
        var result: [Subgraph] = []
        for (_, attribute) in attributes.filter({ $0.value.isGraph }).sorted(by: { $0.key < $1.key }) {
            switch attribute {
            case .graph(let subgraph): result.append(subgraph)
            case .graphs(let subgraphs): result += subgraphs
            default: break
            }
        }
        return result
    }

    /// The graphs inside, by their attribute.
    package var subgraphAttributes: [String: Subgraph] {
        attributes.compactMapValues { if case .graph(let subgraph) = $0 { subgraph } else { nil } }
    }

    /// How many nodes the graphs inside have, and those inside them.
    package var innerCount: Int {
        if !hasSubgraphs { return 0 }
        return subgraphs.reduce(0) { $1.graph.nodes.reduce($0) { $0 + 1 + $1.innerCount } }
    }

    package var hasSubgraphs: Bool { attributes.contains { $0.value.isGraph } }

    /// Calls `body` for every value that the node reads, also through its subgraphs.
    package func forEachUse(_ body: (ValueID) -> Void) {
        for case let input? in inputs { body(input) }
        for attribute in attributes.values {
            switch attribute {
            case .graph(let subgraph): subgraph.captured.forEach(body)
            case .graphs(let subgraphs): subgraphs.flatMap(\.captured).forEach(body)
            default: break
            }
        }
    }

    /// Replaces every value that the node reads.
    package mutating func mapUses(_ transform: (ValueID) -> ValueID) {
        for index in inputs.indices { inputs[index] = inputs[index].map(transform) }
        for (key, attribute) in attributes where attribute.isGraph {
            switch attribute {
            case .graph(var subgraph):
                subgraph.captured = subgraph.captured.map(transform)
                attributes[key] = .graph(subgraph)
            case .graphs(let subgraphs):
                attributes[key] = .graphs(
                    subgraphs.map {
                        Subgraph(
                            graph: $0.graph, captured: $0.captured.map(transform), declaredOutputs: $0.declaredOutputs)
                    })
            default: break
            }
        }
    }
}

extension Attribute {
    fileprivate var isGraph: Bool {
        switch self {
        case .graph, .graphs: true
        default: false
        }
    }
}

// Typed access to attributes. A node that was loaded has passed its schema, so a wrong kind reads as absent.
extension Node {
    /// An integer attribute.
    public func int(_ name: String) -> Int? {
        if case .int(let value)? = attributes[name] { Int(value) } else { nil }
    }

    /// An integer attribute, or what it is when absent.
    public func int(_ name: String, default value: Int) -> Int { int(name) ?? value }

    /// An integer attribute that is 0 or not, or what it is when absent.
    public func flag(_ name: String, default value: Bool = false) -> Bool { int(name).map { $0 != 0 } ?? value }

    /// A number.
    public func float(_ name: String) -> Float? {
        if case .float(let value)? = attributes[name] { value } else { nil }
    }

    /// A number, or what it is when absent.
    public func float(_ name: String, default value: Float) -> Float { float(name) ?? value }

    /// A text.
    public func string(_ name: String) -> String? {
        if case .string(let value)? = attributes[name] { value } else { nil }
    }

    /// A text, or what it is when absent.
    public func string(_ name: String, default value: String) -> String { string(name) ?? value }

    /// A list of integers.
    public func ints(_ name: String) -> [Int]? {
        if case .ints(let values)? = attributes[name] { values.map { Int($0) } } else { nil }
    }

    /// A list of numbers.
    public func floats(_ name: String) -> [Float]? {
        if case .floats(let values)? = attributes[name] { values } else { nil }
    }

    /// A list of texts.
    public func strings(_ name: String) -> [String]? {
        if case .strings(let values)? = attributes[name] { values } else { nil }
    }

    package func tensor(_ name: String) -> Tensor? {
        if case .tensor(let value)? = attributes[name] { value } else { nil }
    }

    package func subgraph(_ name: String) -> Subgraph? {
        if case .graph(let value)? = attributes[name] { value } else { nil }
    }

    /// The element type that an integer attribute such as Cast's `to` names.
    package func dataType(_ name: String) throws(SardonyxError) -> DataType? {
        guard let number = int(name) else { return nil }
        guard let type = Int32(exactly: number).flatMap(DataType.init(rawValue:)) else {
            throw SardonyxError(.invalidModel, "attribute '\(name)' is \(number), which is no element type of ONNX")
        }
        return type
    }
}
