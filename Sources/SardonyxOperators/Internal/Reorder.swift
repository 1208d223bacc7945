import CKernels
import SardonyxGraph

/// y = x in another layout. Planning adds these nodes where a value is needed in a layout that it was not made in; files
/// cannot name them.
package enum Reorder: Operator {
    package static let schema = Schema(
        "Reorder", domain: "sardonyx", versions: [1], inputs: [Parameter("X", "T", .floats)],
        outputs: [Parameter("Y", "T", .floats)])

    package static func infer(_ context: inout InferenceContext) throws { try context.passThrough() }

    package static func prepare(_ context: PreparationContext) throws -> Kernel {
        let (input, output) = (try context.input(0), try context.output(0))
        let pixels = input.shape.dropFirst(2).reduce(1, *)
        // With one pixel the bytes of both layouts are the same.
        if input.layout == output.layout || pixels == 1 { return .view }
        let (batch, channels) = (Int64(input.shape[0]), Int64(input.shape[1]))
        if output.layout == .channelBlocks {
            return Kernel { frame in
                sdx_to_c8_f32(frame.pool, batch, channels, Int64(pixels), frame.input(0), frame.output(0))
            }
        }
        return Kernel { frame in
            sdx_from_c8_f32(frame.pool, batch, channels, Int64(pixels), frame.input(0), frame.output(0))
        }
    }

    package static let examples = [
        Example(
            "nothing but a view between equal layouts",
            inputs: [Tensor(shape: [1, 2, 2], scalars: [1, 2, 3, 4] as [Float])],
            outputs: [Tensor(shape: [1, 2, 2], scalars: [1, 2, 3, 4] as [Float])])
    ]
}
