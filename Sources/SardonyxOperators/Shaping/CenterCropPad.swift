import SardonyxGraph

/// y is x cropped or padded with zeros to the extents `shape` of `axes`, the same on both sides; an odd element more is
/// cropped or padded at the end.
///
/// <https://onnx.ai/onnx/operators/onnx__CenterCropPad.html>
enum CenterCropPad: Operator {
    static let schema = Schema(
        "CenterCropPad", versions: [18],
        inputs: [Parameter("input_data", "T", .movable), Parameter("shape", "Tind", .indices)],
        outputs: [Parameter("output_data", "T", .movable)],
        attributes: [AttributeSpec("axes", .ints)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard var shape = context.shape(0) else { return context.set(0, type, nil) }
        let axes =
            try context.node.ints("axes").map { try normalizedAxes($0, rank: shape.count) } ?? Array(shape.indices)
        guard let wanted = context.elements(1) else {
            for axis in axes { shape[axis] = .unknown }
            return context.set(0, type, shape)
        }
        guard wanted.count == axes.count, wanted.allSatisfy({ $0.value ?? 0 >= 0 }) else {
            throw SardonyxError(
                .invalidModel, "shape is \(wanted.text); it must be an extent for each of \(axes.count) axes")
        }
        for (axis, extent) in zip(axes, wanted) { shape[axis] = extent }
        context.set(0, type, shape)
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let output = try context.output(0)
        // The half that rounds toward zero comes first, for crops (negative) as for pads.
        let added = zip(output.shape, input.shape).map { $0 - $1 }
        let padding = try Padding(
            input.shape, begins: added.map { $0 / 2 }, ends: added.map { $0 - $0 / 2 },
            elementSize: input.dataType.byteCount, mode: .constant)
        var kernel = Kernel { frame in
            padding.run(
                frame.input(0, as: UInt8.self), frame.output(0, as: UInt8.self), value: nil, pool: frame.pool)
        }
        kernel.absorbedInputs = [1]
        return kernel
    }

    static let derivative: Derivative? = Derivative { d in try d.setMoved(leavesGaps: true) }

    static let examples = [
        Example(
            "crop one axis and pad another",
            inputs: [Tensor(shape: [2, 4], scalars: [1, 2, 3, 4, 5, 6, 7, 8] as [Float]), Tensor(integers: [3, 3])],
            outputs: [Tensor(shape: [3, 3], scalars: [1, 2, 3, 5, 6, 7, 0, 0, 0] as [Float])])
    ]
}
