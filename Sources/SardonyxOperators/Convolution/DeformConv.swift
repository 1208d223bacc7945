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

    /// Samples of x at the taps of all windows, and a product of them with the weights.
    static let derivative: Derivative? = .definition { d in
        let (x, w, y) = (try d.x(0), try d.x(1), try d.y())
        let given = try d.x(2)
        let offset = try given.dataType().isHalfWidth ? given.apply("Cast", with: ["to": .int(1)]) : given
        let window = try d.window(w)
        let rank = window.rank
        let (groups, offsetGroups) = (d.node.int("group", default: 1), try Self.offsetGroups(d.node))
        let kernel = try w.extents(2..<2 + rank)
        let (taps, outputs) = try (kernel.apply("ReduceProd"), y.extents(2..<2 + rank).apply("ReduceProd"))
        let images = try x.extents(0..<1)
        // Offsets of each group, tap and axis at each window.
        let offsets = try offset.reshaped(
            to: images.joined([x.integers([offsetGroups]), taps, x.integers([rank]), outputs]))
        var samples: [(place: Term, weight: Term)] = []
        for axis in 0..<rank {
            let own = try offsets.apply("Gather", x.scalar(axis), with: ["axis": .int(3)])
            let windows = try window.positions(axis, windows: y.extents(2..<2 + rank)).reshaped(
                to: taps.joined([outputs]))
            let position = try own + windows.converted(to: offset)
            let stride = try x.extents(3 + axis..<2 + rank).apply("ReduceProd")
            let ends = try Self.ends(position, extent: x.extents(2 + axis..<3 + axis), stride: stride)
            samples =
                axis == 0
                ? ends
                : try samples.flatMap { sample in try ends.map { (try sample.place + $0, try sample.weight * $1) } }
        }
        let planes = try x.reshaped(
            to: images.joined([x.integers([offsetGroups, -1]), x.extents(2..<2 + rank).apply("ReduceProd")]))
        let channels = try x.extents(1..<2) / x.integers([offsetGroups])
        let line = try images.joined([x.integers([offsetGroups, 1]), taps * outputs])
        let whole = try x.integers([1, 1]).joined([channels, x.integers([1])])
        let parts = try samples.map { place, weight in
            let places = try place.reshaped(to: line).apply("Expand", whole)
            return try planes.apply("GatherElements", places, with: ["axis": .int(3)])
                * weight.reshaped(to: line).converted(to: x)
        }
        var columns = try parts.dropFirst().reduce(parts[0]) { try $0 + $1 }
        if let mask = d.optionalInput(4) { columns = try columns * mask.reshaped(to: line) }
        let perGroup = try w.extents(1..<2) * taps
        let matrix = try columns.reshaped(to: images.joined([x.integers([groups]), perGroup, outputs]))
        let filters = try w.reshaped(to: x.integers([groups, -1]).joined([perGroup]))
        let result = try filters.apply("MatMul", matrix).reshaped(like: y)
        guard let bias = d.optionalInput(3) else { return [result] }
        return [try result + bias.unsqueezed(Array(1...rank))]
    }

    /// The two elements beside each position along an axis, as places and weights; outside the input the weight is 0.
    private static func ends(_ position: Term, extent: Term, stride: Term) throws -> [(place: Term, weight: Term)] {
        let low = try position.apply("Floor")
        let fraction = try position - low
        let size = try extent.converted(to: position)
        return try [(low, 1 - fraction), (low + 1, fraction)].map { place, weight in
            let isInside = try place.isLess(than: 0).apply("Not").apply("And", place.isLess(than: size))
            let bounded = try place.kept(where: isInside).converted(to: extent)
            return (try bounded * stride, try weight.kept(where: isInside))
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
