import CKernels
import SardonyxGraph

/// z, r = f(x·Wᵀ + h·Rᵀ + b); n = g(x·Wᵀ + (r ⊙ h)·Rᵀ + b); h = (1 − z) ⊙ n + z ⊙ h, at each step of x[t, b, :].
///
/// With `linear_before_reset`, n = g(x·Wᵀ + Wb + r ⊙ (h·Rᵀ + Rb)).
/// <https://onnx.ai/onnx/operators/onnx__GRU.html>
enum GRU: Operator {
    static let schema = Schema(
        "GRU", versions: [1, 3, 7, 14, 22],
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
            AttributeSpec("linear_before_reset", .int),
        ])

    /// Through opset 6 `output_sequence` says whether Y is wanted, which the node's outputs say as well.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        if opset < 7 { node.attributes["output_sequence"] = nil }
    }

    static func infer(_ context: inout InferenceContext) throws {
        try context.inferRecurrent(gates: 3, hasCell: false)
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        try context.recurrent(float: { try kernel(FloatGates(), $0) }, double: { try kernel(LoopGates<Double>(), $0) })
    }

    private static func kernel<G: GRUGates>(_ fast: G, _ context: PreparationContext) throws -> Kernel {
        let directions = try RecurrentDirection(context.node).count
        let isLinearBeforeReset = context.node.flag("linear_before_reset")
        let cells = try RecurrentActivations.all(
            context.node, directions: directions, defaults: [.sigmoid, .tanh]
        ).map {
            Cell(
                activations: $0, isLinearBeforeReset: isLinearBeforeReset, fast: $0.areDefaults ? fast : nil,
                products: isLinearBeforeReset ? [0..<3] : [0..<2, 2..<3])
        }
        return try RecurrentKernel(context, gates: 3, cells: cells).kernel(context)
    }

    private struct Cell<G: GRUGates>: RecurrentCell {
        let activations: RecurrentActivations
        let isLinearBeforeReset: Bool
        let fast: G?
        let products: [Range<Int>]
        var keepsRecurrentBias: Bool { isLinearBeforeReset }
        let scratchFactor = 4
        let hasCellState = false

        func run(_ step: RecurrentStep<G.Element>) {
            if let fast {
                run(step, fast)
            } else {
                run(step, LoopGates<G.Element>())
            }
        }

        private func run<Gates: GRUGates<G.Element>>(_ step: RecurrentStep<G.Element>, _ gates: Gates) {
            if isLinearBeforeReset {
                step.multiply(0, step.previousState, into: step.scratch, bias: step.recurrentBias)
                return gates.runLinear(step, recurrent: step.scratch, activations)
            }
            let size = step.batch * step.hidden
            // z and r of each batch element; then the new gate's product over them.
            let recurrent = step.scratch
            let (update, reset) = (step.scratch + 2 * size, step.scratch + 3 * size)
            step.multiply(0, step.previousState, into: recurrent)
            gates.runReset(step, recurrent: recurrent, update: update, reset: reset, activations)
            step.multiply(1, reset, into: recurrent)
            gates.runOutput(step, recurrent: recurrent, update: update, activations)
        }
    }

    static let derivative: Derivative? = .definition { d in
        let isLinearBeforeReset = d.node.flag("linear_before_reset")
        return try d.recurrentLayer(defaults: [.sigmoid, .tanh], keepsRecurrentBias: isLinearBeforeReset) { step in
            let (functions, last) = (step.activations, step.state)
            let own = try step.projected.split(3)
            let matrices = try step.recurrent.split(3)
            let biases = try step.extra?.split(3)
            func product(_ state: Term, _ gate: Int) throws -> Term {
                let product = try state.apply("MatMul", matrices[gate])
                return try biases.map { try product + $0[gate] } ?? product
            }
            let update = try functions.apply(0, own[0] + product(last, 0))
            let reset = try functions.apply(0, own[1] + product(last, 1))
            let new = try functions.apply(
                1, own[2] + (isLinearBeforeReset ? reset * product(last, 2) : product(reset * last, 2)))
            return [try (1 - update) * new + update * last]
        }
    }

    static let examples = [
        Example(
            "two steps",
            attributes: ["hidden_size": .int(1)],
            inputs: [
                Tensor(shape: [2, 1, 1], scalars: [1.0, -2.0] as [Float]),
                Tensor(shape: [1, 3, 1], scalars: [0.5, -0.25, 1.0] as [Float]),
                Tensor(shape: [1, 3, 1], scalars: [0.25, 0.5, -0.5] as [Float]),
            ],
            outputs: [
                Tensor(shape: [2, 1, 1, 1], scalars: [0.2875328, -0.613815] as [Float]),
                Tensor(shape: [1, 1, 1], scalars: [-0.613815] as [Float]),
            ], tolerance: 1e-6),
        Example(
            "reset after the product",
            attributes: ["hidden_size": .int(1), "linear_before_reset": .int(1)],
            inputs: [
                Tensor(shape: [2, 1, 1], scalars: [1.0, -2.0] as [Float]),
                Tensor(shape: [1, 3, 1], scalars: [0.5, -0.25, 1.0] as [Float]),
                Tensor(shape: [1, 3, 1], scalars: [0.25, 0.5, -0.5] as [Float]),
                Tensor(shape: [1, 6], scalars: [0.0, 0.1, 0.2, 0.3, 0.4, 0.5] as [Float]),
            ],
            outputs: [
                Tensor(shape: [2, 1, 1, 1], scalars: [0.2795413, -0.4966025] as [Float]),
                Tensor(shape: [1, 1, 1], scalars: [-0.4966025] as [Float]),
            ], tolerance: 1e-6),
        Example(
            "in double",
            attributes: ["hidden_size": .int(1)],
            inputs: [
                Tensor(shape: [2, 1, 1], scalars: [1.0, -2.0] as [Double]),
                Tensor(shape: [1, 3, 1], scalars: [0.5, -0.25, 1.0] as [Double]),
                Tensor(shape: [1, 3, 1], scalars: [0.25, 0.5, -0.5] as [Double]),
                Tensor(shape: [1, 6], scalars: [0.0, 0.1, 0.2, 0.3, 0.4, 0.5] as [Double]),
            ],
            outputs: [
                nil,
                Tensor(shape: [1, 1, 1], scalars: [-0.477634] as [Double]),
            ], tolerance: 1e-6),
    ]
}

