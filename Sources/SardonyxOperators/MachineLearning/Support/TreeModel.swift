import SardonyxGraph

/// An ensemble of decision trees: score[t] = the sum (mean, least, largest) of the weights for t of the leaves that a
/// row of features reaches, one leaf a tree.
struct TreeModel: RowModel {
    enum Aggregation: String, Sendable {
        case sum = "SUM"
        case average = "AVERAGE"
        case min = "MIN"
        case max = "MAX"
    }

    /// How a node compares its feature with its threshold.
    enum Mode: UInt8, Sendable {
        case lessOrEqual, less, greaterOrEqual, greater, equal, notEqual, member
    }

    struct Branch: Sendable {
        var mode: Mode
        var feature: Int
        var threshold: Double
        /// Whether a NaN goes to the true side.
        var tracksMissing: Bool
        /// The next branch, or ~l for leaf l.
        var whenTrue: Int
        var whenFalse: Int
        /// The numbers that a membership test looks for, as a range of `members`.
        var members: Range<Int> = 0..<0
    }

    private let branches: [Branch]
    private let members: [Double]
    private let roots: [Int]
    /// The weights of leaf l are those from `leafStarts[l]` to `leafStarts[l + 1]`.
    private let leafStarts: [Int]
    private let weights: [(target: Int, weight: Double)]
    private let aggregation: Aggregation
    private let base: [Double]
    let scoreCount: Int
    let featureCount: Int
    var scratchCount: Int { scoreCount }

    /// - Parameters:
    ///   - roots: a branch, or ~l for leaf l.
    ///   - leaves: the weights of each leaf.
    ///   - base: what is added to the scores: none, or one for each.
    init(
        branches: [Branch], members: [Double] = [], roots: [Int], leaves: [[(target: Int, weight: Double)]],
        scoreCount: Int, aggregation: Aggregation, base: [Double] = []
    ) throws {
        let links = branches.flatMap { [$0.whenTrue, $0.whenFalse] } + roots
        guard links.allSatisfy({ $0 >= 0 ? $0 < branches.count : ~$0 < leaves.count }) else {
            throw SardonyxError(.invalidModel, "a branch of a tree leads to a node that does not exist")
        }
        guard branches.allSatisfy({ $0.feature >= 0 }) else {
            throw SardonyxError(.invalidModel, "nodes_featureids must not be negative")
        }
        guard scoreCount > 0, leaves.allSatisfy({ $0.allSatisfy { (0..<scoreCount).contains($0.target) } }) else {
            throw SardonyxError(.invalidModel, "a leaf's target is outside [0, \(scoreCount - 1)]")
        }
        guard base.isEmpty || base.count == scoreCount else {
            throw SardonyxError(
                .invalidModel, "there are \(base.count) base values; there must be \(scoreCount) or none")
        }
        try Self.refuseCycles(branches, roots)
        (self.branches, self.members, self.roots) = (branches, members, roots)
        (self.scoreCount, self.aggregation, self.base) = (scoreCount, aggregation, base)
        leafStarts = leaves.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
        weights = leaves.flatMap { $0 }
        featureCount = (branches.map(\.feature).max() ?? -1) + 1
    }

    private static func refuseCycles(_ branches: [Branch], _ roots: [Int]) throws {
        enum State { case unseen, open, done }
        var states = [State](repeating: .unseen, count: branches.count)
        for root in roots where root >= 0 {
            // A node is on the stack twice: to be opened, and below its children to be done.
            var stack = [root]
            while let node = stack.popLast() {
                switch states[node] {
                case .done: continue
                case .open: states[node] = .done
                case .unseen:
                    states[node] = .open
                    stack.append(node)
                    for next in [branches[node].whenTrue, branches[node].whenFalse] where next >= 0 {
                        guard states[next] != .open else {
                            throw SardonyxError(.invalidModel, "the branches of a tree lead in a circle")
                        }
                        if states[next] == .unseen { stack.append(next) }
                    }
                }
            }
        }
    }

    func evaluate(
        _ row: UnsafePointer<Double>, into scores: UnsafeMutablePointer<Double>, scratch: UnsafeMutablePointer<Double>
    ) {
        for target in 0..<scoreCount {
            scores[target] = 0
            scratch[target] = 0
        }
        for root in roots {
            let leaf = leaf(row, from: root)
            for index in leafStarts[leaf]..<leafStarts[leaf + 1] {
                let (target, weight) = weights[index]
                let isFirst = scratch[target] == 0
                scratch[target] = 1
                switch aggregation {
                case .sum, .average: scores[target] += weight
                case .min: scores[target] = isFirst ? weight : min(scores[target], weight)
                case .max: scores[target] = isFirst ? weight : max(scores[target], weight)
                }
            }
        }
        for target in 0..<scoreCount {
            if aggregation == .average { scores[target] /= Double(roots.count) }
            if !base.isEmpty { scores[target] += base[target] }
        }
    }

    private func leaf(_ row: UnsafePointer<Double>, from root: Int) -> Int {
        var node = root
        while node >= 0 {
            let branch = branches[node]
            node = test(branch, row[branch.feature]) ? branch.whenTrue : branch.whenFalse
        }
        return ~node
    }

    private func test(_ branch: Branch, _ x: Double) -> Bool {
        if x.isNaN && branch.tracksMissing { return true }
        switch branch.mode {
        case .lessOrEqual: return x <= branch.threshold
        case .less: return x < branch.threshold
        case .greaterOrEqual: return x >= branch.threshold
        case .greater: return x > branch.threshold
        case .equal: return x == branch.threshold
        case .notEqual: return x != branch.threshold
        case .member: return branch.members.contains { members[$0] == x }
        }
    }
}
