import CKernels
import SardonyxGraph

/// y[n, c, …] = scale[c] · (x[n, c, …] − mean[n, g]) / √(var[n, g] + ε) + bias[c], with the statistics of the group g of
/// channels that c belongs to.
///
/// <https://onnx.ai/onnx/operators/onnx__GroupNormalization.html>
enum GroupNormalization: Operator {
    static let schema = Schema(
        "GroupNormalization", versions: [18, 21],
        inputs: [Parameter("X", "T", .floats), Parameter("scale", "T", .floats), Parameter("bias", "T", .floats)],
        outputs: [Parameter("Y", "T", .floats)],
        attributes: [
            AttributeSpec("stash_type", .int), AttributeSpec("num_groups", .int, required: true),
            AttributeSpec("epsilon", .float), AttributeSpec("sardonyx_scales_groups", .int),
        ])

    /// Through opset 20 scale and bias have one number a group.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        if opset < 21 { node.attributes["sardonyx_scales_groups"] = .int(1) }
    }

    private static func groups(_ node: Node) throws -> Int {
        let groups = node.int("num_groups", default: 1)
        guard groups > 0 else { throw SardonyxError(.invalidModel, "num_groups is \(groups); it must be 1 or more") }
        return groups
    }

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        let groups = try groups(context.node)
        guard let shape = context.shape(0) else { return }
        guard shape.count >= 2 else {
            throw SardonyxError(.invalidModel, "X must have 2 axes or more; it has \(shape.text)")
        }
        if let channels = shape[1].value, channels % groups != 0 {
            throw SardonyxError(.invalidModel, "\(channels) channels cannot be cut into \(groups) groups")
        }
        let extent = context.node.flag("sardonyx_scales_groups") ? .fixed(groups) : shape[1]
        try context.requireChannelVectors([1, 2], channels: extent, schema)
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] { try context.channelBlocks() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let x = try context.input(0)
        let groups = try groups(context.node)
        let statistics = try GroupStatistics(context, groups: groups)
        let kernel = try statistics.kernel(x.dataType)
        guard context.node.flag("sardonyx_scales_groups") else { return kernel }
        return try x.dataType.visitElement(
            Spreading(kernel: kernel, groups: groups, channelsPerGroup: statistics.channelsPerGroup))
    }

    /// Repeats the groups' numbers for every channel, in the workspace, and then runs the newest form.
    private struct Spreading: ElementVisitor {
        let kernel: Kernel
        let groups: Int
        let channelsPerGroup: Int

        func visit<T: BitwiseCopyable & Sendable>(_ type: T.Type) throws -> Kernel {
            let (groups, channelsPerGroup, run) = (groups, channelsPerGroup, kernel.run)
            var layout = Workspace.Layout()
            let scale = layout.reserve(groups * channelsPerGroup, of: T.self)
            let bias = layout.reserve(groups * channelsPerGroup, of: T.self)
            let table = layout.reserve(3, of: UnsafeRawPointer?.self)
            var result = Kernel { frame in
                let inputs = frame.scratch(table, as: UnsafeRawPointer?.self)
                inputs[0] = frame.inputs[0]
                for (input, offset) in [(1, scale), (2, bias)] {
                    let source = frame.input(input, as: T.self)
                    let target = frame.scratch(offset, as: T.self)
                    for channel in 0..<groups * channelsPerGroup {
                        target[channel] = source[channel / channelsPerGroup]
                    }
                    inputs[input] = UnsafeRawPointer(target)
                }
                try run(Frame(inputs: inputs, outputs: frame.outputs, workspace: nil, pool: frame.pool))
            }
            result.workspaceByteCount = layout.byteCount
            result.inPlace = kernel.inPlace
            return result
        }
    }

    static let derivative: Derivative? = .definition { d in
        let (x, count) = (try d.x(), try groups(d.node))
        let grouped = try x.reshaped(to: x.extents(0..<1).joined([x.integers([count, -1])]))
        let normal = try grouped.normalized([2], epsilon: d.node.float("epsilon", default: 1e-5))
        if d.node.flag("sardonyx_scales_groups") {
            return [try (normal * d.x(1).unsqueezed([1]) + d.x(2).unsqueezed([1])).reshaped(like: x)]
        }
        let space = try x.space().map { $0 - 1 }
        return [try normal.reshaped(like: x) * d.x(1).unsqueezed(space) + d.x(2).unsqueezed(space)]
    }

    static let examples = [
        Example(
            "two groups of one channel", attributes: ["num_groups": .int(2)],
            inputs: [
                Tensor(shape: [1, 2, 3], scalars: [-1, 0, 1, 2, 3, 4] as [Float]),
                Tensor(shape: [2], scalars: [1, 1.5] as [Float]), Tensor(shape: [2], scalars: [0, 1] as [Float]),
            ],
            outputs: [
                Tensor(shape: [1, 2, 3], scalars: [-1.2247357, 0, 1.2247357, -0.8371036, 1, 2.8371036] as [Float])
            ],
            tolerance: 1e-6)
    ]
}
