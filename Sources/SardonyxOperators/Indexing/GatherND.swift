import Glibc
import SardonyxGraph

/// y[b…, i…, s…] = x[b…, indices[b…, i…, 0], …, indices[b…, i…, k − 1], s…], with `batch_dims` axes b.
///
/// Indices may count from their axis's end.
///
/// <https://onnx.ai/onnx/operators/onnx__GatherND.html>
enum GatherND: Operator {
    static let schema = Schema(
        "GatherND", versions: [11, 12, 13],
        inputs: [Parameter("data", "T", .movable), Parameter("indices", "tensor(int64)", [.int64])],
        outputs: [Parameter("output", "T", .movable)],
        attributes: [AttributeSpec("batch_dims", .int)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        let batchAxes = context.node.int("batch_dims", default: 0)
        guard (0...64).contains(batchAxes) else {
            throw SardonyxError(.invalidModel, "batch_dims is \(batchAxes); it must be a number of axes")
        }
        let width = try context.tupleWidth(1, data: 0, batchAxes: batchAxes)
        guard let shape = context.shape(0), let indices = context.shape(1), let width else {
            return context.set(0, type, nil)
        }
        var result: SymbolicShape = []
        for axis in 0..<batchAxes {
            result.append(try shape[axis].agreeing(with: indices[axis], "batch axis \(axis) of data and indices"))
        }
        context.set(0, type, result + indices[batchAxes..<(indices.count - 1)] + shape[(batchAxes + width)...])
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let lookup = TupleLookup(
            data: input.shape, indices: try context.input(1).shape,
            batchAxes: context.node.int("batch_dims", default: 0))
        let size = input.dataType.byteCount
        return Kernel { frame in
            let x = frame.input(0, as: UInt8.self)
            let indices = frame.input(1, as: Int64.self)
            var y = frame.output(0, as: UInt8.self)
            for batch in 0..<lookup.batches {
                for tuple in 0..<lookup.tuples {
                    let place = try lookup.place(indices, batch, tuple)
                    memcpy(y, x + place * size, lookup.slice * size)
                    y += lookup.slice * size
                }
            }
        }
    }

    static let derivative: Derivative? = .movement

    static let examples = [
        Example(
            "single elements",
            inputs: [
                Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float]),
                Tensor(shape: [2, 2], scalars: [0, 0, 1, -1] as [Int64]),
            ],
            outputs: [Tensor(shape: [2], scalars: [1, 4] as [Float])]),
        Example(
            "a row of each batch", attributes: ["batch_dims": .int(1)],
            inputs: [
                Tensor(shape: [2, 2, 2], scalars: [0, 1, 2, 3, 4, 5, 6, 7] as [Int32]),
                Tensor(shape: [2, 1], scalars: [1, 0] as [Int64]),
            ],
            outputs: [Tensor(shape: [2, 2], scalars: [2, 3, 4, 5] as [Int32])]),
    ]
}
