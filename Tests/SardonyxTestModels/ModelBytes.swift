/// Builds the bytes of ONNX models for tests, right or wrong, without any library of the product.
package struct Message {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    private static func varint(_ value: UInt64) -> [UInt8] {
        var value = value
        var result: [UInt8] = []
        while value >= 0x80 {
            result.append(UInt8(value & 0x7F) | 0x80)
            value >>= 7
        }
        return result + [UInt8(value)]
    }

    package mutating func int(_ field: Int, _ value: Int64) {
        bytes += Self.varint(UInt64(field << 3)) + Self.varint(UInt64(bitPattern: value))
    }

    package mutating func float(_ field: Int, _ value: Float) {
        bytes += Self.varint(UInt64(field << 3 | 5))
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }

    /// Four or eight bytes.
    package mutating func fixed(_ field: Int, _ value: [UInt8]) {
        bytes += Self.varint(UInt64(field << 3 | (value.count == 8 ? 1 : 5))) + value
    }

    package mutating func data(_ field: Int, _ value: [UInt8]) {
        bytes += Self.varint(UInt64(field << 3 | 2)) + Self.varint(UInt64(value.count)) + value
    }

    package mutating func text(_ field: Int, _ value: String) { data(field, Array(value.utf8)) }

    package mutating func message(_ field: Int, _ build: (inout Message) -> Void) {
        var inner = Message()
        build(&inner)
        data(field, inner.bytes)
    }
}

/// An attribute of a node in a test model.
package enum TestAttribute {
    case int(Int64)
    case ints([Int64])
    case float(Float)
    case floats([Float])
    case text(String)
    case texts([String])
    case graph(TestGraph)
    case tensor(TestTensor)
    /// In a function: the value of the call's attribute with this name, of this AttributeType.
    case reference(String, type: Int64)
}

package struct TestTensor {
    package var name: String
    package var dims: [Int64]
    package var type: Int64
    package var raw: [UInt8]?
    /// The elements of a tensor of strings.
    package var strings: [String] = []
    /// Entries of external data.
    package var external: [(String, String)] = []

    package init(_ name: String, dims: [Int64], type: Int64 = 1, raw: [UInt8]?, external: [(String, String)] = []) {
        self.name = name
        self.dims = dims
        self.type = type
        self.raw = raw
        self.external = external
    }

    package init(_ name: String, dims: [Int64], floats: [Float]) {
        self.init(name, dims: dims, raw: floats.flatMap { withUnsafeBytes(of: $0) { Array($0) } })
    }

    package init(_ name: String, integers: [Int64]) {
        self.init(
            name, dims: [Int64(integers.count)], type: 7,
            raw: integers.flatMap { withUnsafeBytes(of: $0) { Array($0) } })
    }

    func write(to message: inout Message) {
        for dim in dims { message.int(1, dim) }
        message.int(2, type)
        for string in strings { message.text(6, string) }
        message.text(8, name)
        if let raw { message.data(9, raw) }
        for (key, value) in external {
            message.message(13) {
                $0.text(1, key)
                $0.text(2, value)
            }
        }
        if !external.isEmpty { message.int(14, 1) }
    }
}

package struct TestNode {
    package var type: String
    package var domain = ""
    package var name: String
    package var inputs: [String]
    package var outputs: [String]
    package var attributes: [(String, TestAttribute)]

    package init(
        _ type: String, _ inputs: [String], _ outputs: [String], name: String = "", domain: String = "",
        _ attributes: [(String, TestAttribute)] = []
    ) {
        self.type = type
        self.inputs = inputs
        self.outputs = outputs
        self.name = name
        self.domain = domain
        self.attributes = attributes
    }

    func write(to message: inout Message) {
        for input in inputs { message.text(1, input) }
        for output in outputs { message.text(2, output) }
        message.text(3, name)
        message.text(4, type)
        for (name, attribute) in attributes { message.message(5) { attribute.write(name, to: &$0) } }
        if !domain.isEmpty { message.text(7, domain) }
    }
}

