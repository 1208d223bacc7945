import CKernels
import SardonyxGraph

/// y[n, (i·b + j)·C + c, h, w] = x[n, c, h·b + i, w·b + j] in mode DCR; y[n, c·b² + i·b + j, h, w] in mode CRD.
///
/// b is the block size and C the number of x's channels.
///
/// <https://onnx.ai/onnx/operators/onnx__SpaceToDepth.html>
enum SpaceToDepth: Operator {
    static let schema = Schema(
        "SpaceToDepth", versions: [1, 13, 28],
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
        for extent in shape[2...].compactMap(\.value) where extent % size != 0 {
            throw SardonyxError(.invalidModel, "\(shape.text) does not consist of blocks of \(size)² pixels")
        }
        let edge = Dimension.fixed(size)
        context.set(0, type, [shape[0], shape[1] * edge * edge, shape[2] / edge, shape[3] / edge])
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        try DepthOrder(context.node) == .pixelsFirst ? try context.channelBlocks() : []
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let size = try context.node.blockSize()
        let shape = input.shape
        if input.layout == .channelBlocks {
            let extents = shape.map(Int64.init)
            return Kernel { frame in
                sdx_space_to_depth_c8_f32(
                    frame.pool, extents[0], extents[1], extents[2], extents[3], Int64(size), frame.input(0),
                    frame.output(0))
            }
        }
        let s = shape.rowMajorStrides
        let (rows, columns) = (shape[2] / size, shape[3] / size)
        let (outer, from) =
            switch try DepthOrder(context.node) {
            case .pixelsFirst: ([size, size, shape[1]], [s[2], s[3], s[1]])
            case .channelsFirst: ([shape[1], size, size], [s[1], s[2], s[3]])
            }
        return try StridedCopy(
            shape: [shape[0]] + outer + [rows, columns], from: [s[0]] + from + [s[2] * size, s[3] * size],
            elementSize: input.dataType.byteCount
        ).kernel(inputCount: input.elementCount)
    }

    static let derivative: Derivative? = .movement

    static let examples = [
        Example(
            "a block becomes four channels", attributes: ["blocksize": .int(2)],
            inputs: [Tensor(shape: [1, 1, 2, 4], scalars: [0, 2, 1, 3, 4, 6, 5, 7] as [Float])],
            outputs: [Tensor(shape: [1, 4, 1, 2], scalars: [0, 1, 2, 3, 4, 5, 6, 7] as [Float])])
    ]
}
