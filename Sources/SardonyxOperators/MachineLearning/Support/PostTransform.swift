import Glibc
import SardonyxGraph

/// What ai.onnx.ml's models do to the scores of a row.
enum PostTransform: String, Sendable, CaseIterable {
    case none = "NONE"
    case softmax = "SOFTMAX"
    case logistic = "LOGISTIC"
    case softmaxZero = "SOFTMAX_ZERO"
    case probit = "PROBIT"

    init(_ node: Node) throws {
        let name = node.string("post_transform", default: "NONE")
        guard let transform = PostTransform(rawValue: name) else {
            let allowed = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw SardonyxError(.invalidModel, "post_transform is '\(name)'; it may be \(allowed)")
        }
        self = transform
    }

    /// Transforms the scores of one row in place.
    func apply(_ scores: UnsafeMutablePointer<Double>, count: Int) {
        switch self {
        case .none: break
        case .logistic: for i in 0..<count { scores[i] = Self.logistic(scores[i]) }
        case .probit: for i in 0..<count { scores[i] = Self.probit(scores[i]) }
        case .softmax: normalizeExponentials(scores, count) { _ in true }
        // Scores of almost zero stay out of the competition.
        case .softmaxZero: normalizeExponentials(scores, count) { abs($0) > 1e-7 }
        }
    }

    private func normalizeExponentials(
        _ scores: UnsafeMutablePointer<Double>, _ count: Int, _ takesPart: (Double) -> Bool
    ) {
        var largest = -Double.infinity
        for i in 0..<count { largest = max(largest, scores[i]) }
        var sum = 0.0
        for i in 0..<count {
            scores[i] = takesPart(scores[i]) ? exp(scores[i] - largest) : scores[i] * exp(-largest)
            sum += scores[i]
        }
        for i in 0..<count { scores[i] = sum == 0 ? 0.5 : scores[i] / sum }
    }

    static func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

    /// √2 · erf⁻¹(2x − 1), by the closed approximation that the standard's reference uses.
    static func probit(_ x: Double) -> Double {
        let y = 2 * x - 1
        let product = (1 - y) * (1 + y)
        if product == 0 { return 0 }
        let logarithm = log(product)
        let v = 2 / (Double.pi * 0.147) + 0.5 * logarithm
        let root = (-v + (v * v - logarithm / 0.147).squareRoot()).squareRoot()
        return 1.41421356 * (y < 0 ? -root : root)
    }
}