extension TestAttribute {
    func write(_ name: String, to message: inout Message) {
        message.text(1, name)
        switch self {
        case .float(let value):
            message.float(2, value)
            message.int(20, 1)
        case .int(let value):
            message.int(3, value)
            message.int(20, 2)
        case .text(let value):
            message.text(4, value)
            message.int(20, 3)
        case .tensor(let tensor):
            message.message(5) { tensor.write(to: &$0) }
            message.int(20, 4)
        case .graph(let graph):
            message.message(6) { graph.write(to: &$0) }
            message.int(20, 5)
        case .ints(let values):
            for value in values { message.int(8, value) }
            message.int(20, 7)
        case .floats(let values):
            for value in values { message.float(7, value) }
            message.int(20, 6)
        case .texts(let values):
            for value in values { message.text(9, value) }
            message.int(20, 8)
        case .reference(let attribute, let type):
            message.int(20, type)
            message.text(21, attribute)
        }
    }
}

/// A named value with its type: a number is an extent, a text a named dimension.
package struct TestValue {
    package enum Dim: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
        case extent(Int64)
        case name(String)
        package init(integerLiteral value: Int64) { self = .extent(value) }
        package init(stringLiteral value: String) { self = .name(value) }
    }
    package var name: String
    package var type: Int64
    package var dims: [Dim]?

    package init(_ name: String, _ dims: [Dim]?, type: Int64 = 1) {
        self.name = name
        self.dims = dims
        self.type = type
    }

    func write(to message: inout Message) {
        message.text(1, name)
        message.message(2) { typeMessage in
            typeMessage.message(1) { tensor in
                tensor.int(1, type)
                guard let dims else { return }
                tensor.message(2) { shape in
                    for dim in dims {
                        shape.message(1) {
                            switch dim {
                            case .extent(let extent): $0.int(1, extent)
                            case .name(let name): $0.text(2, name)
                            }
                        }
                    }
                }
            }
        }
    }
}

package struct TestGraph {
    package var nodes: [TestNode]
    package var inputs: [TestValue]
    package var outputs: [TestValue]
    package var initializers: [TestTensor]

    package init(
        nodes: [TestNode], inputs: [TestValue] = [], outputs: [TestValue] = [], initializers: [TestTensor] = []
    ) {
        self.nodes = nodes
        self.inputs = inputs
        self.outputs = outputs
        self.initializers = initializers
    }

    func write(to message: inout Message) {
        for node in nodes { message.message(1) { node.write(to: &$0) } }
        message.text(2, "g")
        for tensor in initializers { message.message(5) { tensor.write(to: &$0) } }
        for input in inputs { message.message(11) { input.write(to: &$0) } }
        for output in outputs { message.message(12) { output.write(to: &$0) } }
    }
}

package struct TestFunction {
    package var domain: String
    package var name: String
    package var inputs: [String]
    package var outputs: [String]
    package var nodes: [TestNode]
    package var opset: Int64
    /// Opsets of other domains than ai.onnx.
    package var moreOpsets: [(String, Int64)] = []
    package var defaults: [(String, TestAttribute)]

    package init(
        _ name: String, domain: String, inputs: [String], outputs: [String], nodes: [TestNode], opset: Int64 = 20,
        defaults: [(String, TestAttribute)] = []
    ) {
        self.name = name
        self.domain = domain
        self.inputs = inputs
        self.outputs = outputs
        self.nodes = nodes
        self.opset = opset
        self.defaults = defaults
    }

    func write(to message: inout Message) {
        message.text(1, name)
        for input in inputs { message.text(4, input) }
        for output in outputs { message.text(5, output) }
        for node in nodes { message.message(7) { node.write(to: &$0) } }
        for (domain, version) in [("", opset)] + moreOpsets {
            message.message(9) {
                if !domain.isEmpty { $0.text(1, domain) }
                $0.int(2, version)
            }
        }
        message.text(10, domain)
        for (name, attribute) in defaults { message.message(11) { attribute.write(name, to: &$0) } }
    }
}

/// A whole model.
package func modelBytes(
    _ graph: TestGraph, opsets: [(String, Int64)] = [("", 20)], irVersion: Int64 = 9, functions: [TestFunction] = []
) -> [UInt8] {
    var message = Message()
    message.int(1, irVersion)
    message.message(7) { graph.write(to: &$0) }
    for (domain, version) in opsets {
        message.message(8) {
            $0.text(1, domain)
            $0.int(2, version)
        }
    }
    for function in functions { message.message(25) { function.write(to: &$0) } }
    return message.bytes
}
