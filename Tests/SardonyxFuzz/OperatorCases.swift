import Sardonyx
import SardonyxOperators
import SardonyxTestModels

/// Models of one operator with what nobody should give it: wrong ranks, types, sizes and counts, attributes out of their
/// range, extreme values. The operators come from the registry, one after the other, so that none is left out.
struct OperatorCases {
    private(set) var random: SeededGenerator
    private var graph = TestGraph(nodes: [])
    /// What a run is given for the inputs that the model declares.
    private(set) var inputs: [String: Tensor] = [:]

    static let operators = OperatorRegistry.standard.all

    /// Model `number` is of operator `number % operators.count`.
    init(number: Int) { random = SeededGenerator(seed: UInt64(number)) }

    mutating func make(_ number: Int) -> (name: String, bytes: [UInt8]) {
        let type = Self.operators[number % Self.operators.count]
        let schema = type.schema
        // An example that is right but for one or two things reaches further than what is drawn from the schema alone.
        let example = random.chance(70) ? type.examples.randomElement(using: &random) : nil
        var version = schema.versions.last ?? 1
        if example == nil, random.chance(40) { version = schema.versions.randomElement(using: &random) ?? version }
        var node: TestNode
        if let example {
            var attributes = example.attributes
            var values = example.inputs
            var outputs = example.outputs.map { $0 != nil }
            for _ in 0...random.below(2) { damage(schema, &attributes, &values, &outputs) }
            node = TestNode(schema.name, [], [], name: "node", domain: schema.domain)
            node.attributes = attributes.sorted { $0.key < $1.key }.compactMap { name, value in
                test(value).map { (name, $0) }
            }
            node.inputs = values.enumerated().map { index, value in value.map { add($0, index) } ?? "" }
            node.outputs = outputs.enumerated().map { $1 ? "out\($0)" : "" }
        } else {
            node = drawn(schema, type.examples)
        }
        graph.nodes.append(node)
        graph.outputs = node.outputs.filter { !$0.isEmpty }.map { TestValue($0, nil) }
        var opsets: [(String, Int64)] = [("", 28), ("ai.onnx.ml", 5), ("ai.onnx.preview.training", 1)]
        for index in opsets.indices where opsets[index].0 == schema.domain && example == nil {
            opsets[index].1 = Int64(version)
        }
        return ("\(schema.qualifiedName) \(version)", modelBytes(graph, opsets: opsets, irVersion: 13))
    }

    // MARK: Values

    private static let numbers: [Int64] = [
        0, 1, -1, 2, -2, 3, 4, 5, -5, 7, 8, 16, 64, 65, 1000, 1 << 20, 1 << 31, (1 << 31) - 1, -(1 << 31), 1 << 33,
        1 << 40,
        1 << 61, 1 << 62, .max, .min,
    ]
    private static let floats: [Double] = [
        0, -0.0, -1, 0.5, 1, 2, 3, 1e30, -1e30, 1e-38, .nan, .infinity, -.infinity, 3e9, 1e19,
    ]
    private static let texts = [
        "", "a", "NOTSET", "SAME_UPPER", "linear", "(", "[a-", "\u{0}", "é𝄞", "aaaaaaaaaaaaaaaa b",
    ]
    private static let hostileExtents = [0, 1, 2, 3, 5, 9, 65]

    private mutating func integer() -> Int64 {
        random.chance(70) ? Int64(random.below(7) - 2) : Self.numbers.randomElement(using: &random) ?? 0
    }

    private mutating func real() -> Double {
        random.chance(60) ? Double(random.below(9)) / 2 - 2 : Self.floats.randomElement(using: &random) ?? 0
    }

    private mutating func text() -> String { Self.texts.randomElement(using: &random) ?? "" }

    private mutating func shape() -> [Int] {
        // Nothing at all, and yet an extent that nobody may count up to.
        if random.chance(3) { return random.chance(50) ? [1 << 40, 0] : [0, 1 << 40] }
        return (0..<random.below(6)).map { _ in random.chance(90) ? 1 + random.below(3) : 0 }
    }

    /// Elements of any type that exist: a bool is 0 or 1, four bits are no more than four.
    private mutating func tensor(_ type: DataType, _ shape: [Int]) -> Tensor {
        let count = shape.reduce(1, *)
        let isWild = random.chance(40)
        switch type {
        case .string: return Tensor(shape: shape, strings: (0..<count).map { _ in text() })
        case .float:
            return Tensor(
                shape: shape, scalars: (0..<count).map { _ in isWild ? Float(real()) : Float(random.below(3)) })
        case .double:
            return Tensor(shape: shape, scalars: (0..<count).map { _ in isWild ? real() : Double(random.below(3)) })
        case .int64:
            return Tensor(shape: shape, scalars: (0..<count).map { _ in isWild ? integer() : Int64(random.below(3)) })
        case .int32:
            return Tensor(
                shape: shape,
                scalars: (0..<count).map { _ in isWild ? Int32(truncatingIfNeeded: integer()) : Int32(random.below(3)) }
            )
        default:
            guard var tensor = try? Tensor(dataType: type, shape: shape) else { return Tensor(Float(0)) }
            let limit = type == .bool || type.byteCount == 1 && type.fileBitCount < 8 ? 2 : 256
            try? tensor.withUnsafeMutableBytes { bytes in
                for index in bytes.indices { bytes[index] = UInt8(random.below(limit)) }
            }
            return tensor
        }
    }

