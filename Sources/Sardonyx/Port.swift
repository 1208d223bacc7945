import SardonyxGraph

/// An input or output of a model.
public struct Port: Sendable, Hashable {
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

    public var startIndex: Int { 0 }
    public var endIndex: Int { ports.count }
    public subscript(position: Int) -> Port { ports[position] }
    public subscript(name: String) -> Port? { ports.first { $0.name == name } }
    public var names: [String] { ports.map(\.name) }
}
