/// What was made of a node's attributes, for all plans and runs of a session: a model of millions of nodes takes a second to be
/// read.
package final class Derived<Value: Sendable>: Sendable {
    package let value: Value
    /// Keeps the memory by whose address others find this.
    private let source: [String: Attribute]

    fileprivate init(_ value: Value, _ source: [String: Attribute]) {
        self.value = value
        self.source = source
    }
}

/// An operator and a node's attributes, lists by where they are in memory: two that are equal hold the same while one of
/// them is kept.
struct AttributesKey: Hashable, Sendable {
    enum Part: Hashable, Sendable {
        case place(UInt, Int)
        case int(Int64)
        case float(UInt32)
        case string(String)
    }
    let parts: [String: Part]
    let operatorType: String
    let kind: ObjectIdentifier

    /// - Returns: nil for attributes that cannot be told apart cheaply.
    init?(_ node: Node, _ kind: Any.Type) {
        var parts: [String: Part] = [:]
        for (name, attribute) in node.attributes {
            switch attribute {
            case .int(let value): parts[name] = .int(value)
            case .float(let value): parts[name] = .float(value.bitPattern)
            case .string(let value): parts[name] = .string(value)
            case .ints(let values): parts[name] = Self.place(values)
            case .floats(let values): parts[name] = Self.place(values)
            case .strings(let values): parts[name] = Self.place(values)
            case .tensor(let tensor): parts[name] = .place(UInt(bitPattern: tensor.storage.base), tensor.count)
            default: return nil
            }
        }
        self.parts = parts
        operatorType = node.qualifiedType
        self.kind = ObjectIdentifier(kind)
    }

    /// An array's memory does not change while somebody else holds it too.
    private static func place<T>(_ values: [T]) -> Part {
        values.isEmpty
            ? .place(0, 0) : .place(values.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }, values.count)
    }
}

extension PackedWeights {
    /// What `make` makes of the node's attributes, or what it made before for a node with the same ones, while somebody holds that.
    package func derived<Value: Sendable>(_ node: Node, _ make: () throws -> Value) throws -> Derived<Value> {
        let key = AttributesKey(node, Value.self)
        if let key, let known = found(key) as? Derived<Value> { return known }
        let made = Derived(try make(), node.attributes)
        if let key { note(made, key) }
        return made
    }
}
