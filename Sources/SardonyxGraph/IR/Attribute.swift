/// A node's attribute.
public enum Attribute: Sendable {
    /// A number.
    case float(Float)
    /// An integer.
    case int(Int64)
    /// A text.
    case string(String)
    /// A tensor.
    case tensor(Tensor)
    /// A graph that the node runs.
    case graph(Subgraph)
    /// Numbers.
    case floats([Float])
    /// Integers.
    case ints([Int64])
    /// Texts.
    case strings([String])
    /// Tensors.
    case tensors([Tensor])
    /// Graphs that the node runs.
    case graphs([Subgraph])
    /// A value's type.
    case type(ValueType)

    /// The kind's name in ONNX, for messages.
    package var kind: String {
        switch self {
        case .float: "FLOAT"
        case .int: "INT"
        case .string: "STRING"
        case .tensor: "TENSOR"
        case .graph: "GRAPH"
        case .floats: "FLOATS"
        case .ints: "INTS"
        case .strings: "STRINGS"
        case .tensors: "TENSORS"
        case .graphs: "GRAPHS"
        case .type: "TYPE_PROTO"
        }
    }
}

extension Attribute {
    /// Whether a graph in the attribute reads values of the graph around it.
    package var capturesValues: Bool {
        switch self {
        case .graph(let subgraph): !subgraph.captured.isEmpty
        case .graphs(let subgraphs): subgraphs.contains { !$0.captured.isEmpty }
        default: false
        }
    }
}

/// A graph inside a node, with the outer values that it reads.
public struct Subgraph: Sendable {
    /// The body; its `captures` stand for the outer values, in the same order.
    package var graph: Graph
    /// The values of the graph around the node that the body reads.
    package var captured: [ValueID]
    /// What the file says of the outputs. Nobody has checked it: it tells the shape of a result that no iteration made.
    package var declaredOutputs: [ValueType]

    package init(graph: Graph, captured: [ValueID], declaredOutputs: [ValueType] = []) {
        self.graph = graph
        self.captured = captured
        self.declaredOutputs = declaredOutputs
    }
}
