import Glibc
import SardonyxGraph

/// y = x, but y[i…, indices[i…, j, k…], k…] = updates[i…, j, k…] (or its sum … with what is there), j along `axis`.
///
/// Updates apply in row-major order: where two meet and there is no reduction, the last one stays.
///
/// <https://onnx.ai/onnx/operators/onnx__ScatterElements.html>
enum ScatterElements: Operator {
    static let schema = Schema(
        "ScatterElements", versions: [11, 13, 16, 18],
        inputs: [
            Parameter("data", "T", .movable), Parameter("indices", "Tind", .indices),
            Parameter("updates", "T", .movable),
        ],
        outputs: [Parameter("output", "T", .movable)],
        attributes: [AttributeSpec("reduction", .string), AttributeSpec("axis", .int)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        try ScatterReduction(context.node).check(context.dataType(0))
        try context.requireRank(0, 1...Int.max, "data")
        if let rank = context.rank(0) {
            let axis = try context.axis(context.node.int("axis", default: 0), rank: rank)
            try context.requireIndices(1, within: 0, axis: axis)
        }
        if let indices = context.shape(1), let updates = context.shape(2) {
            guard indices.count == updates.count else {
                throw SardonyxError(.invalidModel, "indices \(indices.text) and updates \(updates.text) must be alike")
            }
            for (a, b) in zip(indices, updates) { _ = try a.agreeing(with: b, "indices and updates must be alike") }
        }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let indices = try context.input(1)
        let axis = try normalizedAxis(context.node.int("axis", default: 0), rank: input.shape.count)
        var kernel = try ScatterReduction(context.node).visit(
            input.dataType,
            Update(
                lookup: AxisLookup(data: input.shape, indices: indices.shape, axis: axis),
                indices: indices.dataType, count: input.elementCount))
        kernel.inPlace = [0: [0]]
        return kernel
    }

    private struct Update: ScatterVisitor {
        let lookup: AxisLookup
        let indices: DataType
        let count: Int

        func visit<T: BitwiseCopyable & Sendable>(
            _ type: T.Type, _ combine: @escaping @Sendable (T, T) -> T
        ) throws -> Kernel {
            let count = count
            let update: @Sendable (Frame) throws -> Void =
                indices == .int32 ? updater(Int32.self, combine) : updater(Int64.self, combine)
            return Kernel { frame in
                let x = frame.input(0, as: T.self)
                let y = frame.output(0, as: T.self)
                if x != UnsafePointer(y) { memcpy(y, x, count * MemoryLayout<T>.stride) }
                try update(frame)
            }
        }

        private func updater<I: IndexElement, T: BitwiseCopyable & Sendable>(
            _: I.Type, _ combine: @escaping @Sendable (T, T) -> T
        ) -> @Sendable (Frame) throws -> Void {
            let lookup = lookup
            return { frame in
                let indices = frame.input(1, as: I.self)
                let updates = frame.input(2, as: T.self)
                let y = frame.output(0, as: T.self)
                for row in 0..<lookup.rows {
                    let base = lookup.base(row)
                    let start = row * lookup.run
                    for j in 0..<lookup.run {
                        let index = try checkedIndex(Int(indices[start + j]), lookup.extent)
                        let place = base + j * lookup.runStride + index * lookup.axisStride
                        y[place] = combine(y[place], updates[start + j])
                    }
                }
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        let indices = try d.x(1)
        let axis = Attribute.int(Int64(d.node.int("axis", default: 0)))
        try ScatterReduction(d.node).setGradients(
            d,
            scatter: {
                try $0.apply("ScatterElements", indices, $1, with: ["axis": axis, "reduction": .string($2.rawValue)])
            }, gather: { try $0.apply("GatherElements", indices, with: ["axis": axis]) })
    }

    static let examples = [
        Example(
            "along the columns", attributes: ["axis": .int(1)],
            inputs: [
                Tensor(shape: [1, 5], scalars: [1, 2, 3, 4, 5] as [Float]),
                Tensor(shape: [1, 2], scalars: [1, -2] as [Int64]),
                Tensor(shape: [1, 2], scalars: [1.5, 2.5] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 5], scalars: [1, 1.5, 3, 2.5, 5] as [Float])]),
        Example(
            "sums", attributes: ["reduction": .string("add")],
            inputs: [
                Tensor(shape: [3], scalars: [1, 2, 3] as [Int32]), Tensor(shape: [2], scalars: [1, 1] as [Int32]),
                Tensor(shape: [2], scalars: [10, 20] as [Int32]),
            ],
            outputs: [Tensor(shape: [3], scalars: [1, 32, 3] as [Int32])]),
    ]
}
