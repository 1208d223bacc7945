import Glibc
import SardonyxGraph

/// y[t, b, …] = x[lens[b] − 1 − t, b, …] where t < lens[b], else x[t, b, …].
///
/// `time_axis` and `batch_axis` are 0 and 1, in either order.
///
/// <https://onnx.ai/onnx/operators/onnx__ReverseSequence.html>
enum ReverseSequence: Operator {
    static let schema = Schema(
        "ReverseSequence", versions: [10, 28],
        inputs: [Parameter("input", "T", .movable), Parameter("sequence_lens", "tensor(int64)", [.int64])],
        outputs: [Parameter("Y", "T", .movable)],
        attributes: [AttributeSpec("batch_axis", .int), AttributeSpec("time_axis", .int)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        let axes = [context.node.int("time_axis", default: 0), context.node.int("batch_axis", default: 1)]
        guard axes == [0, 1] || axes == [1, 0] else {
            throw SardonyxError(.invalidModel, "time_axis and batch_axis are \(axes); they must be 0 and 1, or 1 and 0")
        }
        try context.requireRank(0, 2...Int.max, "input")
        try context.requireRank(1, 1...1, "sequence_lens")
        if let shape = context.shape(0), let lengths = context.shape(1) {
            _ = try shape[axes[1]].agreeing(with: lengths[0], "input and sequence_lens must have the same batch")
        }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let timeFirst = context.node.int("time_axis", default: 0) == 0
        let (times, batches) = timeFirst ? (input.shape[0], input.shape[1]) : (input.shape[1], input.shape[0])
        let row = input.shape[2...].reduce(1, *) * input.dataType.byteCount
        let (timeStride, batchStride) = timeFirst ? (batches * row, row) : (row, times * row)
        return Kernel { frame in
            let x = frame.input(0, as: UInt8.self)
            let lengths = frame.input(1, as: Int64.self)
            let y = frame.output(0, as: UInt8.self)
            for b in 0..<batches {
                let length = Int(lengths[b])
                guard length >= 0, length <= times else {
                    throw SardonyxError(
                        .invalidValue, "sequence_lens holds \(length); a sequence has \(times) elements at most")
                }
                for t in 0..<times {
                    let from = t < length ? length - 1 - t : t
                    memcpy(y + t * timeStride + b * batchStride, x + from * timeStride + b * batchStride, row)
                }
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        try d.set(0) { try d.dy().apply("ReverseSequence", d.x(1), with: d.node.attributes) }
    }

    static let examples = [
        Example(
            "columns are sequences",
            inputs: [Tensor(shape: [3, 2], scalars: [1, 4, 2, 5, 3, 6] as [Float]), Tensor(integers: [3, 2])],
            outputs: [Tensor(shape: [3, 2], scalars: [3, 5, 2, 4, 1, 6] as [Float])])
    ]
}
