import Glibc
import SardonyxGraph

/// y = x, but y[indices[i…, 0], …, indices[i…, k − 1], s…] = updates[i…, s…] (or its sum … with what is there).
///
/// Updates apply in row-major order: where two meet and there is no reduction, the last one stays.
///
/// <https://onnx.ai/onnx/operators/onnx__ScatterND.html>
enum ScatterND: Operator {
    static let schema = Schema(
        "ScatterND", versions: [11, 13, 16, 18],
        inputs: [
            Parameter("data", "T", .movable), Parameter("indices", "tensor(int64)", [.int64]),
            Parameter("updates", "T", .movable),
        ],
        outputs: [Parameter("output", "T", .movable)],
        attributes: [AttributeSpec("reduction", .string)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        try ScatterReduction(context.node).check(context.dataType(0))
        let width = try context.tupleWidth(1, data: 0)
        if let shape = context.shape(0), let indices = context.shape(1), let width, let updates = context.shape(2) {
            let expected = indices.dropLast() + shape[width...]
            guard expected.count == updates.count else {
                throw SardonyxError(
                    .invalidModel, "updates \(updates.text) must have the shape \(SymbolicShape(expected).text)")
            }
            for (a, b) in zip(expected, updates) {
                _ = try a.agreeing(
                    with: b, "updates \(updates.text) must have the shape \(SymbolicShape(expected).text)")
            }
        }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let lookup = TupleLookup(data: input.shape, indices: try context.input(1).shape)
        let reduction = try ScatterReduction(context.node)
        var kernel =
            reduction == .none
            ? overwriting(lookup, elementSize: input.dataType.byteCount, count: input.elementCount)
            : try reduction.visit(input.dataType, Update(lookup: lookup, count: input.elementCount))
        kernel.inPlace = [0: [0]]
        return kernel
    }

    private static func overwriting(_ lookup: TupleLookup, elementSize size: Int, count: Int) -> Kernel {
        Kernel { frame in
            let x = frame.input(0, as: UInt8.self)
            let indices = frame.input(1, as: Int64.self)
            var updates = frame.input(2, as: UInt8.self)
            let y = frame.output(0, as: UInt8.self)
            if x != UnsafePointer(y) { memcpy(y, x, count * size) }
            for tuple in 0..<lookup.tuples {
                let place = try lookup.place(indices, 0, tuple)
                memcpy(y + place * size, updates, lookup.slice * size)
                updates += lookup.slice * size
            }
        }
    }

    private struct Update: ScatterVisitor {
        let lookup: TupleLookup
        let count: Int

        func visit<T: BitwiseCopyable & Sendable>(
            _ type: T.Type, _ combine: @escaping @Sendable (T, T) -> T
        ) throws -> Kernel {
            let (lookup, count) = (lookup, count)
            return Kernel { frame in
                let x = frame.input(0, as: T.self)
                let indices = frame.input(1, as: Int64.self)
                var updates = frame.input(2, as: T.self)
                let y = frame.output(0, as: T.self)
                if x != UnsafePointer(y) { memcpy(y, x, count * MemoryLayout<T>.stride) }
                for tuple in 0..<lookup.tuples {
                    let slice = y + (try lookup.place(indices, 0, tuple))
                    for i in 0..<lookup.slice { slice[i] = combine(slice[i], updates[i]) }
                    updates += lookup.slice
                }
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        let indices = try d.x(1)
        try ScatterReduction(d.node).setGradients(
            d, scatter: { try $0.apply("ScatterND", indices, $1, with: ["reduction": .string($2.rawValue)]) },
            gather: { try $0.apply("GatherND", indices) })
    }

    static let examples = [
        Example(
            "single elements",
            inputs: [
                Tensor(shape: [4], scalars: [1, 2, 3, 4] as [Float]),
                Tensor(shape: [2, 1], scalars: [3, 1] as [Int64]),
                Tensor(shape: [2], scalars: [9, 10] as [Float]),
            ],
            outputs: [Tensor(shape: [4], scalars: [1, 10, 3, 9] as [Float])]),
        Example(
            "rows, the larger stays", attributes: ["reduction": .string("max")],
            inputs: [
                Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float]),
                Tensor(shape: [1, 1], scalars: [-1] as [Int64]),
                Tensor(shape: [1, 2], scalars: [9, 0] as [Float]),
            ],
            outputs: [Tensor(shape: [2, 2], scalars: [1, 2, 9, 4] as [Float])]),
    ]
}
