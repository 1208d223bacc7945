import Glibc
import SardonyxGraph

/// y = past_cache, but y[b, p…, write_indices[b] + s, …] = update[b, p…, s, …], with s along `axis`.
///
/// In mode `circular` the place on the axis is taken modulo its extent. Without write indices they are 0.
///
/// <https://onnx.ai/onnx/operators/onnx__TensorScatter.html>
enum TensorScatter: Operator {
    static let schema = Schema(
        "TensorScatter", versions: [24],
        inputs: [
            Parameter("past_cache", "T", .all), Parameter("update", "T", .all),
            Parameter("write_indices", "tensor(int64)", [.int64], .optional),
        ],
        outputs: [Parameter("present_cache", "T", .all)],
        attributes: [AttributeSpec("mode", .string), AttributeSpec("axis", .int)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        let mode = context.node.string("mode", default: "linear")
        guard mode == "linear" || mode == "circular" else {
            throw SardonyxError(.invalidModel, "mode is '\(mode)'; it must be linear or circular")
        }
        try context.requireRank(0, 2...Int.max, "past_cache")
        try context.requireRank(2, 1...1, "write_indices")
        guard let shape = context.shape(0) else { return }
        let axis = try axis(context.node, rank: shape.count)
        if let update = context.shape(1) {
            guard update.count == shape.count else {
                throw SardonyxError(
                    .invalidModel, "update must have \(shape.count) axes as past_cache; it has \(update.count)")
            }
            for other in shape.indices where other != axis {
                _ = try shape[other].agreeing(with: update[other], "past_cache and update differ on axis \(other)")
            }
            if let length = update[axis].value, let limit = shape[axis].value, length > limit {
                throw SardonyxError(
                    .invalidModel, "update has \(length) elements along axis \(axis); past_cache has \(limit)")
            }
        }
        if let count = context.shape(2)?.first {
            _ = try count.agreeing(with: shape[0], "write_indices must have one element for each batch")
        }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let update = try context.input(1)
        let axis = try axis(context.node, rank: input.shape.count)
        let rowsInBatch = input.shape[1..<axis].reduce(1, *)
        let batches = input.shape[0]
        let (limit, length) = (input.shape[axis], update.shape[axis])
        let slice = input.shape[(axis + 1)...].reduce(1, *) * input.dataType.byteCount
        let byteCount = input.byteCount
        let isCircular = context.node.string("mode", default: "linear") == "circular"
        let hasIndices = context.has(2)
        var kernel = Kernel { frame in
            let x = frame.input(0, as: UInt8.self)
            let update = frame.input(1, as: UInt8.self)
            let y = frame.output(0, as: UInt8.self)
            if x != UnsafePointer(y) { memcpy(y, x, byteCount) }
            if length == 0 { return }
            for batch in 0..<batches {
                var start = hasIndices ? Int(frame.input(2, as: Int64.self)[batch]) : 0
                if isCircular { start = (start % limit + limit) % limit }
                guard start >= 0, isCircular || start <= limit - length else {
                    throw SardonyxError(
                        .invalidValue,
                        "write index \(start) and \(length) elements do not fit into a cache of \(limit)")
                }
                // What does not fit before the end goes on at the beginning.
                let first = min(length, limit - start)
                for row in batch * rowsInBatch..<(batch + 1) * rowsInBatch {
                    let from = update + row * length * slice
                    let to = y + row * limit * slice
                    memcpy(to + start * slice, from, first * slice)
                    memcpy(to, from + first * slice, (length - first) * slice)
                }
            }
        }
        kernel.inPlace = [0: [0]]
        return kernel
    }

    private static func axis(_ node: Node, rank: Int) throws -> Int {
        let axis = try normalizedAxis(node.int("axis", default: -2), rank: rank)
        if axis == 0 { throw SardonyxError(.invalidModel, "axis must not be 0, the batch") }
        return axis
    }

    static let derivative: Derivative? = Derivative { d in
        let (cache, update, dy) = (try d.x(0), try d.x(1), try d.dy())
        func written(_ cache: Term, _ update: Term) throws -> Term {
            try cache.apply("TensorScatter", update, d.optionalInput(2), with: d.node.attributes)
        }
        try d.set(0) { try written(dy, update.zeros()) }
        try d.set(1) {
            // Updates' numbers tell where they went; 0 stands for the cache.
            let numbers = try (update.apply("Size").indices() + update.scalar(1)).reshaped(like: update)
            let places = try written(numbers.filled(0, cache.extents()), numbers) - update.scalar(1)
            return try dy.scattered(to: places, like: update, leavesGaps: true)
        }
    }

    static let examples = [
        Example(
            "a row for each batch",
            inputs: [
                Tensor(shape: [2, 2, 1], scalars: [1, 2, 3, 4] as [Float]),
                Tensor(shape: [2, 1, 1], scalars: [9, 8] as [Float]),
                Tensor(integers: [1, 0]),
            ],
            outputs: [Tensor(shape: [2, 2, 1], scalars: [1, 9, 8, 4] as [Float])]),
        Example(
            "around the end", attributes: ["mode": .string("circular"), "axis": .int(1)],
            inputs: [
                Tensor(shape: [1, 3], scalars: [1, 2, 3] as [Float]),
                Tensor(shape: [1, 2], scalars: [8, 9] as [Float]),
                Tensor(integers: [2]),
            ],
            outputs: [Tensor(shape: [1, 3], scalars: [9, 2, 8] as [Float])]),
    ]
}
