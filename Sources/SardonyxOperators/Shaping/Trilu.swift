import Glibc
import SardonyxGraph

/// y[…, i, j] = x[…, i, j] where j − i >= k (or <= k, when not `upper`), else 0.
///
/// <https://onnx.ai/onnx/operators/onnx__Trilu.html>
enum Trilu: Operator {
    static let schema = Schema(
        "Trilu", versions: [14],
        inputs: [Parameter("input", "T", .movable), Parameter("k", "tensor(int64)", [.int64], .optional)],
        outputs: [Parameter("output", "T", .movable)],
        attributes: [AttributeSpec("upper", .int)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        try context.requireRank(0, 2...Int.max, "input")
        if let count = context.shape(1)?.fixed?.elementCount, count != 1 {
            throw SardonyxError(.invalidModel, "k must be one number; it has the shape \(context.shape(1)!.text)")
        }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let (rows, columns) = (input.shape[input.shape.count - 2], input.shape[input.shape.count - 1])
        let matrices = input.shape.dropLast(2).reduce(1, *)
        let size = input.dataType.byteCount
        let upper = context.node.flag("upper", default: true)
        let hasDiagonal = context.has(1)
        var kernel = Kernel { frame in
            let x = frame.input(0, as: UInt8.self)
            let y = frame.output(0, as: UInt8.self)
            let k = hasDiagonal ? Int(frame.input(1, as: Int64.self).pointee) : 0
            // Beyond the corners every diagonal gives the same; this keeps the sum below from overflowing.
            let diagonal = min(max(k, -rows - 1), columns + 1)
            for row in 0..<matrices * rows {
                // Where the diagonal, or the place after it, cuts the row.
                let cut = min(max(row % rows + diagonal + (upper ? 0 : 1), 0), columns)
                let kept = upper ? cut..<columns : 0..<cut
                let zeroed = upper ? 0..<cut : cut..<columns
                let start = row * columns
                memmove(y + (start + kept.lowerBound) * size, x + (start + kept.lowerBound) * size, kept.count * size)
                memset(y + (start + zeroed.lowerBound) * size, 0, zeroed.count * size)
            }
        }
        kernel.inPlace = [0: [0]]
        return kernel
    }

    static let derivative: Derivative? = Derivative { d in
        try d.set(0) { try d.dy().apply("Trilu", d.optionalInput(1), with: d.node.attributes) }
    }

    static let examples = [
        Example(
            "above the diagonal",
            inputs: [Tensor(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6] as [Float]), Tensor(Int64(1))],
            outputs: [Tensor(shape: [2, 3], scalars: [0, 2, 3, 0, 0, 6] as [Float])]),
        Example(
            "the lower triangle", attributes: ["upper": .int(0)],
            inputs: [Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Int64])],
            outputs: [Tensor(shape: [2, 2], scalars: [1, 0, 3, 4] as [Int64])]),
    ]
}
