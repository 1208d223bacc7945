import SardonyxGraph

/// y[i₀, …, iₙ] = x[j₀, …, jₙ] where j[perm[k]] = i[k]: axis k of y is axis perm[k] of x.
///
/// Without `perm` the axes are reversed.
///
/// <https://onnx.ai/onnx/operators/onnx__Transpose.html>
enum Transpose: Operator {
    static let schema = Schema(
        "Transpose", versions: [1, 13, 21, 23, 24, 25],
        inputs: [Parameter("data", "T", .all)],
        outputs: [Parameter("transposed", "T", .all)],
        attributes: [AttributeSpec("perm", .ints)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard let shape = context.shape(0) else {
            return context.set(0, type, context.unknownShape(context.node.ints("perm")?.count))
        }
        let order = try permutation(context.node, rank: shape.count)
        context.set(0, type, order.map { shape[$0] })
        if shape.count <= 1 { context.outputElements[0] = context.elements(0) }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let order = try permutation(context.node, rank: input.shape.count)
        let strides = input.shape.rowMajorStrides
        return try StridedCopy(
            shape: order.map { input.shape[$0] }, from: order.map { strides[$0] }, elementSize: input.dataType.byteCount
        ).kernel(inputCount: input.elementCount)
    }

    private static func permutation(_ node: Node, rank: Int) throws -> [Int] {
        guard let order = node.ints("perm") else { return Array((0..<rank).reversed()) }
        guard order.count == rank else {
            throw SardonyxError(.invalidModel, "perm is \(order); it must name each of the \(rank) axes once")
        }
        return try normalizedAxes(order, rank: rank, "perm")
    }

    static let derivative: Derivative? = Derivative { d in
        let order = try permutation(d.node, rank: d.x().rank())
        let back = order.indices.map { axis in order.firstIndex(of: axis) ?? axis }
        try d.set(0) { try d.dy().transposed(back) }
    }

    static let examples = [
        Example(
            "a matrix", inputs: [Tensor(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6] as [Float])],
            outputs: [Tensor(shape: [3, 2], scalars: [1, 4, 2, 5, 3, 6] as [Float])]),
        Example(
            "channels last", attributes: ["perm": .ints([0, 2, 1])],
            inputs: [Tensor(shape: [1, 2, 3], scalars: [1, 2, 3, 4, 5, 6] as [UInt8])],
            outputs: [Tensor(shape: [1, 3, 2], scalars: [1, 4, 2, 5, 3, 6] as [UInt8])]),
    ]
}
