import CKernels
import SardonyxGraph

/// i, o, f = f(x·Wᵀ + h·Rᵀ + P ⊙ c + b); c = f ⊙ c + i ⊙ g(x·Wᵀ + h·Rᵀ + b); h = o ⊙ h(c), at each step of x[t, b, :].
///
/// The output gate's peephole sees the new cell state. Arguments of f and g are clipped to ±`clip`, that of h is not.
/// <https://onnx.ai/onnx/operators/onnx__LSTM.html>
enum LSTM: Operator {
    static let schema = Schema(
        "LSTM", versions: [1, 7, 14, 22],
        inputs: [
            Parameter("X", "T", .floats), Parameter("W", "T", .floats), Parameter("R", "T", .floats),
            Parameter("B", "T", .floats, .optional), Parameter("sequence_lens", "T1", [.int32], .optional),
            Parameter("initial_h", "T", .floats, .optional), Parameter("initial_c", "T", .floats, .optional),
            Parameter("P", "T", .floats, .optional),
        ],
        outputs: [
            Parameter("Y", "T", .floats, .optional), Parameter("Y_h", "T", .floats, .optional),
            Parameter("Y_c", "T", .floats, .optional),
        ],
        attributes: [
            AttributeSpec("activation_alpha", .floats), AttributeSpec("activation_beta", .floats),
            AttributeSpec("activations", .strings), AttributeSpec("clip", .float), AttributeSpec("direction", .string),
            AttributeSpec("hidden_size", .int), AttributeSpec("input_forget", .int), AttributeSpec("layout", .int),
        ])

