import SardonyxGraph

/// A convolution whose input's pixels count several times, as after nearest upsampling by whole factors: `FuseUpsampling`
/// makes such nodes, and the kernels for blocks of channels read each pixel as often.
package enum RepeatedInput {
    /// The attribute of a Conv with a number for each axis of space.
    package static let attribute = "sardonyx.repeats"

    /// How often kernels can repeat a pixel along an axis.
    package static let most = 8

    /// The longest axis whose upsampling is looked at: that needs a number for each of its elements.
    private static let longestAxis = 1 << 20

    /// How often a Resize repeats the elements along each axis; nil where it does anything else, or something that depends on
    /// the run.
    /// - Parameter scales: the constant input 2, nil where the node has another or none.
    package static func factors(
        of resize: Node, from input: [Int], to output: [Int], scales: Tensor?
    ) throws -> [Int]? {
        let filter = try ResampleFilter(resize)
        guard filter.mode == .nearest, filter.coordinates != .cropAndResize, input.count == output.count,
            input.allSatisfy({ $0 > 0 }), output.allSatisfy({ $0 <= longestAxis })
        else { return nil }
        let given = scales.flatMap { $0.count > 0 ? $0.doubles : nil }
        guard given != nil || resize.string("keep_aspect_ratio_policy", default: "stretch") == "stretch" else {
            return nil
        }
        let sizes = try ResizeGeometry.axes(resize, rank: input.count).map { output[$0] }
        let geometry = try ResizeGeometry(
            resize, input: input, scales: given, sizes: given == nil ? sizes : nil, roi: nil)
        return zip(geometry.axes, output).reduce(into: []) { factors, pair in
            let (axis, extent) = pair
            guard axis.output == extent, extent % axis.input == 0 else {
                factors = nil
                return
            }
            let factor = extent / axis.input
            let repeats = axis.isIdentity || filter.nearest(axis).enumerated().allSatisfy { $0 / factor == Int($1) }
            if repeats { factors?.append(factor) } else { factors = nil }
        }
    }

    /// Whether a convolution of these types is expected to take its input in blocks of channels and to copy it: then it can as
    /// well repeat pixels. Where it does not after all, its bits are the same.
    package static func isTaken(
        by convolution: Node, inputs: [TensorSpec?], output: TensorSpec, constants: [Tensor?]
    ) throws -> Bool {
        let context = PreparationContext(
            node: convolution, inputs: inputs, outputs: [output], constants: constants, workers: 1,
            packedWeights: PackedWeights())
        guard let offer = try BlockedConvolution.offers(context).first, offer.inputs[0] == .channelBlocks else {
            return false
        }
        // Depthwise kernels read their input in place.
        return try ConvolutionGeometry.groups(convolution) == 1 || context.input(1).shape[1] > 1
    }

    /// The extents of space with each pixel repeated.
    static func enlarged(_ extents: [Int], _ repeats: [Int]) -> [Int] {
        repeats.isEmpty ? extents : zip(extents, repeats).map { $0 * $1 }
    }

    /// A kernel for plain tensors: repeats the pixels in scratch memory, and runs what `prepare` makes for such an input.
    static func kernel(
        _ context: PreparationContext, _ prepare: (PreparationContext) throws -> Kernel
    ) throws -> Kernel {
        let input = try context.input(0)
        let repeats = context.node.ints(attribute) ?? []
        let large = TensorSpec(
            dataType: input.dataType, shape: input.shape.prefix(2) + enlarged(Array(input.shape.dropFirst(2)), repeats))
        var node = context.node
        node.attributes[attribute] = nil
        let geometry = try ResizeGeometry(node, input: input.shape, scales: nil, sizes: large.shape, roi: nil)
        let tables = zip(input.shape, large.shape).map { from, to in
            (0..<to).map { Int32($0 / max(to / max(from, 1), 1)) }
        }
        let repeating = try NearestResize(input, geometry, tables, extrapolation: 0).kernel()
        var inputs = context.inputs
        inputs[0] = large
        let inner = try prepare(
            PreparationContext(
                node: node, inputs: inputs, outputs: context.outputs, constants: context.constants,
                workers: context.workers, packedWeights: context.packedWeights, inputValues: context.inputValues,
                policy: context.policy))

        var layout = Workspace.Layout()
        let inputTable = layout.reserve(inputs.count, of: UnsafeRawPointer?.self)
        let outputTable = layout.reserve(1, of: UnsafeMutableRawPointer?.self)
        let map = layout.reserve(large.byteCount)
        let innerWorkspace = layout.reserve(inner.workspaceByteCount)
        let count = inputs.count
        var kernel = Kernel { frame in
            let inputs = frame.scratch(inputTable, as: UnsafeRawPointer?.self)
            let outputs = frame.scratch(outputTable, as: UnsafeMutableRawPointer?.self)
            for index in 0..<count { inputs[index] = frame.inputs[index] }
            outputs[0] = UnsafeMutableRawPointer(frame.scratch(map, as: UInt8.self))
            try repeating.run(Frame(inputs: inputs, outputs: outputs, workspace: nil, pool: frame.pool))
            inputs[0] = outputs[0].map { UnsafeRawPointer($0) }
            try inner.run(
                Frame(
                    inputs: inputs, outputs: frame.outputs, workspace: frame.workspace.map { $0 + innerWorkspace },
                    pool: frame.pool))
        }
        kernel.workspaceByteCount = layout.byteCount
        kernel.absorbedInputs = inner.absorbedInputs
        kernel.packedWeights = inner.packedWeights
        kernel.multiplyAdds = inner.multiplyAdds
        kernel.algorithm = inner.algorithm
        return kernel
    }
}
