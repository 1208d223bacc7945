import SardonyxCompiler
import SardonyxGraph

extension Plan {
    /// 16 hexadecimal digits that tell plans apart by what their bits depend on, beside constants and the instruction set: the
    /// steps with their operators, attributes, algorithms, operands, shapes and layouts. FNV-1a of their text.
    package var hash: String {
        var state: UInt64 = 0xCBF2_9CE4_8422_2325
        for step in steps {
            for byte in (Self.text(step) + "\n").utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        let digits = String(state, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func text(_ step: Step) -> String {
        let node = step.node
        var words = [node.qualifiedType]
        if case .kernel(let kernel) = step.work { words.append(kernel.algorithm) } else { words.append("dynamic") }
        for (name, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
            words.append("\(name)=\(text(attribute))")
        }
        for (ids, specs) in [(node.inputs, step.inputSpecs), (node.outputs, step.outputSpecs)] {
            words += zip(ids, specs).map { id, spec in
                "\(id.map { "\($0.index)" } ?? "-"):\(spec.map { "\($0.text) \($0.layout)" } ?? "?")"
            }
        }
        return words.joined(separator: " ")
    }

    /// Numbers and texts; of tensors and graphs, whose steps are plans of their own, that there are some.
    private static func text(_ attribute: Attribute) -> String {
        switch attribute {
        case .float(let value): "\(value.bitPattern)"
        case .int(let value): "\(value)"
        case .string(let value): value
        case .floats(let values): "\(values.map(\.bitPattern))"
        case .ints(let values): "\(values)"
        case .strings(let values): "\(values)"
        case .type(let type): type.text
        case .tensor, .graph, .tensors, .graphs: attribute.kind
        }
    }
}
