import SardonyxGraph

/// y[i…, j, k…] = x[i…, indices[i…, j, k…], k…], where j runs along `axis`.
///
/// Indices may count from the axis's end.
///
/// <https://onnx.ai/onnx/operators/onnx__GatherElements.html>
enum GatherElements: Operator {
    static let schema = Schema(
        "GatherElements", versions: [11, 13],
        inputs: [Parameter("data", "T", .movable), Parameter("indices", "Tind", .indices)],
        outputs: [Parameter("output", "T", .movable)],
        attributes: [AttributeSpec("axis", .int)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        try context.requireRank(0, 1...Int.max, "data")
        try context.requireRank(1, 1...Int.max, "indices")
        if let rank = context.rank(0) ?? context.rank(1) {
            let axis = try context.axis(context.node.int("axis", default: 0), rank: rank)
            try context.requireIndices(1, within: 0, axis: axis)
        }
        context.set(0, try context.dataType(0), context.shape(1) ?? context.unknownShape(context.rank(0)))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let indices = try context.input(1)
        let axis = try normalizedAxis(context.node.int("axis", default: 0), rank: input.shape.count)
        return try input.dataType.visitIndexed(
            by: indices.dataType, Picking(lookup: AxisLookup(data: input.shape, indices: indices.shape, axis: axis)))
    }

    private struct Picking: IndexedVisitor {
        let lookup: AxisLookup

        func visit<I: IndexElement, T: BitwiseCopyable & Sendable>(_: I.Type, _: T.Type) throws -> Kernel {
            let lookup = lookup
            return Kernel { frame in
                let x = frame.input(0, as: T.self)
                let indices = frame.input(1, as: I.self)
                let y = frame.output(0, as: T.self)
                for row in 0..<lookup.rows {
                    let base = lookup.base(row)
                    let start = row * lookup.run
                    for j in 0..<lookup.run {
                        let index = try checkedIndex(Int(indices[start + j]), lookup.extent)
                        y[start + j] = x[base + j * lookup.runStride + index * lookup.axisStride]
                    }
                }
            }
        }
    }

    static let derivative: Derivative? = .movement

    static let examples = [
        Example(
            "along the columns", attributes: ["axis": .int(1)],
            inputs: [
                Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float]),
                Tensor(shape: [2, 2], scalars: [0, 0, 1, -2] as [Int64]),
            ],
            outputs: [Tensor(shape: [2, 2], scalars: [1, 1, 4, 3] as [Float])]),
        Example(
            "along the rows",
            inputs: [
                Tensor(shape: [3, 2], scalars: [1, 2, 3, 4, 5, 6] as [Float]),
                Tensor(shape: [1, 2], scalars: [2, 1] as [Int32]),
            ],
            outputs: [Tensor(shape: [1, 2], scalars: [5, 4] as [Float])]),
    ]
}
