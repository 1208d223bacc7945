import SardonyxGraph

/// y[n, m, o] = Σ mask[n, t, o] · x[n, c, o · stride + t · dilation − pad + offset[n, t, :, o]] · w[m, c, t] + b[m], where x is
/// interpolated linearly between its elements and is 0 outside.
///
/// <https://onnx.ai/onnx/operators/onnx__DeformConv.html>
enum DeformConv: Operator {
    static let schema = Schema(
        "DeformConv", versions: [19, 22],
        inputs: [
            Parameter("X", "T", .floats), Parameter("W", "T", .floats), Parameter("offset", "T", .floats),
            Parameter("B", "T", .floats, .optional), Parameter("mask", "T", .floats, .optional),
        ],
        outputs: [Parameter("Y", "T", .floats)],
        attributes: [
            AttributeSpec("dilations", .ints), AttributeSpec("group", .int), AttributeSpec("kernel_shape", .ints),
            AttributeSpec("offset_group", .int), AttributeSpec("pads", .ints), AttributeSpec("strides", .ints),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        try ConvolutionGeometry.infer(&context, bias: 3, output: try context.dataType(0))
        let groups = try offsetGroups(context.node)
        if let channels = context.shape(0)?[1].value, channels % groups != 0 {
            throw SardonyxError(.invalidModel, "the \(channels) channels do not divide into \(groups) offset groups")
        }
        guard let output = context.outputs[0].shape?.fixed,
            let kernel = try ConvolutionGeometry.kernel(context.node, context.shape(1), rank: output.count)
        else { return }
        let taps = kernel.reduce(groups) { $0.multipliedReportingOverflow(by: $1).partialValue }
        let spatial = Array(output.dropFirst(2))
        let expected = [(2, "offset", taps &* kernel.count), (4, "mask", taps)]
        for (index, name, channels) in expected {
            guard let shape = context.shape(index)?.fixed else { continue }
            guard shape == [output[0], channels] + spatial else {
                throw SardonyxError(
                    .invalidModel, "\(name) has the shape \(shape); it must be \([output[0], channels] + spatial)")
            }
        }
    }

    private static func offsetGroups(_ node: Node) throws(SardonyxError) -> Int {
        let groups = node.int("offset_group", default: 1)
        guard groups >= 1 else { throw SardonyxError(.invalidModel, "offset_group is \(groups); it must be 1 or more") }
        return groups
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let geometry = try ConvolutionGeometry(context)
        return try context.input(0).dataType.visitReal(
            Loops(
                geometry: geometry, offsetGroups: try offsetGroups(context.node), bias: context.inputSlot(3),
                mask: context.inputSlot(4)))
    }

    private struct Loops: RealVisitor {
        let geometry: ConvolutionGeometry
        let offsetGroups: Int
        let bias: Int?
        let mask: Int?

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let (geometry, groups, bias, mask) = (geometry, offsetGroups, bias, mask)
            let taps = WindowTaps(geometry.window)
            let sampler = LinearSampler(geometry.window.input)
            let rank = geometry.window.rank
            let channelsPerOffset = geometry.channels / groups
            let area = geometry.outputPlane
            return .parallel(chunks: geometry.batch * geometry.filters) { frame, plane, _ in
                let (image, filter) = (plane / geometry.filters, plane % geometry.filters)
                let first = filter / geometry.filtersPerGroup * geometry.channelsPerGroup
                let x = frame.input(0, as: T.self) + image * geometry.channels * geometry.inputPlane
                let w = frame.input(1, as: T.self) + filter * geometry.channelsPerGroup * taps.count
                let offsets = frame.input(2, as: T.self) + image * groups * taps.count * rank * area
                let masks = frame.input(slot: mask, as: T.self).map { $0 + image * groups * taps.count * area }
                let y = frame.output(0, as: T.self) + plane * area
                let shift = frame.input(slot: bias, as: T.self)?[filter].wide ?? 0
                // SAFETY: every access is below `rank`.
                withUnsafeTemporaryAllocation(of: T.Wide.self, capacity: rank) { point in
                    taps.forEachOutput { output, start in
                        var sum = T.Wide.zero
                        for channel in 0..<geometry.channelsPerGroup {
                            let group = (first + channel) / channelsPerOffset
                            let source = x + (first + channel) * geometry.inputPlane
                            for tap in 0..<taps.count {
                                let place = group * taps.count + tap
                                for axis in 0..<rank {
                                    point[axis] =
                                        T.Wide(start[axis] + taps.offset(tap, axis))
                                        + offsets[(place * rank + axis) * area + output].wide
                                }
                                var value = sampler.sample(source, point.baseAddress.unsafelyUnwrapped)
                                if let masks { value *= masks[place * area + output].wide }
                                sum += value * w[channel * taps.count + tap].wide
                            }
                        }
                        y[output] = T(wide: sum + shift)
                    }
                }
            }
        }
    }

    static let examples = [
        Example(
            "half a step to the right averages neighbours",
            inputs: [
                Tensor(shape: [1, 1, 1, 3], scalars: [1, 3, 5] as [Float]),
                Tensor(shape: [1, 1, 1, 1], scalars: [2] as [Float]),
                Tensor(shape: [1, 2, 1, 3], scalars: [0, 0, 0, 0.5, 0.5, 0.5] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 1, 1, 3], scalars: [4, 8, 5] as [Float])], tolerance: 1e-6)
    ]
}
