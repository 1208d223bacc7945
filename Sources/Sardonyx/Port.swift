import SardonyxGraph

/// An input or output of a model.
public struct Port: Sendable, Hashable {
    /// The name in the model.
    public let name: String
    package let type: ValueType

    package init(name: String, type: ValueType) {
        self.name = name
        self.type = type
    }

    /// The element type, or nil for sequences, optionals and maps.
    public var dataType: DataType? { type.dataType }

    /// One dimension an axis, outermost first, or nil when the model does not say.
    public var shape: SymbolicShape? { type.shape }

    /// The type as people read it: `float[N, 3, 224, 224]`.
    public var typeDescription: String { type.text }
}

/// A model's inputs or outputs, in the model's order, by position or name.
public struct Ports: RandomAccessCollection, Sendable {
    private let ports: [Port]

    init(_ ports: [Port]) { self.ports = ports }

    /// Always 0.
    public var startIndex: Int { 0 }
    /// The number of ports.
    public var endIndex: Int { ports.count }
    /// The port at this position.
    public subscript(position: Int) -> Port { ports[position] }
    /// The port with this name; nil when there is none.
    public subscript(name: String) -> Port? { ports.first { $0.name == name } }
    /// The names in the model's order.
    public var names: [String] { ports.map(\.name) }
}