    /// The attribute as a test's model holds it; nil for what it cannot.
    private func test(_ attribute: Attribute) -> TestAttribute? {
        switch attribute {
        case .int(let value): .int(value)
        case .ints(let values): .ints(values)
        case .float(let value): .float(value)
        case .floats(let values): .floats(values)
        case .string(let value): .text(value)
        case .strings(let values): .texts(values)
        case .tensor(let value): TestTensor(value, "").map { .tensor($0) }
        default: nil
        }
    }

    // MARK: Inputs

    /// A value of the graph that holds the tensor: a constant, or an input of which the file says everything, something,
    /// nothing, or what is not true.
    private mutating func add(_ value: Tensor, _ index: Int) -> String {
        let name = "in\(index)"
        if random.chance(35), let constant = TestTensor(value, name) {
            graph.initializers.append(constant)
            return name
        }
        inputs[name] = value
        var dims: [TestValue.Dim]? = value.shape.enumerated().map { axis, extent in
            random.chance(50) ? .extent(Int64(extent)) : .name("d\(index)_\(axis)")
        }
        if random.chance(40) { dims = nil }
        if random.chance(4) { dims?.append(.extent(2)) }
        graph.inputs.append(TestValue(name, dims, type: Int64(value.dataType.rawValue)))
        return name
    }

    /// Puts what is no tensor in an input's place: a sequence, an optional, a map.
    private mutating func wrapped(_ name: String) -> String {
        let result = "\(name)_w\(graph.nodes.count)"
        switch random.below(4) {
        case 0: graph.nodes.append(TestNode("SequenceConstruct", [name, name], [result], name: result))
        case 1: graph.nodes.append(TestNode("Optional", [name], [result], name: result))
        case 2: graph.nodes.append(TestNode("SplitToSequence", [name], [result], name: result))
        default:
            graph.nodes.append(
                TestNode(
                    "ZipMap", [name], [result], name: result, domain: "ai.onnx.ml",
                    [
                        random.chance(50)
                            ? ("classlabels_int64s", .ints([0, 1])) : ("classlabels_strings", .texts(["a", "b"]))
                    ]))
            if random.chance(60) {
                graph.initializers.append(
                    TestTensor("\(result)_zero", dims: [], type: 7, raw: [UInt8](repeating: 0, count: 8)))
                graph.nodes.append(TestNode("SequenceAt", [result, "\(result)_zero"], ["\(result)_map"], name: "map"))
                return "\(result)_map"
            }
        }
        return result
    }

    // MARK: From an example

    private mutating func damage(
        _ schema: Schema, _ attributes: inout [String: Attribute], _ inputs: inout [Tensor?], _ outputs: inout [Bool]
    ) {
        let position = random.below(max(inputs.count, 1))
        switch random.below(12) {
        case 0...4:
            guard position < inputs.count, let value = inputs[position] else { return }
            inputs[position] = damaged(value)
        case 5:
            if position < inputs.count { inputs[position] = nil }
        case 6: if !inputs.isEmpty { inputs.removeLast() }
        case 7:
            for _ in 0...random.below(3) { inputs.append(inputs.last ?? nil) }
        case 8: if random.chance(50) { outputs.append(true) } else if outputs.count > 1 { outputs.removeLast() }
        default:
            guard let spec = schema.attributes.randomElement(using: &random) else { return }
            attributes[spec.name] = random.chance(15) ? nil : drawn(spec, like: attributes[spec.name])
        }
    }

    private mutating func damaged(_ value: Tensor) -> Tensor {
        var shape = value.shape
        var type = value.dataType
        switch random.below(7) {
        case 0: type = DataType.allCases.randomElement(using: &random) ?? type
        case 1: shape.append(1 + random.below(2))
        case 2: shape.insert(1 + random.below(2), at: 0)
        case 3: if !shape.isEmpty { shape.removeFirst() }
        case 4, 5:
            guard !shape.isEmpty else { break }
            shape[random.below(shape.count)] = Self.hostileExtents.randomElement(using: &random) ?? 0
        default: break
        }
        if random.chance(4), !shape.isEmpty {
            shape = shape.map { _ in 1 + random.below(2) }
            shape[random.below(shape.count)] = 1 << 40
            shape[random.below(shape.count)] = 0
        }
        guard shape.reduce(1, *) <= 1 << 14 else { return value }
        return tensor(type, shape)
    }

