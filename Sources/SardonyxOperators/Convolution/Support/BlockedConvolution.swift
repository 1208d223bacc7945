import CKernels
import SardonyxGraph

/// A float convolution with its channels in blocks on one side or both, by the C kernels; the weights (input 1) are
/// constant.
struct BlockedConvolution {
    private let form: sdx_conv_params
    private let sides: sdx_conv_layout
    private let geometry: ConvolutionGeometry

    /// Which kernel takes tensors of these layouts; nil for plain ones on both sides.
    static func sides(x: TensorLayout, y: TensorLayout) -> sdx_conv_layout? {
        switch (x, y) {
        case (.plain, .plain): nil
        case (.plain, .channelBlocks): SDX_CONV_PLAIN_TO_C8
        case (.channelBlocks, .channelBlocks): SDX_CONV_C8_TO_C8
        case (.channelBlocks, .plain): SDX_CONV_C8_TO_PLAIN
        }
    }

    init(_ geometry: ConvolutionGeometry, _ activation: FusedActivation?, _ sides: sdx_conv_layout) throws {
        self.geometry = geometry
        self.sides = sides
        form = geometry.kernelForm(try FusedActivation.kernelForm(activation))
    }

    /// Blocks on both sides where both channel counts allow it, else on one.
    static func offers(_ context: PreparationContext) throws -> [LayoutOffer] {
        guard let (convolution, layouts) = try inMostBlocks(context),
            withUnsafePointer(
                to: convolution.form, { sdx_conv_c8_f32_supported($0, convolution.sides) }) != 0,
            try convolution.choice.algorithm(context.policy) != SDX_CONV_BY_PLAIN
        else { return [] }
        var inputs = [TensorLayout](repeating: .plain, count: context.inputs.count)
        inputs[0] = layouts.x
        if context.has(3) { inputs[3] = layouts.y }
        return [LayoutOffer(inputs: inputs, outputs: [layouts.y], isPreferred: true)]
    }

    /// Of the fastest kernel; nil where no side can have blocks.
    static func estimate(_ context: PreparationContext) throws -> KernelEstimate? {
        try inMostBlocks(context)?.convolution.choice.estimate(context.policy)
    }

    /// With blocks wherever channel counts allow it; nil where they nowhere do, or the weights are not constant.
    private static func inMostBlocks(
        _ context: PreparationContext
    ) throws -> (convolution: BlockedConvolution, layouts: (x: TensorLayout, y: TensorLayout))? {
        let (x, y) = (try context.input(0), try context.output(0))
        guard x.dataType == .float, (3...5).contains(x.shape.count), context.constant(1) != nil else { return nil }
        let layouts = (
            x: x.canBlockChannels ? TensorLayout.channelBlocks : .plain,
            y: y.canBlockChannels ? TensorLayout.channelBlocks : .plain
        )
        guard let sides = sides(x: layouts.x, y: layouts.y) else { return nil }
        return (try BlockedConvolution(ConvolutionGeometry(context).withLongAxesLast, nil, sides), layouts)
    }

    func kernel(_ context: PreparationContext) throws -> Kernel {
        guard context.constant(1) != nil else {
            throw SardonyxError(.unsupported, "the weights of a convolution in blocks of channels must be constant")
        }
        let algorithm = try choice.algorithm(context.policy)
        let isWinograd = ConvolutionChoice.isWinograd(algorithm)
        var kernel = try PackedConvolution(
            form: form, functions: isWinograd ? .by(algorithm, sides) : .blocked(sides),
            layout: geometry.layoutName(isWinograd ? "winograd \(algorithm.rawValue)" : "blocks \(sides.rawValue)")
        ).kernel(context)
        kernel.algorithm = isWinograd ? ConvolutionChoice.name(algorithm) : "blocks"
        return kernel
    }

    /// That for an input whose pixels repeat is that for the larger map: what upsampling is fused with keeps its bits.
    private var choice: ConvolutionChoice {
        var form = form
        form.repeats = (0, 0, 0)
        return ConvolutionChoice(form: form, sides: sides)
    }
}