    /// Through opset 6 `output_sequence` says whether Y is wanted, which the node's outputs say as well.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        if opset < 7 { node.attributes["output_sequence"] = nil }
    }

    static func infer(_ context: inout InferenceContext) throws {
        try context.inferRecurrent(gates: 4, hasCell: true)
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        try context.recurrent(
            float: { try kernel(Float.self, $0, pointwise: runDefaults) },
            double: { try kernel(Double.self, $0, pointwise: nil) })
    }

    private static func kernel<T: MatrixNumber>(
        _ type: T.Type, _ context: PreparationContext,
        pointwise: (@Sendable (Cell<T>, RecurrentStep<T>, UnsafePointer<T>, UnsafePointer<T>?) -> Void)?
    ) throws -> Kernel {
        let directions = try RecurrentDirection(context.node).count
        let cells = try RecurrentActivations.all(
            context.node, directions: directions, defaults: [.sigmoid, .tanh, .tanh]
        ).map {
            Cell<T>(
                activations: $0, couplesForget: context.node.flag("input_forget"), peepholeSlot: context.inputSlot(7),
                pointwise: $0.areDefaults ? pointwise : nil)
        }
        return try RecurrentKernel(context, gates: 4, cells: cells).kernel(context)
    }

    fileprivate struct Cell<T: MatrixNumber>: RecurrentCell {
        let activations: RecurrentActivations
        let couplesForget: Bool
        let peepholeSlot: Int?
        /// A faster form of what follows the product.
        let pointwise: (@Sendable (Cell<T>, RecurrentStep<T>, UnsafePointer<T>, UnsafePointer<T>?) -> Void)?

        let products = [0..<4]
        let keepsRecurrentBias = false
        let scratchFactor = 4
        let hasCellState = true

        func run(_ step: RecurrentStep<T>) {
            step.multiply(0, step.previousState, into: step.scratch, addend: step.projected)
            let peephole = step.frame.input(slot: peepholeSlot, as: T.self).map {
                $0 + step.direction * 3 * step.hidden
            }
            if let pointwise { return pointwise(self, step, step.scratch, peephole) }
            let hidden = step.hidden
            for b in 0..<step.batch {
                let gates = step.scratch + b * 4 * hidden
                for j in 0..<hidden {
                    let place = b * hidden + j
                    var (input, output, forget) = (gates[j], gates[hidden + j], gates[2 * hidden + j])
                    let last = step.previousCell[place]
                    if let peephole {
                        input += peephole[j] * last
                        forget += peephole[2 * hidden + j] * last
                    }
                    input = activations.apply(0, input)
                    forget = couplesForget ? 1 - input : activations.apply(0, forget)
                    let cell = forget * last + input * activations.apply(1, gates[3 * hidden + j])
                    if let peephole { output += peephole[hidden + j] * cell }
                    step.cell[place] = cell
                    step.state[place] = activations.apply(0, output) * activations.unclipped(2, cell)
                }
            }
        }
    }

    @Sendable
    private static func runDefaults(
        _ cell: Cell<Float>, _ step: RecurrentStep<Float>, _ gates: UnsafePointer<Float>,
        _ peephole: UnsafePointer<Float>?
    ) {
        sdx_lstm_gates_f32(
            step.frame.pool, gates, Int64(4 * step.hidden), nil, 0, peephole, step.previousCell, step.cell, step.state,
            Int64(step.batch), Int64(step.hidden), cell.activations.clip, cell.couplesForget ? 1 : 0)
    }

    static let derivative: Derivative? = .definition { d in
        let couplesForget = d.node.flag("input_forget")
        return try d.recurrentLayer(defaults: [.sigmoid, .tanh, .tanh], hasCell: true, peepholes: 7) { step in
            guard let last = step.cell else { return [] }
            let functions = step.activations
            let gates = try (step.projected + step.state.apply("MatMul", step.recurrent)).split(4)
            var (input, output, forget) = (gates[0], gates[1], gates[2])
            let peepholes = try step.extra?.split(3)
            if let peepholes {
                input = try input + peepholes[0] * last
                forget = try forget + peepholes[2] * last
            }
            input = try functions.apply(0, input)
            forget = try couplesForget ? 1 - input : functions.apply(0, forget)
            let cell = try forget * last + input * functions.apply(1, gates[3])
            if let peepholes { output = try output + peepholes[1] * cell }
            return [try functions.apply(0, output) * functions.unclipped(2, cell), cell]
        }
    }

    static let examples = [
        Example(
            "two steps",
            attributes: ["hidden_size": .int(1)],
            inputs: [
                Tensor(shape: [2, 1, 1], scalars: [1.0, -2.0] as [Float]),
                Tensor(shape: [1, 4, 1], scalars: [0.5, -0.25, 1.0, 0.75] as [Float]),
                Tensor(shape: [1, 4, 1], scalars: [0.25, 0.5, -0.5, 1.0] as [Float]),
            ],
            outputs: [
                Tensor(shape: [2, 1, 1, 1], scalars: [0.1646072, -0.125046] as [Float]),
                Tensor(shape: [1, 1, 1], scalars: [-0.125046] as [Float]),
                Tensor(shape: [1, 1, 1], scalars: [-0.1974236] as [Float]),
            ], tolerance: 1e-6),
        Example(
            "peepholes, biases and initial states, the last state only",
            attributes: ["hidden_size": .int(1)],
            inputs: [
                Tensor(shape: [2, 1, 1], scalars: [1.0, -2.0] as [Float]),
                Tensor(shape: [1, 4, 1], scalars: [0.5, -0.25, 1.0, 0.75] as [Float]),
                Tensor(shape: [1, 4, 1], scalars: [0.25, 0.5, -0.5, 1.0] as [Float]),
                Tensor(shape: [1, 8], scalars: [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7] as [Float]),
                nil,
                Tensor(shape: [1, 1, 1], scalars: [0.5] as [Float]),
                Tensor(shape: [1, 1, 1], scalars: [-0.5] as [Float]),
                Tensor(shape: [1, 3], scalars: [0.1, 0.2, 0.3] as [Float]),
            ],
            outputs: [
                nil,
                Tensor(shape: [1, 1, 1], scalars: [-0.02931361] as [Float]),
                nil,
            ], tolerance: 1e-6),
        Example(
            "backwards, clipped, in double",
            attributes: ["hidden_size": .int(1), "direction": .string("reverse"), "clip": .float(0.5)],
            inputs: [
                Tensor(shape: [2, 1, 1], scalars: [1.0, -2.0] as [Double]),
                Tensor(shape: [1, 4, 1], scalars: [0.5, -0.25, 1.0, 0.75] as [Double]),
                Tensor(shape: [1, 4, 1], scalars: [0.25, 0.5, -0.5, 1.0] as [Double]),
            ],
            outputs: [
                Tensor(shape: [2, 1, 1, 1], scalars: [0.07402439, -0.1075106] as [Double]),
                Tensor(shape: [1, 1, 1], scalars: [0.07402439] as [Double]),
                Tensor(shape: [1, 1, 1], scalars: [0.1761215] as [Double]),
            ], tolerance: 1e-6),
    ]
}
