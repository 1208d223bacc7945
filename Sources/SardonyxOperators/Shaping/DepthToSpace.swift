import CKernels
import SardonyxGraph

/// y[n, c, h·b + i, w·b + j] = x[n, (i·b + j)·C + c, h, w] in mode DCR, x[n, c·b² + i·b + j, h, w] in mode CRD.
///
/// b is the block size and C the number of y's channels.
///
/// <https://onnx.ai/onnx/operators/onnx__DepthToSpace.html>
enum DepthToSpace: Operator {
    static let schema = Schema(
        "DepthToSpace", versions: [1, 11, 13, 28],
        inputs: [Parameter("input", "T", .movable)],
        outputs: [Parameter("output", "T", .movable)],
        attributes: [AttributeSpec("mode", .string), AttributeSpec("blocksize", .int, required: true)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        let size = try context.node.blockSize()
        _ = try DepthOrder(context.node)
        try context.requireRank(0, 4...4, "input")
        guard let shape = context.shape(0) else { return context.set(0, type, context.unknownShape(4)) }
        if let channels = shape[1].value, channels % (size * size) != 0 {
            throw SardonyxError(.invalidModel, "\(channels) channels are not a multiple of the block's \(size)² pixels")
        }
        let edge = Dimension.fixed(size)
        context.set(0, type, [shape[0], shape[1] / (edge * edge), shape[2] * edge, shape[3] * edge])
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] { try context.channelBlocks() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let size = try context.node.blockSize()
        let shape = input.shape
        if input.layout == .channelBlocks {
            let extents = shape.map(Int64.init)
            let isColumnRowDepth: Int32 = try DepthOrder(context.node) == .channelsFirst ? 1 : 0
            return Kernel { frame in
                sdx_depth_to_space_c8_f32(
                    frame.pool, extents[0], extents[1], extents[2], extents[3], Int64(size), isColumnRowDepth,
                    frame.input(0), frame.output(0))
            }
        }
        let strides = shape.rowMajorStrides
        let channels = shape[1] / (size * size)
        let (channel, pixel) =
            switch try DepthOrder(context.node) {
            case .pixelsFirst: (strides[1], channels * strides[1])
            case .channelsFirst: (size * size * strides[1], strides[1])
            }
        return try StridedCopy(
            shape: [shape[0], channels, shape[2], size, shape[3], size],
            from: [strides[0], channel, strides[2], size * pixel, strides[3], pixel],
            elementSize: input.dataType.byteCount
        ).kernel(inputCount: input.elementCount)
    }

    static let derivative: Derivative? = .movement

    static let examples = [
        Example(
            "four channels become a block", attributes: ["blocksize": .int(2)],
            inputs: [Tensor(shape: [1, 4, 1, 2], scalars: [0, 1, 2, 3, 4, 5, 6, 7] as [Float])],
            outputs: [Tensor(shape: [1, 1, 2, 4], scalars: [0, 2, 1, 3, 4, 6, 5, 7] as [Float])])
    ]
}
