import SardonyxGraph

/// y is x without the axes `axes`, which have the extent 1; without `axes`, without all axes of extent 1.
///
/// <https://onnx.ai/onnx/operators/onnx__Squeeze.html>
enum Squeeze: Operator {
    static let schema = Schema(
        "Squeeze", versions: [1, 11, 13, 21, 23, 24, 25],
        inputs: [Parameter("data", "T", .all), Parameter("axes", "tensor(int64)", [.int64], .optional)],
        outputs: [Parameter("squeezed", "T", .all)])

    static let execution = Execution.movesElements

    /// Through opset 12 the axes are an attribute.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        if opset < 13 { lifting.moveToInput("axes", of: &node, at: 1) }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard let shape = context.shape(0) else { return context.set(0, type, nil) }
        var kept: SymbolicShape = []
        if context.has(1) {
            guard let axes = context.knownIntegers(1) else {
                let count = context.shape(1)?.first?.value ?? (context.rank(1) == 0 ? 1 : nil)
                return context.set(0, type, context.unknownShape(count.map { shape.count - $0 }))
            }
            let gone = try normalizedAxes(axes, rank: shape.count)
            for axis in gone {
                if let extent = shape[axis].value, extent != 1 {
                    throw SardonyxError(.invalidModel, "axis \(axis) of \(shape.text) must have the extent 1")
                }
            }
            kept = shape.indices.filter { !gone.contains($0) }.map { shape[$0] }
        } else {
            guard shape.fixed != nil else { return context.set(0, type, nil) }
            kept = shape.filter { $0 != .fixed(1) }
        }
        context.set(0, type, kept)
        if kept.count <= 1 { context.outputElements[0] = context.elements(0) }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        var kernel = Kernel.view
        kernel.absorbedInputs = [1]
        return kernel
    }

    static let derivative: Derivative? = .unary { x, _, dy in try dy.reshaped(like: x) }

    static let examples = [
        Example(
            "one of two axes",
            inputs: [Tensor(shape: [1, 2, 1], scalars: [1, 2] as [Float]), Tensor(integers: [-1])],
            outputs: [Tensor(shape: [1, 2], scalars: [1, 2] as [Float])])
    ]
}
