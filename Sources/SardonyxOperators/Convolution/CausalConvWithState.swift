import SardonyxGraph

/// y[n, c, t] = act(Σ z[n, c, t + j] · w[c, 0, j] + b[c]), j in 0 ..< k, where z is `past_state` (k − 1 elements, zeros when it is
/// omitted) followed by the input; `present_state` is the last k − 1 elements of z.
///
/// <https://onnx.ai/onnx/operators/onnx__CausalConvWithState.html>
enum CausalConvWithState: Operator {
    private static let types: TypeSet = [.bfloat16, .float, .float16]

    static let schema = Schema(
        "CausalConvWithState", versions: [27],
        inputs: [
            Parameter("input", "T", types), Parameter("weight", "T", types), Parameter("bias", "T", types, .optional),
            Parameter("past_state", "T", types, .optional),
        ],
        outputs: [Parameter("output", "T", types), Parameter("present_state", "T", types)],
        attributes: [AttributeSpec("activation", .string)])

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        try context.requireRank(0, 3...3, "input")
        try context.requireRank(1, 3...3, "weight")
        try context.requireRank(3, 3...3, "past_state")
        _ = try function(context.node)
        context.set(0, type, context.shape(0))
        let input = context.shape(0)
        let weight = context.shape(1)
        if let channels = input?[1].value, let weight {
            guard weight[0].value ?? channels == channels, weight[1].value ?? 1 == 1, weight[2].value ?? 1 >= 1 else {
                throw SardonyxError(
                    .invalidModel, "weight has the shape \(weight.text); it must be [\(channels), 1, k]")
            }
        }
        let state = [input?[0] ?? .unknown, input?[1] ?? .unknown, (weight?[2] ?? .unknown) - .fixed(1)]
        if let past = context.shape(3)?.fixed, let expected = state.fixed, past != expected {
            throw SardonyxError(.invalidModel, "past_state has the shape \(past); it must be \(expected)")
        }
        try ConvolutionGeometry.checkBias(context, 2, input?[1] ?? .unknown)
        context.set(1, type, state)
    }

    private static func function(_ node: Node) throws(SardonyxError) -> ActivationFunction? {
        switch node.string("activation", default: "none") {
        case "none", "": nil
        case "silu", "swish": .silu
        case let name:
            throw SardonyxError(.invalidModel, "activation is '\(name)'; it must be none, silu or swish")
        }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        try context.input(0).dataType.visitReal(
            Loops(
                shape: try context.input(0).shape, taps: try context.input(1).shape[2],
                activation: try function(context.node), bias: context.inputSlot(2), past: context.inputSlot(3),
                present: context.outputSlot(1)))
    }

    private struct Loops: RealVisitor {
        let shape: [Int]
        let taps: Int
        let activation: ActivationFunction?
        let bias: Int?
        let past: Int?
        let present: Int?

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let (shape, taps, activation, bias, past, present) = (shape, taps, activation, bias, past, present)
            let (channels, length, state) = (shape[1], shape[2], taps - 1)
            return .parallel(chunks: shape[0] * channels) { frame, plane, _ in
                let channel = plane % channels
                let x = frame.input(0, as: T.self) + plane * length
                let w = frame.input(1, as: T.self) + channel * taps
                let before = frame.input(slot: past, as: T.self).map { $0 + plane * state }
                let y = frame.output(0, as: T.self) + plane * length
                let shift = frame.input(slot: bias, as: T.self)?[channel].wide ?? 0
                func z(_ index: Int) -> T { index < state ? before?[index] ?? T.zero : x[index - state] }
                for t in 0..<length {
                    var sum = T.Wide.zero
                    for tap in 0..<taps { sum += z(t + tap).wide * w[tap].wide }
                    sum += shift
                    if let activation { sum = T.Wide(activation(Double(sum), 1, 0)) }
                    y[t] = T(wide: sum)
                }
                if let after = frame.output(slot: present, as: T.self) {
                    for index in 0..<state { after[plane * state + index] = z(length + index) }
                }
            }
        }
    }

    /// Windows of the state and the input, weighted and summed up.
    static let derivative: Derivative? = .definition { d in
        let (x, w) = (try d.x(0), try d.x(1))
        let taps = try w.extents(2..<3)
        let length = try x.extents(2..<3)
        let state = try d.optionalInput(3) ?? x.filled(0, x.extents(0..<2).joined([taps - x.integers([1])]))
        let z = try state.joined([x], axis: 2)
        let places = try length.indices().unsqueezed([1]) + taps.indices()
        var y = try (z.apply("Gather", places, with: ["axis": .int(2)]) * w).sum([3]).squeezed([3])
        if let bias = d.optionalInput(2) { y = try y + bias.unsqueezed([1]) }
        if try function(d.node) != nil { y = try y * y.sigmoid() }
        return [y, try z.apply("Slice", length, x.integers([Int(Int32.max)]), x.integers([2]))]
    }

    static let examples = [
        Example(
            "the state carries the last elements",
            inputs: [
                Tensor(shape: [1, 1, 3], scalars: [1, 2, 3] as [Float]),
                Tensor(shape: [1, 1, 2], scalars: [10, 1] as [Float]),
                nil, Tensor(shape: [1, 1, 1], scalars: [4] as [Float]),
            ],
            outputs: [
                Tensor(shape: [1, 1, 3], scalars: [41, 12, 23] as [Float]),
                Tensor(shape: [1, 1, 1], scalars: [3] as [Float]),
            ], tolerance: 1e-6)
    ]
}
