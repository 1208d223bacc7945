import CKernels
import SardonyxGraph

/// y[n, m, o] = Σ x[n, c, o · stride + t · dilation − pad] · w[m, c, t] + b[m], over taps t and the channels c of m's group.
///
/// Internally an input 3 of y's shape is added before the activation that `sardonyx.activation` names, and each pixel of x
/// counts as often along the axes of space as `sardonyx.repeats` says.
///
/// <https://onnx.ai/onnx/operators/onnx__Conv.html>
enum Conv: Operator {
    static let schema = Schema(
        "Conv", versions: [1, 11, 22],
        inputs: [
            Parameter("X", "T", .floats), Parameter("W", "T", .floats), Parameter("B", "T", .floats, .optional),
        ],
        outputs: [Parameter("Y", "T", .floats)],
        attributes: [
            AttributeSpec("auto_pad", .string), AttributeSpec("dilations", .ints), AttributeSpec("group", .int),
            AttributeSpec("kernel_shape", .ints), AttributeSpec("pads", .ints), AttributeSpec("strides", .ints),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        try ConvolutionGeometry.infer(&context, output: try context.dataType(0))
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        try BlockedConvolution.offers(context)
    }

    static let choosesKernels = true

    static func estimate(_ context: PreparationContext) throws -> KernelEstimate? {
        try BlockedConvolution.estimate(context)
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let type = try context.input(0).dataType
        if type.isHalfWidth { return try context.throughFloat(prepare) }
        let sides = BlockedConvolution.sides(x: try context.input(0).layout, y: try context.output(0).layout)
        if sides == nil, context.node.attributes[RepeatedInput.attribute] != nil {
            return try RepeatedInput.kernel(context, prepare)
        }
        let geometry = try ConvolutionGeometry(context).withLongAxesLast
        let activation = try FusedActivation(context.node)
        var kernel: Kernel
        if let sides {
            kernel = try BlockedConvolution(geometry, activation, sides).kernel(context)
        } else if type == .float, geometry.window.rank <= 3 {
            let form = geometry.kernelForm(try FusedActivation.kernelForm(activation))
            kernel = try PackedConvolution(form: form, functions: .plain, layout: geometry.layoutName("conv")).kernel(
                context)
            kernel.algorithm = "plain"
        } else {
            kernel = try type.visitReal(
                Loops(
                    geometry: geometry, activation: activation, bias: context.inputSlot(2),
                    residual: context.inputSlot(3)))
        }
        kernel.multiplyAdds = geometry.multiplyAdds
        return kernel
    }

    private struct Loops: RealVisitor {
        let geometry: ConvolutionGeometry
        let activation: FusedActivation?
        let bias: Int?
        let residual: Int?

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let (geometry, activation, bias, residual) = (geometry, activation, bias, residual)
            let taps = WindowTaps(geometry.window)
            return .parallel(chunks: geometry.batch * geometry.filters) { frame, plane, _ in
                let bias = frame.input(slot: bias, as: T.self)?[plane % geometry.filters].wide ?? 0
                let residual = frame.input(slot: residual, as: T.self)
                let y = frame.output(0, as: T.self)
                geometry.forEachSum(
                    plane: plane, taps, frame.input(0, as: T.self), frame.input(1, as: T.self), from: T.Wide.zero,
                    multiplyAdd: { $0 + $1.wide * $2.wide },
                    finish: { position, sum in
                        var value = sum + bias
                        if let residual { value += residual[position].wide }
                        if let activation { value = activation.apply(value, as: T.self) }
                        y[position] = T(wide: value)
                    })
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        let (x, w, dy) = (try d.x(0), try d.x(1), try d.dy())
        let groups = try ConvolutionGeometry.groups(d.node)
        let window = try d.window(w)
        let pads = try window.pads(x, outputs: dy)
        try d.set(0) {
            try dy.apply("ConvTranspose", w, with: window.plain(groups: groups)).padded(-pads)
        }
        try d.set(1) { try window.weights(x.padded(pads), dy, like: w, groups: groups) }
        try d.set(2) { try dy.summedByChannel() }
    }

    static let examples = [
        Example(
            "a 3 × 3 box without padding",
            inputs: [
                Tensor(shape: [1, 1, 3, 4], scalars: (0..<12).map(Float.init)),
                Tensor(shape: [1, 1, 3, 3], scalars: [Float](repeating: 1, count: 9)),
                Tensor(shape: [1], scalars: [0.5] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 1, 1, 2], scalars: [45.5, 54.5] as [Float])], tolerance: 1e-6),
        Example(
            "two groups along one axis, padded to the same size",
            attributes: ["group": .int(2), "auto_pad": .string("SAME_UPPER")],
            inputs: [
                Tensor(shape: [1, 2, 3], scalars: [1, 2, 3, 4, 5, 6] as [Float]),
                Tensor(shape: [2, 1, 2], scalars: [1, 1, 2, 0] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 2, 3], scalars: [3, 5, 3, 8, 10, 12] as [Float])], tolerance: 1e-6),
        Example(
            "double, dilated by 2 and strided by 2",
            attributes: ["dilations": .ints([2]), "strides": .ints([2]), "pads": .ints([1, 1])],
            inputs: [
                Tensor(shape: [1, 1, 5], scalars: [1, 2, 3, 4, 5] as [Double]),
                Tensor(shape: [1, 1, 2], scalars: [1, 10] as [Double]),
            ],
            outputs: [Tensor(shape: [1, 1, 3], scalars: [20, 42, 4] as [Double])], tolerance: 1e-12),
    ]
}
