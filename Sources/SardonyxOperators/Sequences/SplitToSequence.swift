import SardonyxGraph

/// yₖ[…, i, …] = x[…, Σ split[0 ..< k] + i, …]: x cut along `axis` into the elements of a sequence.
///
/// A scalar `split` is every part's extent, and the last part takes what is left; without it the parts have extent 1, and
/// lose the axis with `keepdims` = 0.
/// <https://onnx.ai/onnx/operators/onnx__SplitToSequence.html>
enum SplitToSequence: Operator {
    static let schema = Schema(
        "SplitToSequence", versions: [11, 24],
        inputs: [Parameter("input", "T", .movable), Parameter("split", "I", .indices, .optional)],
        outputs: [Parameter("output_sequence", "S", [])],
        attributes: [AttributeSpec("keepdims", .int), AttributeSpec("axis", .int)])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        try context.requireRank(1, 0...1, "split")
        guard var shape = context.shape(0) else { return context.set(0, .sequence(.tensor(type, nil))) }
        let axis = try context.axis(context.node.int("axis", default: 0), rank: shape.count)
        if context.has(1) {
            shape[axis] = .unknown
        } else if context.node.flag("keepdims", default: true) {
            shape[axis] = .fixed(1)
        } else {
            shape.remove(at: axis)
        }
        context.set(0, .sequence(.tensor(type, shape)))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let input = try context.tensor(0)
        let axis = try normalizedAxis(context.node.int("axis", default: 0), rank: input.shape.count)
        let extent = input.shape[axis]
        let split = try context.optionalTensor(1)
        let drops = split == nil && !context.node.flag("keepdims", default: true)
        // Where there are no elements an extent may be of any size, and each part takes memory all the same.
        let perElement = split?.shape.count == 1 ? 1 : 16
        try context.environment.admit(TensorSpec(dataType: .int64, shape: [perElement, extent]))
        var begin = 0
        let parts = try lengths(split, extent: extent).enumerated().map { index, length -> Datum in
            if index % 1024 == 0 { try context.checkCancellation() }
            let part = try input.taking(Array(begin..<begin + length), axis: axis, in: context.environment)
            begin += length
            guard drops else { return .tensor(part) }
            var shape = part.shape
            shape.remove(at: axis)
            return .tensor(part.reshaped(to: shape))
        }
        return [.sequence(parts)]
    }

    private static func lengths(_ split: Tensor?, extent: Int) throws -> [Int] {
        guard let split else { return [Int](repeating: 1, count: extent) }
        guard let values = split.integers, split.shape.count <= 1 else {
            throw SardonyxError(.invalidInput, "'split' must be a scalar or a vector; its shape is \(split.shape)")
        }
        if split.shape.isEmpty {
            guard let length = values.first, length > 0 else {
                throw SardonyxError(.invalidValue, "'split' is \(values); it must be positive")
            }
            return stride(from: 0, to: extent, by: length).map { min(length, extent - $0) }
        }
        var rest = extent
        for value in values {
            guard value >= 0, value <= rest else {
                throw SardonyxError(
                    .invalidValue, "'split' is \(values); it must sum up to the axis's extent \(extent)")
            }
            rest -= value
        }
        guard rest == 0 else {
            throw SardonyxError(.invalidValue, "'split' is \(values); it must sum up to the axis's extent \(extent)")
        }
        return values
    }

    static let derivative: Derivative? = Derivative { d in
        let axis = d.node.int("axis", default: 0)
        try d.set(0) {
            var parts = try d.dy()
            if d.optionalInput(1) == nil, !d.node.flag("keepdims", default: true) {
                let whole = try d.builder.mapTensors([parts.id]) { inner, parts in
                    try Term(id: parts[0], builder: inner).unsqueezed([axis]).id
                }
                parts = d.term(whole)
            }
            // There may be no part: what is put to them has no element.
            let x = try d.x()
            let none = try x.apply("Slice", x.integers([0]), x.integers([0]), x.integers([axis]))
            return try parts.apply("SequenceInsert", none, x.scalar(0))
                .apply("ConcatFromSequence", with: ["axis": .int(Int64(axis))])
        }
    }
}
