import Glibc
import SardonyxGraph

/// The support vectors of a machine and its kernel function.
struct SupportVectors: Sendable {
    private enum Function: String {
        case linear = "LINEAR"
        case poly = "POLY"
        case rbf = "RBF"
        case sigmoid = "SIGMOID"
    }

    private let function: Function
    private let gamma: Double
    private let offset: Double
    private let degree: Double
    private let vectors: [Double]
    let count: Int
    let featureCount: Int
    let coefficients: [Double]
    let rho: [Double]

    /// - Parameter count: 0 for a linear machine, whose coefficients are the weights of the features.
    init(_ node: Node, count: Int, machines: Int) throws {
        let name = node.string("kernel_type", default: "LINEAR")
        guard let function = Function(rawValue: name) else {
            throw SardonyxError(
                .invalidModel, "kernel_type is '\(name)'; it must be LINEAR, POLY, RBF or SIGMOID")
        }
        let parameters = (node.floats("kernel_params") ?? []).map(Double.init)
        guard parameters.isEmpty || parameters.count >= 3 else {
            throw SardonyxError(.invalidModel, "kernel_params has \(parameters.count) elements; it must have 3")
        }
        (gamma, offset, degree) = parameters.isEmpty ? (0, 0, 0) : (parameters[0], parameters[1], parameters[2])
        coefficients = (node.floats("coefficients") ?? []).map(Double.init)
        rho = (node.floats("rho") ?? []).map(Double.init)
        self.count = count
        // Without vectors the product with the weights is plain.
        self.function = count == 0 ? .linear : function
        vectors = count == 0 ? coefficients : (node.floats("support_vectors") ?? []).map(Double.init)
        let rows = count == 0 ? machines : count
        guard rows > 0, vectors.count % rows == 0 else {
            throw SardonyxError(.invalidModel, "\(vectors.count) numbers cannot be divided among \(rows) vectors")
        }
        featureCount = vectors.count / rows
        guard !rho.isEmpty else { throw SardonyxError(.invalidModel, "rho must have an element") }
    }

    /// The kernel function of a row and a vector (or, without vectors, a row of weights).
    func product(_ row: UnsafePointer<Double>, _ index: Int) -> Double {
        let start = index * featureCount
        var sum = 0.0
        if function == .rbf {
            for f in 0..<featureCount {
                let difference = row[f] - vectors[start + f]
                sum += difference * difference
            }
            return exp(-gamma * sum)
        }
        for f in 0..<featureCount { sum += row[f] * vectors[start + f] }
        switch function {
        case .poly: return pow(gamma * sum + offset, degree)
        case .sigmoid: return tanh(gamma * sum + offset)
        case .linear, .rbf: return sum
        }
    }
}
