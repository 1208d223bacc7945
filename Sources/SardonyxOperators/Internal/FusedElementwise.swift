import CKernels
import SardonyxGraph

/// y = a chain of elementwise functions of the inputs, with numpy's broadcasting, in one walk over the memory.
///
/// `FuseElementwise` makes these nodes; files cannot name them. For each step `functions` has four numbers: 0 or 1 for a
/// function of one or two values, the C kernel's number of it, and the two values, numbered from the inputs on; `parameters`
/// has two.
package enum FusedElementwise: Operator {
    package static let schema = Schema(
        "FusedElementwise", domain: "sardonyx", versions: [1],
        inputs: [Parameter("X", "T", [.float], .variadic)], outputs: [Parameter("Y", "T", [.float])],
        attributes: [AttributeSpec("functions", .ints), AttributeSpec("parameters", .floats)])

    /// The most axes that a node's output may have.
    package static let maximumRank = Int(SDX_MAX_RANK)

    package static func infer(_ context: inout InferenceContext) throws { try context.broadcastAll() }

    package static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        guard let blocked = try BlockedForm(context) else { return [] }
        return try context.channelBlocks(inputs: blocked.maps)
    }

    package static func prepare(_ context: PreparationContext) throws -> Kernel {
        guard let steps = ElementwiseChain.steps(of: context.node)?.map(\.form) else {
            throw SardonyxError(.invalidModel, "the steps do not go together")
        }
        let broadcast: Broadcast
        if context.isBlocked, let form = try BlockedForm(context) {
            broadcast = Broadcast(form.operands, to: form.output)
        } else {
            broadcast = Broadcast(
                try context.inputs.indices.map { try context.input($0).shape }, to: try context.output(0).shape)
        }
        guard broadcast.shape.count <= maximumRank else {
            throw SardonyxError(.unsupported, "a chain over \(broadcast.shape.count) axes")
        }
        let (shape, strides) = (broadcast.shape.map(Int64.init), broadcast.strides.joined().map(Int64.init))
        let operandCount = context.inputs.count
        var kernel = Kernel { frame in
            // SAFETY: every input is present and float; no input is absorbed.
            let operands = UnsafeRawPointer(frame.inputs).assumingMemoryBound(to: UnsafePointer<Float>.self)
            sdx_chain_f32(
                frame.pool, steps, Int32(steps.count), operands, Int32(operandCount), strides, shape,
                Int32(shape.count), frame.output(0))
        }
        kernel.inPlace = [0: try context.overwritableInputs(operandCount)]
        return kernel
    }

    /// The inputs and the output where the maps have their channels in blocks: [batch, channels / 8, pixels, 8].
    private struct BlockedForm {
        var operands: [[Int]] = []
        let output: [Int]
        /// The inputs of the output's shape.
        var maps: [Int] = []

        /// - Returns: nil where an input is neither such a map, nor one number, nor one a channel.
        init?(_ context: PreparationContext) throws {
            let spec = try context.output(0)
            guard spec.canBlockChannels else { return nil }
            let shape = spec.shape
            let (batch, channels, pixels) = (shape[0], shape[1], shape.dropFirst(2).reduce(1, *))
            let block = TensorLayout.blockSize
            output = [batch, channels / block, pixels, block]
            for index in context.inputs.indices {
                let input = try context.input(index).shape
                let aligned = [Int](repeating: 1, count: max(0, shape.count - input.count)) + input
                if input == shape {
                    maps.append(index)
                    operands.append(output)
                } else if input.elementCount == 1 {
                    operands.append([])
                } else if aligned[1] == channels, aligned.dropFirst(2).allSatisfy({ $0 == 1 }) {
                    operands.append([aligned[0], channels / block, 1, block])
                } else {
                    return nil
                }
            }
            if maps.isEmpty { return nil }
        }
    }

    package static let examples = [
        Example(
            "a sum times its own sigmoid",
            attributes: [
                "functions": .ints([1, 0, 0, 1, 0, 7, 2, 2, 1, 2, 2, 3]), "parameters": .floats([0, 0, 0, 0, 0, 0]),
            ],
            inputs: [
                Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float]),
                Tensor(shape: [2, 1], scalars: [-1, -3] as [Float]),
            ],
            outputs: [Tensor(shape: [2, 2], scalars: [0, 0.7310586, 0, 0.7310586] as [Float])], tolerance: 1e-6),
        Example(
            "bounds, and a value for each channel",
            attributes: ["functions": .ints([1, 2, 0, 1, 0, 6, 2, 2]), "parameters": .floats([0, 0, -1, 6])],
            inputs: [
                Tensor(shape: [1, 8, 1, 2], scalars: (0..<16).map { Float($0) - 4 }),
                Tensor(shape: [8, 1, 1], scalars: [1, 2, 1, 2, 1, 2, 1, 2] as [Float]),
            ],
            outputs: [
                Tensor(
                    shape: [1, 8, 1, 2], scalars: [-1, -1, -1, -1, 0, 1, 4, 6, 4, 5, 6, 6, 6, 6, 6, 6] as [Float])
            ]),
    ]
}
