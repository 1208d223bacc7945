import SardonyxGraph

/// w[n] = a₀ - a₁ · cos(2πn / N) + a₂ · cos(4πn / N) for 0 ≤ n < size, with N = size when periodic, else size - 1.
protocol CosineWindow: Operator {
    static var name: String { get }
    static var coefficients: (a0: Double, a1: Double, a2: Double) { get }
}

extension CosineWindow {
    static var windowSchema: Schema {
        Schema(
            name, versions: [17], inputs: [Parameter("size", "T1", .indices)],
            outputs: [Parameter("output", "T2", .numbers)],
            attributes: [AttributeSpec("periodic", .int), AttributeSpec("output_datatype", .int)])
    }

    static var execution: Execution { .dynamic }

    private static func outputType(_ node: Node) throws -> DataType {
        let type = try node.dataType("output_datatype") ?? .float
        guard TypeSet.numbers.contains(type) else {
            throw SardonyxError(.invalidModel, "'output_datatype' is \(type.name); a type of numbers is wanted")
        }
        return type
    }

    static func infer(_ context: inout InferenceContext) throws {
        try context.requireRank(0, 0...1, "size")
        let size = context.onlyElement(0)
        if let size = size.value, size < 0 { throw SardonyxError(.invalidModel, "the window's size is \(size)") }
        context.set(0, try outputType(context.node), [size])
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let sizes = try context.tensor(0)
        guard let size = sizes.integers?.first, sizes.count == 1, size >= 0 else {
            throw SardonyxError(.invalidValue, "the window's size is \(sizes.integers ?? []); one number is wanted")
        }
        let period = Double(context.node.flag("periodic", default: true) ? size : size - 1)
        let (a0, a1, a2) = coefficients
        var result = try context.environment.allocate(.double, [size])
        try result.withUnsafeMutableBytes { bytes in
            let target = bytes.bindMemory(to: Double.self)
            for n in 0..<size {
                let angle = 2 * Double.pi * Double(n) / period
                target[n] = a0 - a1 * Double.cos(angle) + a2 * Double.cos(2 * angle)
            }
        }
        return [.tensor(try result.converted(to: try outputType(context.node)))]
    }
}

extension InferenceContext {
    /// The extent that an integer input of one element gives.
    func onlyElement(_ input: Int) -> Dimension {
        guard let elements = elements(input), elements.count == 1 else { return .unknown }
        return elements[0]
    }
}
