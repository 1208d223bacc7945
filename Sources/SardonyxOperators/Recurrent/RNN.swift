import CKernels
import SardonyxGraph

/// h = f(x·Wᵀ + h·Rᵀ + b), at each step of x[t, b, :].
///
/// <https://onnx.ai/onnx/operators/onnx__RNN.html>
enum RNN: Operator {
    static let schema = Schema(
        "RNN", versions: [1, 7, 14, 22],
        inputs: [
            Parameter("X", "T", .floats), Parameter("W", "T", .floats), Parameter("R", "T", .floats),
            Parameter("B", "T", .floats, .optional), Parameter("sequence_lens", "T1", [.int32], .optional),
            Parameter("initial_h", "T", .floats, .optional),
        ],
        outputs: [Parameter("Y", "T", .floats, .optional), Parameter("Y_h", "T", .floats, .optional)],
        attributes: [
            AttributeSpec("activation_alpha", .floats), AttributeSpec("activation_beta", .floats),
            AttributeSpec("activations", .strings), AttributeSpec("clip", .float), AttributeSpec("direction", .string),
            AttributeSpec("hidden_size", .int), AttributeSpec("layout", .int),
        ])

    /// Through opset 6 `output_sequence` says whether Y is wanted, which the node's outputs say as well.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        if opset < 7 { node.attributes["output_sequence"] = nil }
    }

    static func infer(_ context: inout InferenceContext) throws {
        try context.inferRecurrent(gates: 1, hasCell: false)
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        try context.recurrent(
            float: { context in
                try kernel(context) { $0.plainFunction(0).flatMap(fastForm) }
            }, double: { try kernel($0) { _ in nil as Cell<Double>.Activation? } })
    }

    private static func kernel<T: MatrixNumber>(
        _ context: PreparationContext, _ fast: (RecurrentActivations) -> Cell<T>.Activation?
    ) throws -> Kernel {
        let directions = try RecurrentDirection(context.node).count
        let cells = try RecurrentActivations.all(context.node, directions: directions, defaults: [.tanh]).map {
            Cell<T>(activations: $0, fast: fast($0))
        }
        return try RecurrentKernel(context, gates: 1, cells: cells).kernel(context)
    }

    private struct Cell<T: MatrixNumber>: RecurrentCell {
        typealias Activation = @Sendable (RecurrentStep<T>, _ clip: Float) -> Void

        let activations: RecurrentActivations
        /// A faster form of clipping and activation, in place in the new state.
        let fast: Activation?

        let products = [0..<1]
        let keepsRecurrentBias = false
        let scratchFactor = 0
        let hasCellState = false

        func run(_ step: RecurrentStep<T>) {
            step.multiply(0, step.previousState, into: step.state, addend: step.projected)
            if let fast { return fast(step, activations.clip) }
            for place in 0..<step.batch * step.hidden { step.state[place] = activations.apply(0, step.state[place]) }
        }
    }

    private static func fastForm(_ function: ActivationFunction) -> Cell<Float>.Activation? {
        let kernel: sdx_unary_op
        switch function {
        case .tanh: kernel = SDX_UNARY_TANH
        case .relu: kernel = SDX_UNARY_RELU
        case .sigmoid: kernel = SDX_UNARY_SIGMOID
        default: return nil
        }
        return { step, clip in
            let count = Int64(step.batch * step.hidden)
            if clip > 0 { sdx_unary_f32(step.frame.pool, SDX_UNARY_CLIP, step.state, step.state, count, -clip, clip) }
            sdx_unary_f32(step.frame.pool, kernel, step.state, step.state, count, 0, 0)
        }
    }

    static let derivative: Derivative? = .definition { d in
        try d.recurrentLayer(defaults: [.tanh]) { step in
            [try step.activations.apply(0, step.projected + step.state.apply("MatMul", step.recurrent))]
        }
    }

    static let examples = [
        Example(
            "two steps",
            attributes: ["hidden_size": .int(1)],
            inputs: [
                Tensor(shape: [2, 1, 1], scalars: [1.0, -2.0] as [Float]),
                Tensor(shape: [1, 1, 1], scalars: [0.5] as [Float]),
                Tensor(shape: [1, 1, 1], scalars: [0.25] as [Float]),
            ],
            outputs: [
                Tensor(shape: [2, 1, 1, 1], scalars: [0.4621172, -0.708652] as [Float]),
                Tensor(shape: [1, 1, 1], scalars: [-0.708652] as [Float]),
            ], tolerance: 1e-6),
        Example(
            "sequences of different lengths, backwards",
            attributes: ["hidden_size": .int(1), "direction": .string("reverse")],
            inputs: [
                Tensor(shape: [2, 2, 1], scalars: [1.0, 2.0, 3.0, 4.0] as [Float]),
                Tensor(shape: [1, 1, 1], scalars: [0.5] as [Float]),
                Tensor(shape: [1, 1, 1], scalars: [0.25] as [Float]),
                nil,
                Tensor(shape: [2], scalars: [1, 2] as [Int32]),
            ],
            outputs: [
                Tensor(shape: [2, 1, 2, 1], scalars: [0.4621172, 0.8457425, 0.0, 0.9640275] as [Float]),
                Tensor(shape: [1, 2, 1], scalars: [0.4621172, 0.8457425] as [Float]),
            ], tolerance: 1e-6),
        Example(
            "both directions, their own activations, in double",
            attributes: [
                "hidden_size": .int(1), "direction": .string("bidirectional"),
                "activations": .strings(["Relu", "HardSigmoid"]), "activation_alpha": .floats([0.25]),
                "activation_beta": .floats([0.5]),
            ],
            inputs: [
                Tensor(shape: [2, 1, 1], scalars: [1.0, -2.0] as [Double]),
                Tensor(shape: [2, 1, 1], scalars: [0.5, 0.5] as [Double]),
                Tensor(shape: [2, 1, 1], scalars: [0.25, 0.25] as [Double]),
                Tensor(shape: [2, 2], scalars: [0.0, 0.1, 0.0, 0.1] as [Double]),
            ],
            outputs: [
                Tensor(shape: [2, 2, 1, 1], scalars: [0.6, 0.6671875, 0.0, 0.275] as [Double]),
                Tensor(shape: [2, 1, 1], scalars: [0.0, 0.6671875] as [Double]),
            ], tolerance: 1e-6),
    ]
}
