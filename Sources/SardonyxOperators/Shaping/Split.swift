import SardonyxGraph

/// yₖ[…, i, …] = x[…, Σ split[0 ..< k] + i, …]: x cut into parts along `axis`.
///
/// `split` gives the parts' extents; without it, `num_outputs` parts are equally long and the last takes what is left.
///
/// <https://onnx.ai/onnx/operators/onnx__Split.html>
enum Split: Operator {
    static let schema = Schema(
        "Split", versions: [1, 2, 11, 13, 18],
        inputs: [Parameter("input", "T", .movable), Parameter("split", "tensor(int64)", [.int64], .optional)],
        outputs: [Parameter("outputs", "T", .movable, .variadic)],
        attributes: [AttributeSpec("num_outputs", .int), AttributeSpec("axis", .int)])

    static let execution = Execution.movesElements

    /// Through opset 12 the extents are an attribute; through opset 17 equal parts go without `num_outputs`. Opset 1
    /// may have the extents as an input of x's type.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        if opset < 2, node.inputs.count > 1, let split = node.inputs[1] {
            node.inputs[1] = lifting.insertBefore("Cast", [split], ["to": .int(7)], for: node)
            node.attributes["split"] = nil
        }
        if opset < 13 { lifting.moveToInput("split", of: &node, at: 1) }
        if opset < 18, node.inputs.count < 2 || node.inputs[1] == nil {
            node.attributes["num_outputs"] = .int(Int64(node.outputs.count))
        }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        let shape = context.shape(0)
        let count = context.outputs.count
        var parts: SymbolicShape?
        var axis = 0
        if let shape {
            axis = try context.axis(context.node.int("axis", default: 0), rank: shape.count)
            if context.has(1) {
                parts = try context.knownIntegers(1).map { try explicit($0, of: shape[axis], outputs: count) }
            } else {
                parts = try even(context.node, of: shape[axis], outputs: count)
            }
        }
        var begin = 0
        for index in 0..<count {
            let part = parts?[index] ?? .unknown
            context.set(
                index, type,
                shape.map { shape in
                    var shape = shape
                    shape[axis] = part
                    return shape
                })
            if shape?.count == 1, let end = part.value.map({ begin + $0 }) {
                if let elements = context.elements(0), end <= elements.count {
                    context.outputElements[index] = Array(elements[begin..<end])
                }
                begin = end
            }
        }
    }

    private static func explicit(_ parts: [Int], of extent: Dimension, outputs: Int) throws -> SymbolicShape {
        guard parts.count == outputs, parts.allSatisfy({ $0 >= 0 }) else {
            throw SardonyxError(.invalidModel, "split is \(parts); it must be \(outputs) extents, one for each output")
        }
        var sum = 0
        for part in parts {
            let (next, overflow) = sum.addingReportingOverflow(part)
            if overflow { throw SardonyxError(.invalidModel, "split is \(parts); its sum overflows") }
            sum = next
        }
        if let extent = extent.value, sum != extent {
            throw SardonyxError(.invalidModel, "split is \(parts), which is \(sum) in all; the axis has \(extent)")
        }
        return SymbolicShape(parts)
    }

    private static func even(_ node: Node, of extent: Dimension, outputs: Int) throws -> SymbolicShape {
        let wanted = node.int("num_outputs", default: outputs)
        guard wanted == outputs, wanted > 0 else {
            throw SardonyxError(.invalidModel, "num_outputs is \(wanted); the node has \(outputs) outputs")
        }
        let part = (extent + .fixed(wanted - 1)) / .fixed(wanted)
        let last = extent - part * .fixed(wanted - 1)
        if let last = last.value, last < 0 {
            throw SardonyxError(.invalidModel, "an axis of \(extent) cannot be split into \(wanted) parts")
        }
        return SymbolicShape(repeating: part, count: wanted - 1) + [wanted == 1 ? extent : last]
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        guard try context.input(0).canBlockChannels, context.outputs.allSatisfy({ $0?.canBlockChannels ?? true }) else {
            return []
        }
        var inputs = [TensorLayout](repeating: .plain, count: context.inputs.count)
        inputs[0] = .channelBlocks
        let outputs = [TensorLayout](repeating: .channelBlocks, count: context.outputs.count)
        return [LayoutOffer(inputs: inputs, outputs: outputs)]
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let axis = try normalizedAxis(context.node.int("axis", default: 0), rank: input.shape.count)
        let extent = Dimension.fixed(input.shape[axis])
        let count = context.outputs.count
        let parts =
            try context.integers(1).map { try explicit($0, of: extent, outputs: count) }
            ?? even(context.node, of: extent, outputs: count)
        let stored = input.storedShape
        let strides = stored.rowMajorStrides
        // What one of the stored extents holds of the axis.
        let unit = input.shape[axis] == stored[axis] ? 1 : TensorLayout.blockSize
        var copies: [StridedCopy?] = []
        var starts: [Int] = []
        var begin = 0
        for (index, part) in parts.enumerated() {
            let part = (part.value ?? 0) / unit
            if context.wants(index) {
                var shape = stored
                shape[axis] = part
                copies.append(
                    try StridedCopy(
                        shape: shape, from: strides, elementSize: input.dataType.byteCount,
                        sourceOffset: begin * strides[axis]))
            } else {
                copies.append(nil)
            }
            starts.append(begin * strides[axis])
            begin += part
        }
        if count == 1 {
            var kernel = Kernel.view
            kernel.absorbedInputs = [1]
            return kernel
        }
        var kernel = Kernel { [copies] frame in
            let x = frame.input(0, as: UInt8.self)
            for index in copies.indices {
                guard let y = frame.optionalOutput(index, as: UInt8.self) else { continue }
                copies[index]?.run(x, y, pool: frame.pool)
            }
        }
        kernel.absorbedInputs = [1]
        if input.dataType != .string, stored[..<axis].allSatisfy({ $0 == 1 }) {
            for (index, start) in starts.enumerated() where context.wants(index) {
                kernel.parts[index] = Kernel.Part(input: 0, byteOffset: start * input.dataType.byteCount)
            }
        }
        return kernel
    }

    static let derivative: Derivative? = Derivative { d in
        var parts = d.node.outputs
        if parts.contains(where: { $0 == nil }) {
            // The shapes of all parts are needed, also of those that nobody reads.
            parts = try d.builder.add("Split", d.node.inputs, d.node.attributes, outputs: parts.count)
        }
        let gradients = try parts.indices.compactMap { index in
            try d.gradient(index) ?? parts[index].map { try d.term($0).zeros() }
        }
        let axis = d.node.int("axis", default: 0)
        try d.set(0) { try gradients[0].joined(Array(gradients.dropFirst()), axis: axis) }
    }

    static let examples = [
        Example(
            "given extents", attributes: ["axis": .int(1)],
            inputs: [Tensor(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6] as [Float]), Tensor(integers: [1, 2])],
            outputs: [
                Tensor(shape: [2, 1], scalars: [1, 4] as [Float]),
                Tensor(shape: [2, 2], scalars: [2, 3, 5, 6] as [Float]),
            ]),
        Example(
            "the last part takes what is left", attributes: ["num_outputs": .int(2)],
            inputs: [Tensor(shape: [3], scalars: [1, 2, 3] as [Int32])],
            outputs: [Tensor(shape: [2], scalars: [1, 2] as [Int32]), Tensor(shape: [1], scalars: [3] as [Int32])]),
    ]
}
