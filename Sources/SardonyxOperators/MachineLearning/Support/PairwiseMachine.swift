import SardonyxGraph

/// A support vector classifier: a machine for each pair of classes, or without support vectors one for each class.
struct PairwiseMachine: RowModel {
    let vectors: SupportVectors
    private let classes: Int
    private let perClass: [Int]
    private let starts: [Int]
    private let sigmoids: [(a: Double, b: Double)]

    init(_ node: Node, classes: Int) throws {
        self.classes = max(classes, 1)
        perClass = node.ints("vectors_per_class") ?? []
        var starts: [Int] = []
        var total = 0
        for count in perClass {
            starts.append(total)
            let (sum, overflow) = total.addingReportingOverflow(count)
            guard count >= 0, !overflow else {
                throw SardonyxError(.invalidModel, "vectors_per_class holds \(count), which is no number of vectors")
            }
            total = sum
        }
        self.starts = starts
        vectors = try SupportVectors(node, count: total, machines: self.classes)
        let pairs = self.classes * (self.classes - 1) / 2
        if total > 0 {
            guard perClass.count == self.classes, vectors.rho.count >= pairs,
                vectors.coefficients.count >= max(self.classes - 1, 1) * total
            else {
                throw SardonyxError(
                    .invalidModel,
                    "\(self.classes) classes need as many vectors_per_class, \(pairs) rho and \(self.classes - 1) "
                        + "coefficients for each of \(total) vectors")
            }
        }
        let (a, b) = (node.floats("prob_a") ?? [], node.floats("prob_b") ?? [])
        sigmoids = total > 0 ? zip(a, b).map { (Double($0), Double($1)) } : []
        guard a.count == b.count, sigmoids.isEmpty || sigmoids.count >= pairs else {
            throw SardonyxError(.invalidModel, "prob_a and prob_b must have \(pairs) elements each")
        }
    }

    private var isPairwise: Bool { vectors.count > 0 }
    var scoreCount: Int { isPairwise ? classes * (classes - 1) / 2 : classes }
    var scratchCount: Int { vectors.count }
    var featureCount: Int { vectors.featureCount }
    var hasOneMargin: Bool { vectors.rho.count == 1 }
    var hasProbabilities: Bool { !sigmoids.isEmpty }
    var hasPositiveWeights: Bool { vectors.coefficients.allSatisfy { $0 >= 0 } }

    func evaluate(
        _ row: UnsafePointer<Double>, into scores: UnsafeMutablePointer<Double>, scratch: UnsafeMutablePointer<Double>
    ) {
        guard isPairwise else {
            for c in 0..<classes { scores[c] = vectors.product(row, c) + vectors.rho[0] }
            return
        }
        for j in 0..<vectors.count { scratch[j] = vectors.product(row, j) }
        var pair = 0
        for i in 0..<classes {
            for j in i + 1..<max(classes, i + 1) {
                scores[pair] = vectors.rho[pair] + sum(scratch, of: i, row: j - 1) + sum(scratch, of: j, row: i)
                pair += 1
            }
        }
    }

    private func sum(_ products: UnsafePointer<Double>, of label: Int, row: Int) -> Double {
        var sum = 0.0
        for v in starts[label]..<starts[label] + perClass[label] {
            sum += vectors.coefficients[row * vectors.count + v] * products[v]
        }
        return sum
    }

    /// What the machines say together.
    struct Decision {
        var best: Int
        /// The votes or the score of the best class.
        var weight: Double
        /// Probabilities, or the scores as they are.
        var scores: [Double]
    }

    func decide(_ scores: [Double]) -> Decision {
        guard isPairwise else {
            let best = scores.indexOfLargest()
            return Decision(best: best, weight: scores[safe: best] ?? 0, scores: scores)
        }
        var votes = [Double](repeating: 0, count: classes)
        var pair = 0
        for i in 0..<classes {
            for j in i + 1..<max(classes, i + 1) {
                votes[scores[pair] > 0 ? i : j] += 1
                pair += 1
            }
        }
        let best = votes.indexOfLargest()
        return Decision(best: best, weight: votes[best], scores: hasProbabilities ? probabilities(scores) : scores)
    }

    /// The classes' probabilities from those of the pairs, by the method of Wu, Lin and Weng as libsvm iterates it.
    private func probabilities(_ scores: [Double]) -> [Double] {
        let k = classes
        var pairwise = [[Double]](repeating: [Double](repeating: 0, count: k), count: k)
        var pair = 0
        for i in 0..<k {
            for j in i + 1..<max(k, i + 1) {
                let value = 1 - PostTransform.logistic(scores[pair] * sigmoids[pair].a + sigmoids[pair].b)
                pairwise[i][j] = min(max(value, 1e-7), 1 - 1e-7)
                pairwise[j][i] = 1 - pairwise[i][j]
                pair += 1
            }
        }
        var q = pairwise
        for t in 0..<k {
            q[t][t] = 0
            for j in 0..<k where j != t {
                q[t][t] += pairwise[j][t] * pairwise[j][t]
                q[t][j] = -pairwise[j][t] * pairwise[t][j]
            }
        }
        var p = [Double](repeating: 1 / Double(k), count: k)
        for _ in 0..<max(100, k) {
            var products = q.map { row in zip(row, p).reduce(0) { $0 + $1.0 * $1.1 } }
            var total = zip(p, products).reduce(0) { $0 + $1.0 * $1.1 }
            if products.allSatisfy({ abs($0 - total) < 0.005 / Double(k) }) { break }
            for t in 0..<k {
                let step = (total - products[t]) / q[t][t]
                p[t] += step
                total = (total + step * (step * q[t][t] + 2 * products[t])) / ((1 + step) * (1 + step))
                for j in 0..<k {
                    products[j] = (products[j] + step * q[t][j]) / (1 + step)
                    p[j] /= 1 + step
                }
            }
        }
        return p
    }
}