/// What follows the products of a GRU.
private protocol GRUGates<Element>: Sendable {
    associatedtype Element: MatrixNumber

    /// The whole step with `linear_before_reset`; `recurrent` is h·Rᵀ + Rb of all gates.
    func runLinear(
        _ step: RecurrentStep<Element>, recurrent: UnsafePointer<Element>, _ activations: RecurrentActivations)
    /// z and r ⊙ h; `recurrent` is h·Rᵀ of z and r.
    func runReset(
        _ step: RecurrentStep<Element>, recurrent: UnsafePointer<Element>, update: UnsafeMutablePointer<Element>,
        reset: UnsafeMutablePointer<Element>, _ activations: RecurrentActivations)
    /// The new state; `recurrent` is (r ⊙ h)·Rᵀ of the new gate.
    func runOutput(
        _ step: RecurrentStep<Element>, recurrent: UnsafePointer<Element>, update: UnsafePointer<Element>,
        _ activations: RecurrentActivations)
}

/// The default activations in float.
private struct FloatGates: GRUGates {
    func runLinear(_ step: RecurrentStep<Float>, recurrent: UnsafePointer<Float>, _ activations: RecurrentActivations) {
        sdx_gru_gates_f32(
            step.frame.pool, step.projected, Int64(step.projectedStride), recurrent, Int64(3 * step.hidden),
            step.previousState, step.state, Int64(step.batch), Int64(step.hidden), activations.clip)
    }

    func runReset(
        _ step: RecurrentStep<Float>, recurrent: UnsafePointer<Float>, update: UnsafeMutablePointer<Float>,
        reset: UnsafeMutablePointer<Float>, _ activations: RecurrentActivations
    ) {
        sdx_gru_reset_f32(
            step.frame.pool, step.projected, Int64(step.projectedStride), recurrent, Int64(2 * step.hidden),
            step.previousState, update, reset, Int64(step.batch), Int64(step.hidden), activations.clip)
    }

    func runOutput(
        _ step: RecurrentStep<Float>, recurrent: UnsafePointer<Float>, update: UnsafePointer<Float>,
        _ activations: RecurrentActivations
    ) {
        sdx_gru_output_f32(
            step.frame.pool, step.projected, Int64(step.projectedStride), recurrent, Int64(step.hidden), update,
            step.previousState, step.state, Int64(step.batch), Int64(step.hidden), activations.clip)
    }
}

/// Any activations.
private struct LoopGates<Element: MatrixNumber>: GRUGates {
    func runLinear(
        _ step: RecurrentStep<Element>, recurrent: UnsafePointer<Element>, _ activations: RecurrentActivations
    ) {
        let hidden = step.hidden
        for b in 0..<step.batch {
            let x = step.projected + b * step.projectedStride
            let r = recurrent + b * 3 * hidden
            for j in 0..<hidden {
                let update = activations.apply(0, x[j] + r[j])
                let reset = activations.apply(0, x[hidden + j] + r[hidden + j])
                let new = activations.apply(1, x[2 * hidden + j] + reset * r[2 * hidden + j])
                let place = b * hidden + j
                step.state[place] = (1 - update) * new + update * step.previousState[place]
            }
        }
    }

    func runReset(
        _ step: RecurrentStep<Element>, recurrent: UnsafePointer<Element>, update: UnsafeMutablePointer<Element>,
        reset: UnsafeMutablePointer<Element>, _ activations: RecurrentActivations
    ) {
        let hidden = step.hidden
        for b in 0..<step.batch {
            let x = step.projected + b * step.projectedStride
            let r = recurrent + b * 2 * hidden
            for j in 0..<hidden {
                let place = b * hidden + j
                update[place] = activations.apply(0, x[j] + r[j])
                reset[place] = activations.apply(0, x[hidden + j] + r[hidden + j]) * step.previousState[place]
            }
        }
    }

    func runOutput(
        _ step: RecurrentStep<Element>, recurrent: UnsafePointer<Element>, update: UnsafePointer<Element>,
        _ activations: RecurrentActivations
    ) {
        let hidden = step.hidden
        for b in 0..<step.batch {
            let x = step.projected + b * step.projectedStride + 2 * hidden
            for j in 0..<hidden {
                let place = b * hidden + j
                let new = activations.apply(1, x[j] + recurrent[place])
                step.state[place] = (1 - update[place]) * new + update[place] * step.previousState[place]
            }
        }
    }
}
