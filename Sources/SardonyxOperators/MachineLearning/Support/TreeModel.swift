import SardonyxGraph

/// An ensemble of decision trees: score[t] = the sum (mean, least, largest) of the weights for t of the leaves that a
/// row of features reaches, one leaf a tree.
struct TreeModel: @unchecked Sendable {
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

    /// 24 bytes, of which an ensemble has millions.
    struct Branch: Sendable {
        /// For a membership test, the number of its set.
        var threshold: Double
        /// The next branch, or ~l for leaf l.
        var whenTrue: Int32
        var whenFalse: Int32
        var feature: Int32
        var mode: Mode
        /// Whether a NaN goes to the true side.
        var tracksMissing: Bool

        init(mode: Mode, feature: Int, threshold: Double, tracksMissing: Bool, whenTrue: Int, whenFalse: Int) throws {
            guard let feature = Int32(exactly: feature), feature >= 0 else {
                throw SardonyxError(
                    .invalidModel, "nodes_featureids has \(feature); it must be a feature's number from 0 on")
            }
            self.feature = feature
            self.threshold = threshold
            self.mode = mode
            self.tracksMissing = tracksMissing
            // What is too far away for 32 bits is no node of a file that could be opened.
            self.whenTrue = Int32(clamping: whenTrue)
            self.whenFalse = Int32(clamping: whenFalse)
        }
    }

    /// What a leaf adds to a score.
    struct Weight: Sendable {
        var value: Double
        var target: Int32
    }

    /// Weights of leaf l: those from `starts[l]` to `starts[l + 1]`.
    struct Leaves {
        var starts: [Int32]
        var weights: [Weight]
        var count: Int { starts.count - 1 }
    }

    /// Everything that a walk reads, in one block, so that the memory plan knows of it.
    let storage: TensorStorage
    let branches: UnsafePointer<Branch>
    let leafStarts: UnsafePointer<Int32>
    let weights: UnsafePointer<Weight>
    let roots: [Int32]
    /// The sets of membership tests, and the numbers that each looks for.
    let sets: [Range<Int>]
    let members: [Double]
    /// All branches test for less or equal, and none leads a NaN to the true side.
    let isUniform: Bool
    let aggregation: Aggregation
    let base: [Double]
    let scoreCount: Int
    let featureCount: Int

    /// - Parameters:
    ///   - roots: a branch, or ~l for leaf l.
    ///   - base: what is added to the scores: none, or one for each.
    init(
        branches: [Branch], sets: [Range<Int>] = [], members: [Double] = [], roots: [Int32], leaves: Leaves,
        scoreCount: Int, aggregation: Aggregation, base: [Double] = []
    ) throws {
        let (branchCount, leafCount) = (branches.count, leaves.count)
        func exists(_ link: Int32) -> Bool { link >= 0 ? Int(link) < branchCount : Int(~link) < leafCount }
        guard branches.allSatisfy({ exists($0.whenTrue) && exists($0.whenFalse) }), roots.allSatisfy(exists) else {
            throw SardonyxError(.invalidModel, "a branch of a tree leads to a node that does not exist")
        }
        guard scoreCount > 0, leaves.weights.allSatisfy({ $0.target >= 0 && $0.target < scoreCount }) else {
            throw SardonyxError(.invalidModel, "a leaf's target is outside [0, \(scoreCount - 1)]")
        }
        guard base.isEmpty || base.count == scoreCount else {
            throw SardonyxError(
                .invalidModel, "there are \(base.count) base values; there must be \(scoreCount) or none")
        }
        try Self.checkWays(branches, roots)
        (self.roots, self.sets, self.members) = (roots, sets, members)
        (self.scoreCount, self.aggregation, self.base) = (scoreCount, aggregation, base)
        isUniform = branches.allSatisfy { $0.mode == .lessOrEqual && !$0.tracksMissing }
        featureCount = branches.reduce(0) { max($0, Int($1.feature) + 1) }

        let weightStart = branchCount * MemoryLayout<Branch>.stride
        let leafStart = weightStart + leaves.weights.count * MemoryLayout<Weight>.stride
        storage = try TensorStorage(byteCount: leafStart + leaves.starts.count * 4, for: .lasting)
        // SAFETY: the three parts lie one behind the other in the block, those of 8-byte alignment first, and live as long as
        // `storage`, which this value holds.
        self.branches = UnsafePointer(
            (storage.base).initializeMemory(as: Branch.self, from: branches, count: branchCount))
        weights = UnsafePointer(
            (storage.base + weightStart).initializeMemory(
                as: Weight.self, from: leaves.weights, count: leaves.weights.count))
        leafStarts = UnsafePointer(
            (storage.base + leafStart).initializeMemory(
                as: Int32.self, from: leaves.starts, count: leaves.starts.count))
    }

    /// Refuses circles, and trees that share so much that a row's ways through them are far longer than the file.
    private static func checkWays(_ branches: [Branch], _ roots: [Int32]) throws {
        // The most branches on a way from a branch on: 0 before it was met, -1 while it is open.
        var depths = [Int32](repeating: 0, count: branches.count)
        var stack: [Int32] = []
        func depth(_ link: Int32) -> Int32 { link < 0 ? 0 : depths[Int(link)] }
        for root in roots where root >= 0 {
            // A branch is on the stack twice: to be opened, and below its children to be done.
            stack.append(root)
            while let link = stack.popLast() {
                let branch = branches[Int(link)]
                if depths[Int(link)] > 0 { continue }
                if depths[Int(link)] < 0 {
                    depths[Int(link)] = 1 + max(depth(branch.whenTrue), depth(branch.whenFalse))
                    continue
                }
                depths[Int(link)] = -1
                stack.append(link)
                func open(_ next: Int32) throws {
                    guard next >= 0 else { return }
                    guard depths[Int(next)] >= 0 else {
                        throw SardonyxError(.invalidModel, "the branches of a tree lead in a circle")
                    }
                    if depths[Int(next)] == 0 { stack.append(next) }
                }
                try open(branch.whenTrue)
                try open(branch.whenFalse)
            }
        }
        let steps = roots.reduce(0) { $0 + Int(depth($1)) }
        let limit = 64 * (branches.count + roots.count)
        guard steps <= limit else {
            throw SardonyxError(
                .invalidModel,
                "a row's ways through the trees may have \(steps) branches, since trees share them; for "
                    + "\(branches.count) branches and \(roots.count) trees at most \(limit) are run")
        }
    }
}
