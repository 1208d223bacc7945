import CKernels
import SardonyxGraph

/// y[r, i] = scale[i] · x[r, i] / √(Σᵢ x[r, i]²/n + ε), over the axes from `axis` on.
///
/// <https://onnx.ai/onnx/operators/onnx__RMSNormalization.html>
enum RMSNormalization: Operator {
    static let schema = Schema(
        "RMSNormalization", versions: [23],
        inputs: [Parameter("X", "T", .floats), Parameter("scale", "V", .floats)],
        outputs: [Parameter("Y", "V", .floats)],
        attributes: [AttributeSpec("stash_type", .int), AttributeSpec("epsilon", .float), AttributeSpec("axis", .int)])

    static func infer(_ context: inout InferenceContext) throws {
        context.set(0, try context.dataType(1), context.shape(0))
        guard let shape = context.shape(0) else { return }
        let axis = try context.axis(context.node.int("axis", default: -1), rank: shape.count)
        try context.requireBroadcast(1, over: Array(shape[axis...]), "scale")
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let x = try context.input(0)
        let axis = try normalizedAxis(context.node.int("axis", default: -1), rank: x.shape.count)
        return try RowNormalization(context, x, axis: axis, subtractsMean: false).kernel(x.dataType)
    }

    static let derivative: Derivative? = .definition { d in
        let (x, scale) = (try d.x(0), try d.x(1))
        let rank = try x.rank()
        let axes = Array(try normalizedAxis(d.node.int("axis", default: -1), rank: rank)..<rank)
        let deviation = try (x.squared().mean(axes) + Double(d.node.float("epsilon", default: 1e-5))).sqrt()
        return [try (x / deviation).converted(to: scale) * scale]
    }

    static let examples = [
        Example(
            "a row of two",
            inputs: [
                Tensor(shape: [1, 2], scalars: [1, 7] as [Float]), Tensor(shape: [2], scalars: [1, 2] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 2], scalars: [0.2, 2.8] as [Float])], tolerance: 1e-6)
    ]
}
