import CKernels
import SardonyxGraph

/// y[n, c, …] = scale[c] · (x[n, c, …] − mean[c]) / √(var[c] + ε) + bias[c]. In training mode mean and var are those of the
/// batch, and the running ones are given out: running = running · momentum + batch · (1 − momentum).
///
/// <https://onnx.ai/onnx/operators/onnx__BatchNormalization.html>
enum BatchNormalization: Operator {
    static let schema = Schema(
        "BatchNormalization", versions: [1, 6, 7, 9, 14, 15],
        inputs: [
            Parameter("X", "T", .floats), Parameter("scale", "T1", .floats), Parameter("B", "T1", .floats),
            Parameter("input_mean", "T2", .floats), Parameter("input_var", "T2", .floats),
        ],
        outputs: [
            Parameter("Y", "T", .floats), Parameter("running_mean", "T2", .floats, .optional),
            Parameter("running_var", "T2", .floats, .optional),
        ],
        attributes: [
            AttributeSpec("training_mode", .int), AttributeSpec("momentum", .float), AttributeSpec("epsilon", .float),
        ])

    /// Through opset 6 a node trains unless `is_test` is set, from then through opset 13 when it has more than one output.
    /// Its last two outputs were the batch's own mean and variance. Through opset 8 `spatial` = 0 asked for statistics of
    /// every element of an image, which is the same of a flat image.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.attributes["consumed_inputs"] = nil
        guard opset < 14 else { return }
        var trains = node.outputs.dropFirst().contains { $0 != nil }
        if case .int(let isTest)? = node.attributes.removeValue(forKey: "is_test"), opset < 7 {
            trains = isTest == 0
        } else if opset < 7 {
            trains = true
        }
        var flat: [(value: ValueID, output: ValueID, shape: ValueID)] = []
        if case .int(0)? = node.attributes.removeValue(forKey: "spatial"), opset < 9, node.inputs.count == 5 {
            flat = flatten(&node, &lifting)
        }
        let saved = Array(node.outputs.dropFirst(3))
        node.outputs = Array(node.outputs.prefix(trains ? 3 : 1))
        if trains {
            node.attributes["training_mode"] = .int(1)
            if saved.contains(where: { $0 != nil }) {
                // With momentum 0 the running statistics are the batch's.
                var attributes: [String: Attribute] = ["training_mode": .int(1), "momentum": .float(0)]
                attributes["epsilon"] = node.attributes["epsilon"]
                lifting.insertAfter(
                    "BatchNormalization", node.inputs,
                    outputs: [lifting.addValue("\(node.displayName).batch")] + saved, attributes, for: node)
            }
        }
        for (value, output, shape) in flat {
            lifting.insertAfter("Reshape", [value, shape], output: output, for: node)
        }
    }

    /// Makes an image one row of C · D₁ · … channels, and every parameter a vector of as many.
    /// - Returns: for each output the flat value, the value that it was, and the shape to give it.
    private static func flatten(
        _ node: inout Node, _ lifting: inout Lifting
    ) -> [(value: ValueID, output: ValueID, shape: ValueID)] {
        let (x, parameter) = (node.inputs[0], node.inputs[1])
        let row = lifting.add([-1], "\(node.displayName).row")
        let shapes = [x, parameter].map { [node] in lifting.insertBefore("Shape", [$0], for: node) }
        node.inputs[0] = lifting.insertBefore("Flatten", [x], for: node)
        for index in 1..<5 {
            node.inputs[index] = lifting.insertBefore("Reshape", [node.inputs[index], row], for: node)
        }
        var flat: [(value: ValueID, output: ValueID, shape: ValueID)] = []
        for (index, output) in node.outputs.enumerated() {
            guard let output else { continue }
            let value = lifting.addValue("\(node.displayName).flat\(index)")
            node.outputs[index] = value
            flat.append((value, output, shapes[min(index, 1)]))
        }
        return flat
    }

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        guard let shape = context.shape(0) else { return }
        guard shape.count >= 1 else { throw SardonyxError(.invalidModel, "X must have 1 axis or more") }
        let channels = shape.count > 1 ? shape[1] : .fixed(1)
        try context.requireChannelVectors([1, 2, 3, 4], channels: channels, schema)
        for output in 1..<max(1, context.outputs.count) {
            context.set(output, try context.dataType(output + 2), [channels])
        }
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        guard !context.node.flag("training_mode"), try (1...4).allSatisfy({ try context.input($0).dataType == .float })
        else { return [] }
        return try context.channelBlocks()
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let x = try context.input(0)
        let statistics = ChannelStatistics(
            layout: ChannelLayout(x.shape), epsilon: context.node.float("epsilon", default: 1e-5),
            types: try (1...4).map { try context.input($0).dataType })
        if context.node.flag("training_mode") {
            return try x.dataType.visitReal(
                Training(
                    statistics: statistics, momentum: context.node.float("momentum", default: 0.9),
                    wants: [context.wants(1), context.wants(2)]))
        }
        var kernel: Kernel
        if x.dataType == .float, statistics.types.allSatisfy({ $0 == .float }) {
            let layout = statistics.layout
            let activation = try FusedActivation.kernelForm(FusedActivation(context.node))
            kernel =
                x.layout == .channelBlocks
                ? statistics.blocked(activation)
                : Kernel { frame in
                    sdx_batch_norm_f32(
                        frame.pool, frame.input(0), frame.output(0), layout.batch, layout.channels, layout.inner,
                        frame.input(1), frame.input(2), frame.input(3), frame.input(4), statistics.epsilon,
                        activation.kind, activation.a)
                }
        } else {
            kernel = try x.dataType.visitReal(Inference(statistics: statistics))
        }
        kernel.inPlace = [0: [0]]
        return kernel
    }

    /// What both modes know: scale, bias, mean and variance are inputs 1 to 4, of these types.
    private struct ChannelStatistics: Sendable {
        let layout: ChannelLayout
        let epsilon: Float
        let types: [DataType]

        /// Channels in blocks: scale and shift of each channel are made in the workspace first.
        func blocked(_ activation: sdx_activation) -> Kernel {
            let (layout, epsilon) = (layout, epsilon)
            let channels = Int(layout.channels)
            var kernel = Kernel { frame in
                let (scale, bias) = (frame.input(1, as: Float.self), frame.input(2, as: Float.self))
                let (mean, variance) = (frame.input(3, as: Float.self), frame.input(4, as: Float.self))
                guard let factors = frame.workspace?.assumingMemoryBound(to: Float.self) else { return }
                let shifts = factors + channels
                for channel in 0..<channels {
                    let factor = Double(scale[channel]) / (Double(variance[channel]) + Double(epsilon)).squareRoot()
                    factors[channel] = Float(factor)
                    shifts[channel] = Float(Double(bias[channel]) - Double(mean[channel]) * factor)
                }
                sdx_scale_shift_c8_f32(
                    frame.pool, frame.input(0), frame.output(0), layout.batch, layout.channels, layout.inner, factors,
                    shifts, activation)
            }
            kernel.workspaceByteCount = 2 * channels * MemoryLayout<Float>.stride
            return kernel
        }

        func parameter(_ input: Int, _ channel: Int, in frame: Frame) -> Double {
            frame.double(input, types[input - 1], channel)
        }
    }

    private struct Inference: RealVisitor {
        let statistics: ChannelStatistics

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let s = statistics
            return Kernel { frame in
                let x = frame.input(0, as: T.self)
                let y = frame.output(0, as: T.self)
                for channel in 0..<Int(s.layout.channels) {
                    let mean = s.parameter(3, channel, in: frame)
                    let factor =
                        s.parameter(1, channel, in: frame)
                        / (s.parameter(4, channel, in: frame) + Double(s.epsilon)).squareRoot()
                    let bias = s.parameter(2, channel, in: frame)
                    s.layout.forEach(channel) { y[$0] = T.converting((x[$0].double - mean) * factor + bias) }
                }
            }
        }
    }

    private struct Training: RealVisitor {
        let statistics: ChannelStatistics
        let momentum: Float
        let wants: [Bool]

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let (s, momentum, wantsMean, wantsVariance) = (statistics, Double(momentum), wants[0], wants[1])
            return Kernel { frame in
                let x = frame.input(0, as: T.self)
                let y = frame.output(0, as: T.self)
                let count = Double(s.layout.batch * s.layout.inner)
                for channel in 0..<Int(s.layout.channels) {
                    var sum = 0.0
                    s.layout.forEach(channel) { sum += x[$0].double }
                    let mean = sum / count
                    var squares = 0.0
                    s.layout.forEach(channel) { squares += (x[$0].double - mean) * (x[$0].double - mean) }
                    let variance = squares / count
                    let factor = s.parameter(1, channel, in: frame) / (variance + Double(s.epsilon)).squareRoot()
                    let bias = s.parameter(2, channel, in: frame)
                    s.layout.forEach(channel) { y[$0] = T.converting((x[$0].double - mean) * factor + bias) }
                    func store(_ batch: Double, _ input: Int, _ output: Int) {
                        let running = s.parameter(input, channel, in: frame) * momentum + batch * (1 - momentum)
                        frame.store(running, output, s.types[input - 1], channel)
                    }
                    if wantsMean { store(mean, 3, 1) }
                    if wantsVariance { store(variance, 4, 2) }
                }
            }
        }
    }

    static let derivative: Derivative? = .definition { d in
        let x = try d.x()
        let space = try x.space()
        let others = [0] + space
        let parameters = try (1...4).map { try d.x($0).converted(to: x).unsqueezed(space.map { $0 - 1 }) }
        let isTraining = d.node.flag("training_mode")
        let mean = isTraining ? try x.mean(others) : parameters[2]
        let centred = try x - mean
        let variance = isTraining ? try centred.squared().mean(others) : parameters[3]
        let deviation = try (variance + Double(d.node.float("epsilon", default: 1e-5))).sqrt()
        let y = try centred / deviation * parameters[0] + parameters[1]
        guard isTraining else { return [y] }
        let momentum = Double(d.node.float("momentum", default: 0.9))
        let running = try [(mean, 3), (variance, 4)].map { batch, input in
            let before = try d.x(input)
            return try before * momentum + batch.squeezed(others).converted(to: before) * (1 - momentum)
        }
        return [y] + running
    }

    static let examples = [
        Example(
            "one factor and one shift a channel",
            inputs: [
                Tensor(shape: [1, 2, 2], scalars: [1, 2, 3, 4] as [Float]),
                Tensor(shape: [2], scalars: [2, 1] as [Float]),
                Tensor(shape: [2], scalars: [0, 1] as [Float]), Tensor(shape: [2], scalars: [1, 3] as [Float]),
                Tensor(shape: [2], scalars: [3.99999, 0.99999] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 2, 2], scalars: [0, 1, 1, 2] as [Float])], tolerance: 1e-6)
    ]
}
