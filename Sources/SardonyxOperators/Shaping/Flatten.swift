import SardonyxGraph

/// y[Π x's axes before `axis`, Π the others] has x's elements in the same order.
///
/// <https://onnx.ai/onnx/operators/onnx__Flatten.html>
enum Flatten: Operator {
    static let schema = Schema(
        "Flatten", versions: [1, 9, 11, 13, 21, 23, 24, 25],
        inputs: [Parameter("input", "T", .all)],
        outputs: [Parameter("output", "T", .all)],
        attributes: [AttributeSpec("axis", .int)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard let shape = context.shape(0) else { return context.set(0, type, [.unknown, .unknown]) }
        var axis = context.node.int("axis", default: 1)
        guard axis >= -shape.count, axis <= shape.count else {
            throw SardonyxError(
                .invalidModel, "axis is \(axis), which is outside [-\(shape.count), \(shape.count)]")
        }
        if axis < 0 { axis += shape.count }
        context.set(0, type, [shape[..<axis].reduce(.fixed(1), *), shape[axis...].reduce(.fixed(1), *)])
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel { .view }

    static let derivative: Derivative? = .unary { x, _, dy in try dy.reshaped(like: x) }

    static let examples = [
        Example(
            "all but the batch", inputs: [Tensor(shape: [2, 1, 2], scalars: [1, 2, 3, 4] as [Float])],
            outputs: [Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float])])
    ]
}
