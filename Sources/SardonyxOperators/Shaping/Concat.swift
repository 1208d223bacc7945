import SardonyxGraph

/// y[…, i, …] = the inputs one after the other along `axis`.
///
/// <https://onnx.ai/onnx/operators/onnx__Concat.html>
enum Concat: Operator {
    static let schema = Schema(
        "Concat", versions: [1, 4, 11, 13],
        inputs: [Parameter("inputs", "T", .movable, .variadic)],
        outputs: [Parameter("concat_result", "T", .movable)],
        attributes: [AttributeSpec("axis", .int, required: true)])

    static let execution = Execution.movesElements

    /// Through opset 3 the axis may be left out and is 1.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        if opset < 4, node.attributes["axis"] == nil { node.attributes["axis"] = .int(1) }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        let shapes = context.inputs.indices.map { context.shape($0) }
        guard let rank = shapes.compactMap({ $0?.count }).first else { return context.set(0, type, nil) }
        let axis = try context.axis(context.node.int("axis", default: 0), rank: rank)
        var result = SymbolicShape(repeating: .unknown, count: rank)
        var total = Dimension.fixed(0)
        for (index, shape) in shapes.enumerated() {
            guard let shape else {
                total = .unknown
                continue
            }
            guard shape.count == rank else {
                throw SardonyxError(
                    .invalidModel, "input \(index) has \(shape.count) axes and another one \(rank); they must agree")
            }
            for other in 0..<rank where other != axis {
                result[other] = try result[other].agreeing(
                    with: shape[other], "the inputs' extents along axis \(other) must be the same")
            }
            total = total + shape[axis]
        }
        result[axis] = total
        context.set(0, type, result)
        if rank == 1 { context.outputElements[0] = elements(context, shapes) }
    }

    /// The elements of joined vectors, unknown ones where only the number is known.
    private static func elements(_ context: InferenceContext, _ shapes: [SymbolicShape?]) -> SymbolicShape? {
        guard context.knownDataType(0)?.isInteger == true else { return nil }
        var result: SymbolicShape = []
        for (index, shape) in shapes.enumerated() {
            if let known = context.elements(index) {
                result += known
            } else if let count = shape?.first?.value, (0...64).contains(count) {
                result += SymbolicShape(repeating: .unknown, count: count)
            } else {
                return nil
            }
            if result.count > 64 { return nil }
        }
        return result.allSatisfy { $0 == .unknown } ? nil : result
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        try context.channelBlocks(inputs: Array(context.inputs.indices))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let output = try context.output(0)
        let axis = try normalizedAxis(context.node.int("axis", default: 0), rank: output.shape.count)
        let strides = output.storedShape.rowMajorStrides
        var copies: [StridedCopy] = []
        var position = 0
        var starts: [Int] = []
        for index in context.inputs.indices {
            let input = try context.input(index).storedShape
            copies.append(
                try StridedCopy(
                    shape: input, from: input.rowMajorStrides, to: strides,
                    elementSize: output.dataType.byteCount, targetOffset: position * strides[axis]))
            starts.append(position * strides[axis])
            position += input[axis]
        }
        if copies.count == 1 { return .view }
        var kernel = Kernel { [copies] frame in
            let y = frame.output(0, as: UInt8.self)
            for index in copies.indices {
                // Inputs that were made in their place are not given.
                guard let x = frame.optionalInput(index, as: UInt8.self) else { continue }
                copies[index].run(x, y, pool: frame.pool)
            }
        }
        if output.dataType != .string, output.storedShape[..<axis].allSatisfy({ $0 == 1 }) {
            for (index, start) in starts.enumerated() { kernel.places[index] = start * output.dataType.byteCount }
        }
        return kernel
    }

    static let derivative: Derivative? = Derivative { d in
        let axis = try normalizedAxis(d.node.int("axis", default: 0), rank: d.x().rank())
        let inputs = try d.node.inputs.indices.map { try d.x($0) }
        if inputs.count == 1 { return try d.set(0) { try d.dy() } }
        let extents = try inputs.map { try $0.extents(axis..<axis + 1) }
        let parts = try d.builder.add(
            "Split", [d.dy().id, extents[0].joined(Array(extents.dropFirst())).id], ["axis": .int(Int64(axis))],
            outputs: inputs.count)
        for (index, part) in parts.enumerated() { d.set(index) { d.term(part) } }
    }

    static let examples = [
        Example(
            "along the columns", attributes: ["axis": .int(1)],
            inputs: [
                Tensor(shape: [2, 1], scalars: [1, 4] as [Float]),
                Tensor(shape: [2, 2], scalars: [2, 3, 5, 6] as [Float]),
            ],
            outputs: [Tensor(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6] as [Float])])
    ]
}
