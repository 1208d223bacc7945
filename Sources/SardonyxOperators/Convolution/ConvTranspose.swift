import CKernels
import SardonyxGraph

/// y[n, m, o] = Σ x[n, c, i] · w[c, m, t] + b[m], over all i and t with i · stride + t · dilation − pad = o, and the
/// channels c of m's group.
///
/// <https://onnx.ai/onnx/operators/onnx__ConvTranspose.html>
enum ConvTranspose: Operator {
    static let schema = Schema(
        "ConvTranspose", versions: [1, 11, 22],
        inputs: [
            Parameter("X", "T", .floats), Parameter("W", "T", .floats), Parameter("B", "T", .floats, .optional),
        ],
        outputs: [Parameter("Y", "T", .floats)],
        attributes: [
            AttributeSpec("auto_pad", .string), AttributeSpec("dilations", .ints), AttributeSpec("group", .int),
            AttributeSpec("kernel_shape", .ints), AttributeSpec("output_padding", .ints),
            AttributeSpec("output_shape", .ints), AttributeSpec("pads", .ints), AttributeSpec("strides", .ints),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        let node = context.node
        let input = context.shape(0)
        let weights = context.shape(1)
        guard let rank = input?.count ?? weights?.count else { return context.set(0, type, nil) }
        guard rank >= 3, input.map({ $0.count == rank }) ?? true, weights.map({ $0.count == rank }) ?? true else {
            throw SardonyxError(
                .invalidModel, "input and weights must have the same number of axes, at least 3: batch, channels, space"
            )
        }
        let kernel = try ConvolutionGeometry.kernel(node, weights, rank: rank)
        let groups = try ConvolutionGeometry.groups(node)
        if let channels = input?[1].value {
            guard channels % groups == 0, weights?[0].value.map({ $0 == channels }) ?? true else {
                throw SardonyxError(
                    .invalidModel,
                    "the input has \(channels) channels in \(groups) groups; the weights are \(weights?.text ?? "?")")
            }
        }
        let filters = (weights?[1] ?? .unknown) * .fixed(groups)
        try ConvolutionGeometry.checkBias(context, 2, filters)
        var shape: SymbolicShape = [input?[0] ?? .unknown, filters]
        if let kernel {
            let attributes = try TransposedWindow(node, kernel: kernel)
            for axis in 0..<rank - 2 { shape.append(try attributes.output(axis, of: input?[axis + 2] ?? .unknown)) }
        } else {
            shape += SymbolicShape(repeating: .unknown, count: rank - 2)
        }
        context.set(0, type, shape)
    }

    private static func geometry(_ context: PreparationContext) throws -> ConvolutionGeometry {
        let input = try context.input(0).shape
        let output = try context.output(0).shape
        let attributes = try TransposedWindow(
            context.node, kernel: Array(try context.input(1).shape.dropFirst(2)))
        return ConvolutionGeometry(
            batch: input[0], channels: input[1], filters: output[1], groups: context.node.int("group", default: 1),
            window: attributes.window(input: Array(input.dropFirst(2)), output: Array(output.dropFirst(2))))
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        let input = try context.input(0)
        guard context.constant(1) != nil, input.canBlockChannels else { return [] }
        let form = try geometry(context).kernelForm(FusedActivation.kernelForm(nil))
        guard withUnsafePointer(to: form, { sdx_conv_transpose_c8_f32_supported($0) }) != 0 else { return [] }
        if try context.output(0).canBlockChannels { return try context.channelBlocks(isPreferred: true) }
        return [LayoutOffer(inputs: [.channelBlocks, .plain, .plain], outputs: [.plain], isPreferred: true)]
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let type = try context.input(0).dataType
        if type.isHalfWidth { return try context.throughFloat(prepare) }
        let geometry = try geometry(context)
        let activation = try FusedActivation(context.node)
        var kernel: Kernel
        if type == .float, geometry.window.rank <= 3 {
            let form = geometry.kernelForm(try FusedActivation.kernelForm(activation))
            let isBlocked = try context.input(0).layout == .channelBlocks
            kernel = try PackedConvolution(
                form: form, functions: isBlocked ? .transposedBlocked : .transposed,
                layout: geometry.layoutName("conv transpose \(isBlocked)")
            ).kernel(context)
        } else {
            kernel = try type.visitReal(Loops(geometry: geometry, activation: activation, bias: context.inputSlot(2)))
        }
        kernel.multiplyAdds =
            geometry.batch &* geometry.channels &* geometry.inputPlane &* geometry.filtersPerGroup
            &* geometry.kernelCount
        return kernel
    }

    private struct Loops: RealVisitor {
        let geometry: ConvolutionGeometry
        let activation: FusedActivation?
        let bias: Int?

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let (geometry, activation, bias) = (geometry, activation, bias)
            let window = geometry.window
            let inputStrides = window.input.rowMajorStrides
            let outputStrides = window.output.rowMajorStrides
            let taps = WindowTaps(window)
            return .parallel(chunks: geometry.batch * geometry.filters) { frame, plane, _ in
                let (image, filter) = (plane / geometry.filters, plane % geometry.filters)
                let group = filter / geometry.filtersPerGroup
                let firstChannel = group * geometry.channelsPerGroup
                let x = frame.input(0, as: T.self) + (image * geometry.channels + firstChannel) * geometry.inputPlane
                let filterStride = geometry.filtersPerGroup * taps.count
                let w =
                    frame.input(1, as: T.self) + firstChannel * filterStride
                    + filter % geometry.filtersPerGroup * taps.count
                let y = frame.output(0, as: T.self) + plane * geometry.outputPlane
                let offset = frame.input(slot: bias, as: T.self)?[filter].wide ?? 0
                for output in 0..<geometry.outputPlane {
                    var sum = T.Wide.zero
                    next: for tap in 0..<taps.count {
                        var position = 0
                        for axis in 0..<window.rank {
                            let coordinate = output / outputStrides[axis] % window.output[axis]
                            let reached = coordinate + window.padBegin[axis] - taps.offset(tap, axis)
                            let source = reached / window.strides[axis]
                            if reached < 0 || reached % window.strides[axis] != 0 || source >= window.input[axis] {
                                continue next
                            }
                            position += source * inputStrides[axis]
                        }
                        for channel in 0..<geometry.channelsPerGroup {
                            sum +=
                                x[channel * geometry.inputPlane + position].wide
                                * w[channel * filterStride + tap].wide
                        }
                    }
                    sum += offset
                    if let activation { sum = activation.apply(sum, as: T.self) }
                    y[output] = T(wide: sum)
                }
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        let (x, w, dy) = (try d.x(0), try d.x(1), try d.dy())
        let groups = try ConvolutionGeometry.groups(d.node)
        let window = try d.transposedWindow(w)
        let reached = try dy.padded(window.pads(dy, outputs: x))
        try d.set(0) { try reached.apply("Conv", w, with: window.plain(groups: groups)) }
        try d.set(1) { try window.weights(reached, x, like: w, groups: groups) }
        try d.set(2) { try dy.summedByChannel() }
    }

    static let examples = [
        Example(
            "stride 2 spreads the input",
            attributes: ["strides": .ints([2])],
            inputs: [
                Tensor(shape: [1, 1, 2], scalars: [1, 2] as [Float]),
                Tensor(shape: [1, 1, 3], scalars: [1, 10, 100] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 1, 5], scalars: [1, 10, 102, 20, 200] as [Float])], tolerance: 1e-6),
        Example(
            "double, an output shape sets the padding",
            attributes: ["strides": .ints([2]), "output_shape": .ints([4])],
            inputs: [
                Tensor(shape: [1, 1, 2], scalars: [1, 2] as [Double]),
                Tensor(shape: [1, 1, 3], scalars: [1, 10, 100] as [Double]),
                Tensor(shape: [1], scalars: [0.5] as [Double]),
            ],
            outputs: [Tensor(shape: [1, 1, 4], scalars: [10.5, 102.5, 20.5, 200.5] as [Double])], tolerance: 1e-12),
    ]
}
