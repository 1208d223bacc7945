import SardonyxGraph

/// g = G + norm_coefficient · X, V' = α V + b g with b = β, or 1 where T is 0; X' = X − R V', or with `mode` nesterov
/// X' = X − R (g + α V'); for each of the tensors X with gradient G and history V.
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Momentum.html>
enum Momentum: TrainingStep {
    static let schema = stepSchema(
        "Momentum",
        attributes: [
            AttributeSpec("alpha", .float, required: true), AttributeSpec("beta", .float, required: true),
            AttributeSpec("mode", .string, required: true), AttributeSpec("norm_coefficient", .float, required: true),
        ])
    static let histories = 1

    /// `kept` is 1 in Nesterov's mode and 0 in the standard one.
    static func factors(of node: Node) throws -> StepFactors<Double> {
        var factors = StepFactors<Double>()
        factors.norm = Double(node.float("norm_coefficient", default: 0))
        factors.alpha = Double(node.float("alpha", default: 0))
        factors.beta = Double(node.float("beta", default: 1))
        switch node.string("mode", default: "standard") {
        case "nesterov": factors.kept = 1
        case "standard": factors.kept = 0
        case let other:
            throw SardonyxError(.invalidModel, "attribute 'mode' is '\(other)'; it may be 'standard' or 'nesterov'")
        }
        return factors
    }

    static func prepare(_ factors: inout StepFactors<Double>, rate: Double, count: Double) {
        factors.rate = rate
        if !(count > 0) { factors.beta = 1 }
    }

    @inline(__always) static func step<T: RealMath>(
        _ x: T, _ gradient: T, first: T, second: T, _ factors: StepFactors<T>
    ) -> (x: T, first: T, second: T) {
        let regular = factors.norm * x + gradient
        let velocity = factors.alpha * first + factors.beta * regular
        let direction = factors.kept == 0 ? velocity : regular + factors.alpha * velocity
        return (x - factors.rate * direction, velocity, 0)
    }

    static let examples = [
        Example(
            "the first update ignores beta",
            attributes: [
                "alpha": .float(0.5), "beta": .float(0.25), "mode": .string("standard"), "norm_coefficient": .float(0),
            ],
            inputs: [
                Tensor(0.5 as Float), Tensor(0 as Int64), Tensor(shape: [1], scalars: [1] as [Float]),
                Tensor(shape: [1], scalars: [4] as [Float]), Tensor(shape: [1], scalars: [2] as [Float]),
            ],
            outputs: [
                Tensor(shape: [1], scalars: [-1.5] as [Float]), Tensor(shape: [1], scalars: [5] as [Float]),
            ]),
        Example(
            "Nesterov's mode looks ahead",
            attributes: [
                "alpha": .float(0.5), "beta": .float(0.25), "mode": .string("nesterov"), "norm_coefficient": .float(1),
            ],
            inputs: [
                Tensor(0.5 as Double), Tensor(3 as Int64), Tensor(shape: [1], scalars: [1] as [Double]),
                Tensor(shape: [1], scalars: [3] as [Double]), Tensor(shape: [1], scalars: [2] as [Double]),
            ],
            outputs: [
                Tensor(shape: [1], scalars: [-1.5] as [Double]), Tensor(shape: [1], scalars: [2] as [Double]),
            ], tolerance: 1e-12),
    ]
}
