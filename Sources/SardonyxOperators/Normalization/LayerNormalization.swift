import CKernels
import SardonyxGraph

/// y[r, i] = scale[i] · (x[r, i] − mean[r]) · inv[r] + bias[i], inv[r] = 1/√(var[r] + ε), over the axes from `axis` on.
///
/// <https://onnx.ai/onnx/operators/onnx__LayerNormalization.html>
enum LayerNormalization: Operator {
    static let schema = Schema(
        "LayerNormalization", versions: [17],
        inputs: [
            Parameter("X", "T", .floats), Parameter("Scale", "T", .floats), Parameter("B", "T", .floats, .optional),
        ],
        outputs: [
            Parameter("Y", "T", .floats), Parameter("Mean", "U", [.bfloat16, .float], .optional),
            Parameter("InvStdDev", "U", [.bfloat16, .float], .optional),
        ],
        attributes: [AttributeSpec("stash_type", .int), AttributeSpec("epsilon", .float), AttributeSpec("axis", .int)])

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        guard let shape = context.shape(0) else { return }
        let axis = try context.axis(context.node.int("axis", default: -1), rank: shape.count)
        try context.requireBroadcast(1, over: Array(shape[axis...]), "Scale")
        try context.requireBroadcast(2, over: Array(shape[axis...]), "B")
        let stash = try context.node.dataType("stash_type") ?? .float
        let statistics = shape[..<axis] + SymbolicShape(repeating: .fixed(1), count: shape.count - axis)
        for output in 1..<max(1, context.outputs.count) { context.set(output, stash, Array(statistics)) }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let x = try context.input(0)
        let axis = try normalizedAxis(context.node.int("axis", default: -1), rank: x.shape.count)
        return try RowNormalization(context, x, axis: axis, subtractsMean: true).kernel(x.dataType)
    }

    static let derivative: Derivative? = .definition { d in
        let x = try d.x()
        let rank = try x.rank()
        let axes = Array(try normalizedAxis(d.node.int("axis", default: -1), rank: rank)..<rank)
        let mean = try x.mean(axes)
        let centred = try x - mean
        let deviation = try (centred.squared().mean(axes) + Double(d.node.float("epsilon", default: 1e-5))).sqrt()
        var y = try centred / deviation * d.x(1)
        if let bias = d.optionalInput(2) { y = try y + bias }
        let stash = try ["to": Attribute.int(Int64((d.node.dataType("stash_type") ?? .float).rawValue))]
        return [y, try mean.apply("Cast", with: stash), try (1 / deviation).apply("Cast", with: stash)]
    }

    static let examples = [
        Example(
            "rows of two, with the statistics",
            inputs: [
                Tensor(shape: [2, 2], scalars: [0, 2, 4, 8] as [Float]),
                Tensor(shape: [2], scalars: [1, 2] as [Float]), nil,
            ],
            outputs: [
                Tensor(shape: [2, 2], scalars: [-0.999995, 1.99999, -0.99999875, 1.9999975] as [Float]),
                Tensor(shape: [2, 1], scalars: [1, 6] as [Float]),
                Tensor(shape: [2, 1], scalars: [0.999995, 0.49999937] as [Float]),
            ], tolerance: 1e-6)
    ]
}

extension InferenceContext {
    /// Refuses a parameter that does not broadcast over the normalised axes.
    func requireBroadcast(_ input: Int, over shape: SymbolicShape, _ name: String) throws {
        guard let own = self.shape(input) else { return }
        let result = try broadcast(own, shape)
        guard result.count == shape.count,
            zip(result, shape).allSatisfy({ $0.value == nil || $1.value == nil || $0 == $1 })
        else {
            throw SardonyxError(.invalidModel, "\(name) of shape \(own.text) does not broadcast to \(shape.text)")
        }
    }
}
