import SardonyxGraph

/// y[o…] = x at o / scale, nearest or linear; superseded by Resize, which every Upsample becomes at loading.
///
/// <https://onnx.ai/onnx/operators/onnx__Upsample.html>
enum Upsample: Operator {
    static let schema = Schema(
        "Upsample", versions: [1, 7, 9, 10],
        inputs: [Parameter("X", "T", .movable), Parameter("scales", "tensor(float)", [.float])],
        outputs: [Parameter("Y", "T", .movable)],
        attributes: [AttributeSpec("mode", .string)])

    static let execution = Execution.movesElements

    /// In opset 1 there are `height_scale` and `width_scale`, through opset 8 `scales` is an attribute.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        if opset >= 10 { throw SardonyxError(.invalidModel, "the standard has withdrawn Upsample in opset 10") }
        var scales = opset < 9 ? node.floats("scales") : nil
        if opset < 7 {
            if let height = node.float("height_scale"), let width = node.float("width_scale") {
                scales = [1, 1, height, width]
            }
            node.attributes["height_scale"] = nil
            node.attributes["width_scale"] = nil
        }
        if opset < 9 {
            guard let scales else { throw SardonyxError(.invalidModel, "the attribute 'scales' is missing") }
            node.attributes["scales"] = nil
            node.setInput(1, lifting.add(Tensor(shape: [scales.count], scalars: scales), "\(node.displayName).scales"))
        }
        guard node.inputs.count == 2 else { throw SardonyxError(.invalidModel, "the input 'scales' is missing") }
        node.operatorType = "Resize"
        node.inputs.insert(nil, at: 1)
        Resize.useFormerCoordinates(&node)
    }

    static func infer(_ context: inout InferenceContext) throws {
        context.set(
            0, try context.dataType(0), context.shape(0).map { SymbolicShape(repeating: .unknown, count: $0.count) })
    }

    /// A node that was not loaded from a file, and so was not lifted.
    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        var node = context.node
        node.operatorType = "Resize"
        node.inputs.insert(nil, at: 1)
        Resize.useFormerCoordinates(&node)
        var inputs = context.inputs
        inputs.insert(nil, at: 1)
        return try Resize.evaluatePlanned(
            EvaluationContext(
                node: node, inputs: inputs, outputTypes: context.outputTypes, environment: context.environment,
                operatorType: Resize.self))
    }

    static let examples = [
        Example(
            "twice as wide",
            inputs: [
                Tensor(shape: [1, 2], scalars: [1, 2] as [Float]), Tensor(shape: [2], scalars: [1, 2] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 4], scalars: [1, 1, 2, 2] as [Float])])
    ]
}