    /// Another value for an attribute, mostly of its kind.
    private mutating func drawn(_ spec: AttributeSpec, like old: Attribute?) -> Attribute? {
        let kinds: [AttributeSpec.Kind] = [.int, .ints, .float, .floats, .string, .strings, .tensor]
        let kind = random.chance(95) ? spec.kind : kinds.randomElement(using: &random) ?? spec.kind
        switch kind {
        case .int: return .int(integer())
        case .float: return .float(Float(real()))
        case .string: return .string(text())
        case .ints:
            if case .ints(var values)? = old, !values.isEmpty, random.chance(60) {
                values[random.below(values.count)] = integer()
                return .ints(values)
            }
            return .ints((0..<random.below(7)).map { _ in integer() })
        case .floats:
            if case .floats(var values)? = old, !values.isEmpty, random.chance(60) {
                values[random.below(values.count)] = Float(real())
                return .floats(values)
            }
            return .floats((0..<random.below(7)).map { _ in Float(real()) })
        case .strings: return .strings((0..<random.below(5)).map { _ in text() })
        case .tensor:
            if case .tensor(let value)? = old, random.chance(60) { return .tensor(damaged(value)) }
            return .tensor(tensor(DataType.allCases.randomElement(using: &random) ?? .float, shape()))
        default: return old
        }
    }

    // MARK: From the schema

    private mutating func drawn(_ schema: Schema, _ examples: [Example]) -> TestNode {
        var node = TestNode(schema.name, [], [], name: "node", domain: schema.domain)
        var types: [String: DataType] = [:]
        let common = shape()
        for (index, parameter) in schema.inputs.enumerated() {
            let count = parameter.kind == .variadic ? random.below(4) : 1
            for copy in 0..<count {
                if parameter.kind == .optional, random.chance(40) {
                    node.inputs.append("")
                    continue
                }
                let usual = parameter.types.types.contains(.float) ? DataType.float : nil
                let drawn = (random.chance(40) ? usual : nil) ?? parameter.types.types.randomElement(using: &random)
                var type = types[parameter.variable] ?? drawn ?? .float
                types[parameter.variable] = type
                if random.chance(4) { type = DataType.allCases.randomElement(using: &random) ?? type }
                var name = add(tensor(type, random.chance(50) ? common : shape()), 10 * index + copy)
                // Operators of sequences and maps take no tensor.
                if random.chance(
                    ["Sequence", "Optional", "Map", "Dict"].contains { schema.name.contains($0) } ? 60 : 4)
                {
                    name = wrapped(name)
                }
                node.inputs.append(name)
            }
        }
        let outputs = schema.outputs.last?.kind == .variadic ? random.below(4) : schema.outputs.count
        node.outputs = (0..<outputs).map { random.chance(90) || $0 == 0 ? "out\($0)" : "" }
        let known = examples.randomElement(using: &random)?.attributes ?? [:]
        for spec in schema.attributes where spec.isRequired || random.chance(40) {
            if spec.kind == .graph {
                node.attributes.append((spec.name, .graph(body(node, outputs))))
            } else if let old = known[spec.name], random.chance(60), let value = test(old) {
                node.attributes.append((spec.name, value))
            } else if let value = drawn(spec, like: known[spec.name]).flatMap(test) {
                node.attributes.append((spec.name, value))
            }
        }
        return node
    }

    /// A graph that may fit the node, or not.
    private mutating func body(_ node: TestNode, _ outputs: Int) -> TestGraph {
        let isBranch = node.type == "If"
        let inputs = isBranch ? 0 : max(0, node.inputs.count + random.below(3) - (random.chance(70) ? 1 : 2))
        var body = TestGraph(nodes: [])
        body.inputs = (0..<inputs).map { TestValue("b\($0)", nil, type: $0 == 1 && node.type == "Loop" ? 9 : 1) }
        let makers = ["Identity", "Neg", "Abs", "ReduceSum", "Shape", "NonZero", "Not"]
        let count = node.type == "Loop" ? outputs + 1 : outputs + (random.chance(10) ? 1 : 0)
        for index in 0..<count {
            let outer = node.inputs.first { !$0.isEmpty } ?? "in0"
            let source = body.inputs.isEmpty || random.chance(15) ? outer : "b\(random.below(inputs))"
            let first = node.type == "Loop" && index == 0 && inputs > 1
            let maker = first ? (random.chance(50) ? "Identity" : "Not") : makers.randomElement(using: &random) ?? "Neg"
            body.nodes.append(TestNode(maker, [first ? "b1" : source], ["o\(index)"], name: "body\(index)"))
            body.outputs.append(TestValue("o\(index)", nil))
        }
        return body
    }
}
