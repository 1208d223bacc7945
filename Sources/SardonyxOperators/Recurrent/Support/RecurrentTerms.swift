import SardonyxGraph

/// One step of one direction of a recurrent layer in a derivative. States are [batch, hidden].
struct RecurrentStepTerms {
    /// x·Wᵀ with the biases, [batch, gates · hidden].
    let projected: Term
    let state: Term
    /// Of an LSTM only.
    let cell: Term?
    /// Rᵀ, [hidden, gates · hidden].
    let recurrent: Term
    /// What else the direction has: a recurrent bias that is kept apart, or peepholes.
    let extra: Term?
    let activations: RecurrentActivations
}

extension Derivation {
    /// A recurrent layer as a scan over its steps for each direction: Y, Y_h and, with a cell, Y_c.
    ///
    /// - Parameters:
    ///   - keepsRecurrentBias: whether Rb is not simply added to the input's, and goes to `step` as `extra`.
    ///   - peepholes: the input that does.
    ///   - step: the next state, and the next cell.
    func recurrentLayer(
        defaults: [ActivationFunction], keepsRecurrentBias: Bool = false, hasCell: Bool = false, peepholes: Int? = nil,
        _ step: (RecurrentStepTerms) throws -> [Term]
    ) throws -> [Term?] {
        let isBatchFirst = node.int("layout", default: 0) == 1
        let direction = try RecurrentDirection(node)
        let activations = try RecurrentActivations.all(node, directions: direction.count, defaults: defaults)
        let given = try x(0)
        let x = try isBatchFirst ? given.transposed([1, 0, 2]) : given
        let (w, r) = (try self.x(1), try self.x(2))
        let one = x.integers([1])
        let empty = try x.filled(0, x.extents(1..<2).joined([r.extents(2..<3)]))
        // [steps, batch, 1]: whether a sequence has the step.
        let lengths = try optionalInput(4)?.converted(to: one)
        let isThere = try lengths.map {
            try x.extents(0..<1).indices().unsqueezed([1]).isLess(than: $0).unsqueezed([2])
        }
        func initial(_ input: Int, _ number: Int) throws -> Term {
            guard let states = optionalInput(input) else { return empty }
            return try states.at(number, axis: isBatchFirst ? 1 : 0)
        }
        var outputs: [[Term]] = []
        for number in 0..<direction.count {
            let bias = try optionalInput(3)?.at(number).split(2)
            var projected = try x.apply("MatMul", w.at(number).transposed([1, 0]))
            if let bias {
                projected = try projected + (keepsRecurrentBias ? bias[0] : bias[0] + bias[1])
            }
            var shared = [try r.at(number).transposed([1, 0])]
            if keepsRecurrentBias, let bias { shared.append(bias[1]) }
            if let peepholes, let weights = optionalInput(peepholes) { shared.append(try weights.at(number)) }
            let scan = ScanTerms(
                states: [try initial(5, number)] + (hasCell ? [try initial(6, number)] : []),
                slices: [projected] + (isThere.map { [$0] } ?? []), shared: shared,
                isBackward: direction == .reverse || number == 1)
            let made = try scan.run(builder) { states, slices, shared in
                let next = try step(
                    RecurrentStepTerms(
                        projected: slices[0], state: states[0], cell: hasCell ? states[1] : nil, recurrent: shared[0],
                        extra: shared.count > 1 ? shared[1] : nil, activations: activations[number]))
                guard slices.count > 1 else { return (next, [next[0]]) }
                // Beyond its length a sequence keeps its state, and gives zeros.
                let kept = try zip(next, states).map { try slices[1].choose($0, else: $1) }
                return (kept, [try next[0].kept(where: slices[1])])
            }
            outputs.append(made.results + made.states)
        }
        return try outputs[0].indices.map { index in
            let parts = outputs.map { $0[index] }
            if index == 0 {
                let whole = try parts[0].unsqueezed([1]).joined(
                    parts.dropFirst().map { try $0.unsqueezed([1]) }, axis: 1)
                return isBatchFirst ? try whole.transposed([2, 0, 1, 3]) : whole
            }
            // A sequence without elements leaves no state.
            let states =
                try lengths.map { lengths in
                    let isEmpty = try lengths.isEqual(to: x.integers([0])).unsqueezed([1])
                    return try parts.map { try isEmpty.choose($0.number(0), else: $0) }
                } ?? parts
            let axis = isBatchFirst ? 1 : 0
            return try states[0].unsqueezed([axis]).joined(
                states.dropFirst().map { try $0.unsqueezed([axis]) }, axis: axis)
        }
    }
}

extension RecurrentActivations {
    /// The function at a position, of a clipped argument.
    func apply(_ index: Int, _ x: Term) throws -> Term {
        guard clip > 0 else { return try unclipped(index, x) }
        return try unclipped(index, x.apply("Clip", x.number(-Double(clip)), x.number(Double(clip))))
    }

    func unclipped(_ index: Int, _ x: Term) throws -> Term {
        let entry = functions[index]
        var attributes: [String: Attribute] = [:]
        switch entry.function {
        case .affine: return try x * entry.alpha + entry.beta
        case .scaledTanh: return try (x * entry.beta).tanh() * entry.alpha
        case .hardSigmoid: attributes = ["alpha": .float(Float(entry.alpha)), "beta": .float(Float(entry.beta))]
        case .leakyRelu, .thresholdedRelu, .elu: attributes = ["alpha": .float(Float(entry.alpha))]
        default: break
        }
        return try x.apply(entry.function.rawValue, with: attributes)
    }
}
