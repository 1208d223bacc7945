import SardonyxGraph

/// y[…, i, …] = x[…, i or 0 where x's extent is 1, …]: x broadcast against `shape`, as numpy does.
///
/// y has x's own extent where `shape` has 1 or no axis.
///
/// <https://onnx.ai/onnx/operators/onnx__Expand.html>
enum Expand: Operator {
    static let schema = Schema(
        "Expand", versions: [8, 13],
        inputs: [Parameter("input", "T", .movable), Parameter("shape", "tensor(int64)", [.int64])],
        outputs: [Parameter("output", "T", .movable)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard let shape = context.shape(0), let wanted = context.elements(1) else {
            let rank = context.shape(1)?.first?.value.flatMap { count in context.rank(0).map { max($0, count) } }
            return context.set(0, type, context.unknownShape(rank))
        }
        for case .fixed(let extent) in wanted where extent < 0 {
            throw SardonyxError(.invalidModel, "shape \(wanted.text) has a negative extent")
        }
        let result = try broadcast(shape, wanted)
        context.set(0, type, result)
        if result.count == 1, let count = result[0].value, count <= 64, let elements = context.elements(0) {
            context.outputElements[0] =
                elements.count == 1 ? SymbolicShape(repeating: elements[0], count: count) : elements
        }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let output = try context.output(0)
        var kernel = try StridedCopy(
            shape: output.shape, from: input.shape.broadcastStrides(to: output.shape),
            elementSize: input.dataType.byteCount
        ).kernel(inputCount: input.elementCount)
        kernel.absorbedInputs = [1]
        return kernel
    }

    static let derivative: Derivative? = Derivative { d in
        try d.setSummed(0) { try d.dy() }
    }

    static let examples = [
        Example(
            "a column over two columns",
            inputs: [Tensor(shape: [2, 1], scalars: [1, 2] as [Float]), Tensor(integers: [2, 1, 2])],
            outputs: [Tensor(shape: [2, 2, 2], scalars: [1, 1, 2, 2, 1, 1, 2, 2] as [Float])])
    ]
}
