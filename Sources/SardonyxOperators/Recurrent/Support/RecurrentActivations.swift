import SardonyxGraph

/// The functions f, g, h of one direction of a recurrent layer, and the clipping of their arguments.
struct RecurrentActivations: Sendable {
    let functions: [(function: ActivationFunction, alpha: Double, beta: Double)]
    /// 0 is none.
    let clip: Float
    /// Whether the functions are the standard's defaults, which the C kernels have.
    let areDefaults: Bool

    /// One for each direction.
    static func all(_ node: Node, directions: Int, defaults: [ActivationFunction]) throws -> [RecurrentActivations] {
        let clip = node.float("clip") ?? 0
        guard clip >= 0 else { throw SardonyxError(.invalidModel, "clip is \(clip); it must be positive") }
        let functions =
            try names(node, count: directions * defaults.count)
            ?? (0..<directions).flatMap { _ in defaults }
        var alphas = Parameters(node.floats("activation_alpha"), of: functions) { $0.takesAlpha }
        var betas = Parameters(node.floats("activation_beta"), of: functions) { $0.takesBeta }
        let filled = functions.enumerated().map { index, function in
            (
                function: function,
                alpha: Double(alphas.next(index, function.takesAlpha) ?? function.defaults.alpha),
                beta: Double(betas.next(index, function.takesBeta) ?? function.defaults.beta)
            )
        }
        return (0..<directions).map { direction in
            let range = direction * defaults.count..<(direction + 1) * defaults.count
            return RecurrentActivations(
                functions: Array(filled[range]), clip: clip, areDefaults: Array(functions[range]) == defaults)
        }
    }

    private static func names(_ node: Node, count: Int) throws -> [ActivationFunction]? {
        guard let names = node.strings("activations") else { return nil }
        guard names.count == count else {
            throw SardonyxError(.invalidModel, "there are \(names.count) activations; there must be \(count)")
        }
        return try names.map { name in
            guard let function = allowed.first(where: { $0.rawValue.lowercased() == name.lowercased() }) else {
                throw SardonyxError(.invalidModel, "the activation '\(name)' is none that recurrent layers have")
            }
            return function
        }
    }

    private static let allowed: [ActivationFunction] = [
        .relu, .tanh, .sigmoid, .affine, .leakyRelu, .thresholdedRelu, .scaledTanh, .hardSigmoid, .elu, .softsign,
        .softplus,
    ]

    /// The function at a position if it needs no parameters.
    func plainFunction(_ index: Int) -> ActivationFunction? {
        let function = functions[index].function
        return function.takesAlpha ? nil : function
    }

    /// The function at a position, of a clipped argument.
    @inline(__always)
    func apply<T: RealMath>(_ index: Int, _ value: T) -> T {
        let limit = clip > 0 ? T(clip) : .infinity
        return unclipped(index, T.clamping(value, -limit, limit))
    }

    @inline(__always)
    func unclipped<T: RealMath>(_ index: Int, _ value: T) -> T {
        let entry = functions[index]
        return T(entry.function(Double(value), entry.alpha, entry.beta))
    }
}

/// A list of parameters: one for each function, or one for each function that takes such a parameter.
private struct Parameters {
    private let values: [Float]
    private let isPositional: Bool
    private var used = 0

    init(_ values: [Float]?, of functions: [ActivationFunction], takes: (ActivationFunction) -> Bool) {
        self.values = values ?? []
        isPositional = self.values.count == functions.count && functions.count(where: takes) != self.values.count
    }

    mutating func next(_ position: Int, _ isTaken: Bool) -> Float? {
        guard isTaken else { return nil }
        let index = isPositional ? position : used
        used += 1
        return index < values.count ? values[index] : nil
    }
}

extension ActivationFunction {
    fileprivate var takesAlpha: Bool {
        switch self {
        case .affine, .leakyRelu, .thresholdedRelu, .scaledTanh, .hardSigmoid, .elu: true
        default: false
        }
    }

    fileprivate var takesBeta: Bool {
        switch self {
        case .affine, .scaledTanh, .hardSigmoid: true
        default: false
        }
    }
}
