/// A node's attribute.
package enum Attribute: Sendable {
    case float(Float)
    case int(Int64)
    case string(String)
    case tensor(Tensor)
    case graph(Subgraph)
    case floats([Float])
    case ints([Int64])
    case strings([String])
    case tensors([Tensor])
    case graphs([Subgraph])
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
package struct Subgraph: Sendable {
    /// The body; its `captures` stand for the outer values, in the same order.
    package var graph: Graph
    /// The values of the graph around the node that the body reads.
    package var captured: [ValueID]

    package init(graph: Graph, captured: [ValueID]) {
        self.graph = graph
        self.captured = captured
    }
}
