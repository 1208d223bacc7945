import SardonyxGraph

/// g = G + norm_coefficient · X, H' = H + g², X' = X − R / (1 + T · decay_factor) · g / (√H' + ε), for each of the tensors X with
/// gradient G and history H.
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adagrad.html>
enum Adagrad: TrainingStep {
    static let schema = stepSchema(
        "Adagrad",
        attributes: [
            AttributeSpec("decay_factor", .float), AttributeSpec("epsilon", .float),
            AttributeSpec("norm_coefficient", .float),
        ])
    static let histories = 1

    static func factors(of node: Node) -> StepFactors<Double> {
        var factors = StepFactors<Double>()
        factors.norm = Double(node.float("norm_coefficient", default: 0))
        factors.alpha = Double(node.float("decay_factor", default: 0))
        factors.epsilon = Double(node.float("epsilon", default: 1e-6))
        return factors
    }

    static func prepare(_ factors: inout StepFactors<Double>, rate: Double, count: Double) {
        factors.rate = rate / (1 + count * factors.alpha)
    }

    @inline(__always) static func step<T: RealMath>(
        _ x: T, _ gradient: T, first: T, second: T, _ factors: StepFactors<T>
    ) -> (x: T, first: T, second: T) {
        let regular = factors.norm * x + gradient
        let squares = first + regular * regular
        return (x - factors.rate * regular / (squares.squareRoot() + factors.epsilon), squares, 0)
    }

    static let examples = [
        Example(
            "the rate falls with the count",
            attributes: ["decay_factor": .float(0.5), "epsilon": .float(0), "norm_coefficient": .float(1)],
            inputs: [
                Tensor(0.5 as Float), Tensor(2 as Int64), Tensor(shape: [2], scalars: [1, 2] as [Float]),
                Tensor(shape: [2], scalars: [2, -4] as [Float]), Tensor(shape: [2], scalars: [16, 0] as [Float]),
            ],
            outputs: [
                Tensor(shape: [2], scalars: [0.85, 2.25] as [Float]), Tensor(shape: [2], scalars: [25, 4] as [Float]),
            ], tolerance: 1e-6)
    ]
}
