import SardonyxGraph

/// y is x with axes of extent 1 at the places `axes` of y.
///
/// <https://onnx.ai/onnx/operators/onnx__Unsqueeze.html>
enum Unsqueeze: Operator {
    static let schema = Schema(
        "Unsqueeze", versions: [1, 11, 13, 21, 23, 24, 25],
        inputs: [Parameter("data", "T", .all), Parameter("axes", "tensor(int64)", [.int64])],
        outputs: [Parameter("expanded", "T", .all)])

    static let execution = Execution.movesElements

    /// Through opset 12 the axes are an attribute.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        if opset < 13 { lifting.moveToInput("axes", of: &node, at: 1) }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard let shape = context.shape(0) else { return context.set(0, type, nil) }
        guard let axes = context.knownIntegers(1) else {
            let count = context.shape(1)?.first?.value ?? (context.rank(1) == 0 ? 1 : nil)
            return context.set(0, type, context.unknownShape(count.map { shape.count + min($0, 64) }))
        }
        let rank = shape.count + axes.count
        let added = try Set(normalizedAxes(axes, rank: rank))
        var rest = shape[...]
        context.set(0, type, (0..<rank).map { added.contains($0) ? .fixed(1) : rest.removeFirst() })
        if rank <= 1 { context.outputElements[0] = context.elements(0) }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        var kernel = Kernel.view
        kernel.absorbedInputs = [1]
        return kernel
    }

    static let derivative: Derivative? = .unary { x, _, dy in try dy.reshaped(like: x) }

    static let examples = [
        Example(
            "before and after",
            inputs: [Tensor(shape: [2], scalars: [1, 2] as [Float]), Tensor(integers: [0, -1])],
            outputs: [Tensor(shape: [1, 2, 1], scalars: [1, 2] as [Float])])
    ]
}
