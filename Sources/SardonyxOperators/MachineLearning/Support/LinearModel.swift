import SardonyxGraph

/// score[t] = Σ x[f] · coefficients[t, f] + intercepts[t]
struct LinearModel: RowModel {
    private let coefficients: [Double]
    private let intercepts: [Double]
    let scoreCount: Int
    let featureCount: Int

    init(_ node: Node, scoreCount: Int) throws {
        coefficients = (node.floats("coefficients") ?? []).map(Double.init)
        intercepts = (node.floats("intercepts") ?? []).map(Double.init)
        guard scoreCount > 0, coefficients.count % scoreCount == 0 else {
            throw SardonyxError(
                .invalidModel, "\(coefficients.count) coefficients cannot be divided among \(scoreCount) targets")
        }
        guard intercepts.isEmpty || intercepts.count == scoreCount else {
            throw SardonyxError(
                .invalidModel, "there are \(intercepts.count) intercepts; there must be \(scoreCount) or none")
        }
        self.scoreCount = scoreCount
        featureCount = coefficients.count / scoreCount
    }

    func evaluate(
        _ row: UnsafePointer<Double>, into scores: UnsafeMutablePointer<Double>, scratch: UnsafeMutablePointer<Double>
    ) {
        for target in 0..<scoreCount {
            var sum = 0.0
            for f in 0..<featureCount { sum += row[f] * coefficients[target * featureCount + f] }
            scores[target] = sum + (intercepts.isEmpty ? 0 : intercepts[target])
        }
    }
}
