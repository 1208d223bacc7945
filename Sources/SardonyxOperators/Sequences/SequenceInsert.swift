import SardonyxGraph

/// y = [s₀, …, sₚ₋₁, t, sₚ, …]: the sequence with one more element, at its end unless `position` p is given.
///
/// The standard has sequences of tensors. Here an element may be a sequence or an optional too: derivatives of loops keep what
/// is carried.
/// <https://onnx.ai/onnx/operators/onnx__SequenceInsert.html>
enum SequenceInsert: Operator {
    static let schema = Schema(
        "SequenceInsert", versions: [11],
        inputs: [
            Parameter("input_sequence", "S", []), Parameter("tensor", "T", .movable),
            Parameter("position", "I", .indices, .optional),
        ],
        outputs: [Parameter("output_sequence", "S", [])])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        let element = try context.elementType(0)
        let tensor = context.inputs[1] ?? .unknown
        if let a = element.dataType, let b = tensor.dataType, a != b {
            throw SardonyxError(.invalidModel, "a tensor of \(b.name) cannot be put into a sequence of \(a.name)")
        }
        context.set(0, .sequence(element == .unknown ? tensor.withoutShape : element.union(tensor)))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        var elements = try context.sequence(0)
        guard context.has(1), let element = context.inputs[1] else {
            throw SardonyxError(.invalidInput, "the element to insert is missing")
        }
        if let first = elements.first, !element.isAlike(first) { throw SardonyxError.mixedElements(element, first) }
        try element.checkNesting()
        let length = elements.count
        let position = context.has(2) ? try context.position(2, length: length, below: length + 1) : length
        elements.insert(element, at: position)
        return [.sequence(elements)]
    }

    static let derivative: Derivative? = Derivative { d in
        let dy = try d.dy()
        let position = try d.position(2, in: d.x())
        try d.set(0) { try dy.apply("SequenceErase", position) }
        try d.set(1) { try dy.apply("SequenceAt", position ?? dy.scalar(-1)) }
    }
}
