import CKernels
import SardonyxGraph

/// y[n, c, …] = scale[c] · (x[n, c, …] − mean[n, c]) / √(var[n, c] + ε) + bias[c], with the mean and variance of each image's
/// channel.
///
/// <https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html>
enum InstanceNormalization: Operator {
    static let schema = Schema(
        "InstanceNormalization", versions: [1, 6, 22],
        inputs: [Parameter("input", "T", .floats), Parameter("scale", "T", .floats), Parameter("B", "T", .floats)],
        outputs: [Parameter("output", "T", .floats)],
        attributes: [AttributeSpec("epsilon", .float)])

    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.attributes["consumed_inputs"] = nil
    }

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        guard let shape = context.shape(0) else { return }
        guard shape.count >= 2 else {
            throw SardonyxError(.invalidModel, "input must have 2 axes or more; it has \(shape.text)")
        }
        try context.requireChannelVectors([1, 2], channels: shape[1], schema)
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] { try context.channelBlocks() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let x = try context.input(0)
        return try GroupStatistics(context, groups: Int(ChannelLayout(x.shape).channels)).kernel(x.dataType)
    }

    static let derivative: Derivative? = .definition { d in
        let x = try d.x()
        let space = try x.space()
        let parameters = try (1...2).map { try d.x($0).unsqueezed(space.map { $0 - 1 }) }
        return [
            try x.normalized(space, epsilon: d.node.float("epsilon", default: 1e-5)) * parameters[0] + parameters[1]
        ]
    }

    static let examples = [
        Example(
            "each channel by its own mean and variance",
            inputs: [
                Tensor(shape: [1, 2, 1, 3], scalars: [-1, 0, 1, 2, 3, 4] as [Float]),
                Tensor(shape: [2], scalars: [1, 1.5] as [Float]), Tensor(shape: [2], scalars: [0, 1] as [Float]),
            ],
            outputs: [
                Tensor(shape: [1, 2, 1, 3], scalars: [-1.2247357, 0, 1.2247357, -0.8371036, 1, 2.8371036] as [Float])
            ], tolerance: 1e-6)
    ]
}

extension InferenceContext {
    /// Refuses parameters that are not one number a channel.
    func requireChannelVectors(_ inputs: [Int], channels: Dimension, _ schema: Schema) throws {
        for input in inputs {
            let name = schema.inputs[input].name
            try requireRank(input, 1...1, name)
            if let extent = shape(input)?[0].value, let known = channels.value, extent != known {
                throw SardonyxError(.invalidModel, "\(name) has \(extent) elements; there are \(known) channels")
            }
        }
    }
}
