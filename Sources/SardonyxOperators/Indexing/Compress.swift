import SardonyxGraph

/// y = the slices of x along `axis` for which `condition` is true; without an axis, the elements.
///
/// A condition shorter than the axis leaves out the rest.
///
/// <https://onnx.ai/onnx/operators/onnx__Compress.html>
enum Compress: Operator {
    static let schema = Schema(
        "Compress", versions: [9, 11, 28],
        inputs: [Parameter("input", "T", .movable), Parameter("condition", "T1", [.bool])],
        outputs: [Parameter("output", "T", .movable)],
        attributes: [AttributeSpec("axis", .int)])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        try context.requireRank(1, 1...1, "condition")
        guard let axis = context.node.int("axis") else { return context.set(0, type, [.unknown]) }
        guard var shape = context.shape(0) else { return context.set(0, type, nil) }
        shape[try context.axis(axis, rank: shape.count)] = .unknown
        context.set(0, type, shape)
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        var input = try context.tensor(0)
        var axis = 0
        if let named = context.node.int("axis") {
            axis = try normalizedAxis(named, rank: input.shape.count)
        } else {
            input = input.reshaped(to: [input.count])
        }
        let condition = try context.tensor(1).integers ?? []
        let kept = condition.indices.filter { condition[$0] != 0 }
        if let last = kept.last, last >= input.shape[axis] {
            throw SardonyxError(
                .invalidValue, "condition selects element \(last); the axis has \(input.shape[axis])")
        }
        return [.tensor(try input.taking(kept, axis: axis, in: context.environment))]
    }

    static let derivative: Derivative? = .movement

    static let examples = [
        Example(
            "rows", attributes: ["axis": .int(0)],
            inputs: [
                Tensor(shape: [3, 2], scalars: [1, 2, 3, 4, 5, 6] as [Float]),
                Tensor(shape: [3], scalars: [false, true, true]),
            ],
            outputs: [Tensor(shape: [2, 2], scalars: [3, 4, 5, 6] as [Float])]),
        Example(
            "elements",
            inputs: [
                Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float]),
                Tensor(shape: [3], scalars: [true, false, true]),
            ],
            outputs: [Tensor(shape: [2], scalars: [1, 3] as [Float])]),
    ]
}
