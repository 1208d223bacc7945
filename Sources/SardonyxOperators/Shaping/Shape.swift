import SardonyxGraph

/// y = the extents of x's axes `start` ..< `end`, as int64.
///
/// Both ends may count from the last axis, and are clamped to the axes that there are.
///
/// <https://onnx.ai/onnx/operators/onnx__Shape.html>
enum Shape: Operator {
    static let schema = Schema(
        "Shape", versions: [1, 13, 15, 19, 21, 23, 24, 25],
        inputs: [Parameter("data", "T", .all)],
        outputs: [Parameter("shape", "T1", [.int64])],
        attributes: [AttributeSpec("end", .int), AttributeSpec("start", .int)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        guard let shape = context.shape(0) else { return context.set(0, .int64, [.unknown]) }
        let extents = Array(shape[range(context.node, rank: shape.count)])
        context.set(0, .int64, [.fixed(extents.count)])
        context.outputElements[0] = extents
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let shape = try context.input(0).shape
        let extents = shape[range(context.node, rank: shape.count)].map(Int64.init)
        var kernel = Kernel { frame in
            let y = frame.output(0, as: Int64.self)
            for i in extents.indices { y[i] = extents[i] }
        }
        kernel.absorbedInputs = [0]
        return kernel
    }

    private static func range(_ node: Node, rank: Int) -> Range<Int> {
        func clamp(_ axis: Int) -> Int { min(max(axis < 0 ? axis + rank : axis, 0), rank) }
        let start = clamp(node.int("start", default: 0))
        return start..<max(start, clamp(node.int("end", default: rank)))
    }

    static let examples = [
        Example(
            "all axes", inputs: [Tensor(shape: [2, 1, 3], scalars: [0, 0, 0, 0, 0, 0] as [Float])],
            outputs: [Tensor(integers: [2, 1, 3])]),
        Example(
            "the last two axes", attributes: ["start": .int(-2)],
            inputs: [Tensor(shape: [2, 1, 3], scalars: [0, 0, 0, 0, 0, 0] as [Float])],
            outputs: [Tensor(integers: [1, 3])]),
    ]
}
