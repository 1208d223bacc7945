import Glibc
import SardonyxGraph

/// g = G + norm_coefficient · X, V' = α V + (1 − α) g, H' = β H + (1 − β) g²,
/// X' = (1 − norm_coefficient_post) · (X − r · V' / (√H' + ε)) with r = R √(1 − βᵀ) / (1 − αᵀ), or R where T is 0; for each of the
/// tensors X with gradient G and histories V and H.
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adam.html>
enum Adam: TrainingStep {
    static let schema = stepSchema(
        "Adam",
        attributes: [
            AttributeSpec("alpha", .float), AttributeSpec("beta", .float), AttributeSpec("epsilon", .float),
            AttributeSpec("norm_coefficient", .float), AttributeSpec("norm_coefficient_post", .float),
        ])
    static let histories = 2

    static func factors(of node: Node) -> StepFactors<Double> {
        var factors = StepFactors<Double>()
        factors.norm = Double(node.float("norm_coefficient", default: 0))
        factors.alpha = Double(node.float("alpha", default: 0.9))
        factors.beta = Double(node.float("beta", default: 0.999))
        factors.epsilon = Double(node.float("epsilon", default: 1e-6))
        factors.kept = 1 - Double(node.float("norm_coefficient_post", default: 0))
        return factors
    }

    static func prepare(_ factors: inout StepFactors<Double>, rate: Double, count: Double) {
        factors.rate =
            count > 0 ? rate * (1 - pow(factors.beta, count)).squareRoot() / (1 - pow(factors.alpha, count)) : rate
    }

    @inline(__always) static func step<T: RealMath>(
        _ x: T, _ gradient: T, first: T, second: T, _ factors: StepFactors<T>
    ) -> (x: T, first: T, second: T) {
        let regular = factors.norm * x + gradient
        let mean = factors.alpha * first + (1 - factors.alpha) * regular
        let squares = factors.beta * second + (1 - factors.beta) * regular * regular
        let new = x - factors.rate * mean / (squares.squareRoot() + factors.epsilon)
        return (factors.kept * new, mean, squares)
    }

    static let examples = [
        Example(
            "two tensors in double, the first update",
            attributes: [
                "alpha": .float(0.5), "beta": .float(0.75), "epsilon": .float(0), "norm_coefficient_post": .float(0.5),
            ],
            inputs: [
                Tensor(0.5 as Float), Tensor(1 as Int64), Tensor(shape: [1], scalars: [3] as [Double]),
                Tensor(2 as Double), Tensor(shape: [1], scalars: [4] as [Double]), Tensor(-2 as Double),
                Tensor(shape: [1], scalars: [0] as [Double]), Tensor(0 as Double),
                Tensor(shape: [1], scalars: [0] as [Double]), Tensor(0 as Double),
            ],
            outputs: [
                Tensor(shape: [1], scalars: [1.25] as [Double]), Tensor(1.25 as Double),
                Tensor(shape: [1], scalars: [2] as [Double]), Tensor(-1 as Double),
                Tensor(shape: [1], scalars: [4] as [Double]), Tensor(1 as Double),
            ], tolerance: 1e-12)
    ]
}
