import SardonyxGraph

extension TreeModel {
    /// The attributes that TreeEnsembleClassifier and TreeEnsembleRegressor share.
    static let nodeAttributes = [
        AttributeSpec("base_values", .floats), AttributeSpec("base_values_as_tensor", .tensor),
        AttributeSpec("nodes_falsenodeids", .ints), AttributeSpec("nodes_featureids", .ints),
        AttributeSpec("nodes_hitrates", .floats), AttributeSpec("nodes_hitrates_as_tensor", .tensor),
        AttributeSpec("nodes_missing_value_tracks_true", .ints), AttributeSpec("nodes_modes", .strings),
        AttributeSpec("nodes_nodeids", .ints), AttributeSpec("nodes_treeids", .ints),
        AttributeSpec("nodes_truenodeids", .ints), AttributeSpec("nodes_values", .floats),
        AttributeSpec("nodes_values_as_tensor", .tensor), AttributeSpec("post_transform", .string),
    ]

    private struct Place: Hashable {
        let tree: Int
        let node: Int
    }

    private static let modes: [String: Mode] = [
        "BRANCH_LEQ": .lessOrEqual, "BRANCH_LT": .less, "BRANCH_GTE": .greaterOrEqual, "BRANCH_GT": .greater,
        "BRANCH_EQ": .equal, "BRANCH_NEQ": .notEqual,
    ]

    /// The model of TreeEnsembleClassifier (`prefix` is class) or TreeEnsembleRegressor (target), whose nodes are named
    /// by tree and number.
    init(_ node: Node, prefix: String, scoreCount: Int, aggregation: Aggregation, base: [Double]) throws {
        func column(_ name: String, _ count: Int) throws -> [Int] {
            let values = node.ints(name) ?? []
            guard values.count == count else {
                throw SardonyxError(.invalidModel, "\(name) has \(values.count) elements; it must have \(count)")
            }
            return values
        }
        let modes = node.strings("nodes_modes") ?? []
        let count = modes.count
        let (trees, numbers) = (try column("nodes_treeids", count), try column("nodes_nodeids", count))
        let (truths, falsehoods) = (try column("nodes_truenodeids", count), try column("nodes_falsenodeids", count))
        let features = try column("nodes_featureids", count)
        let values = node.numbers("nodes_values")
        let missing = node.ints("nodes_missing_value_tracks_true") ?? []
        guard values.count == count, missing.isEmpty || missing.count == count else {
            throw SardonyxError(.invalidModel, "each of the \(count) nodes must have a value")
        }

        // Branches and leaves are numbered apart; the links hold branches as they are and leaves as their complement.
        var links: [Place: Int] = [:]
        var (branchCount, leafCount) = (0, 0)
        for index in 0..<count {
            let isLeaf = modes[index] == "LEAF"
            let link = isLeaf ? ~leafCount : branchCount
            if isLeaf { leafCount += 1 } else { branchCount += 1 }
            guard links.updateValue(link, forKey: Place(tree: trees[index], node: numbers[index])) == nil else {
                throw SardonyxError(.invalidModel, "node \(numbers[index]) of tree \(trees[index]) is there twice")
            }
        }
        var branches: [Branch] = []
        var roots: [Int] = []
        var seen: Set<Int> = []
        for index in 0..<count {
            let tree = trees[index]
            if seen.insert(tree).inserted, let root = links[Place(tree: tree, node: numbers[index])] {
                roots.append(root)
            }
            if modes[index] == "LEAF" { continue }
            guard let mode = Self.modes[modes[index]] else {
                throw SardonyxError(.invalidModel, "'\(modes[index])' is no mode of a tree's node")
            }
            guard let whenTrue = links[Place(tree: tree, node: truths[index])],
                let whenFalse = links[Place(tree: tree, node: falsehoods[index])]
            else {
                throw SardonyxError(
                    .invalidModel, "node \(numbers[index]) of tree \(tree) leads to a node that does not exist")
            }
            branches.append(
                Branch(
                    mode: mode, feature: features[index], threshold: values[index],
                    tracksMissing: !missing.isEmpty && missing[index] != 0, whenTrue: whenTrue, whenFalse: whenFalse))
        }

        let weights = node.numbers("\(prefix)_weights")
        let targets = try column("\(prefix)_ids", weights.count)
        let (leafTrees, leafNodes) = (
            try column("\(prefix)_treeids", weights.count), try column("\(prefix)_nodeids", weights.count)
        )
        var leaves = [[(target: Int, weight: Double)]](repeating: [], count: leafCount)
        for index in weights.indices {
            // Weights of inner nodes count for nothing: no row ends there.
            guard let link = links[Place(tree: leafTrees[index], node: leafNodes[index])], link < 0 else { continue }
            leaves[~link].append((targets[index], weights[index]))
        }
        try self.init(
            branches: branches, roots: roots, leaves: leaves, scoreCount: scoreCount, aggregation: aggregation,
            base: base)
    }
}

extension Node {
    /// Numbers that are given as floats, or as a tensor of any floating-point type under the name with `_as_tensor`.
    func numbers(_ name: String) -> [Double] {
        if let tensor = tensor(name + "_as_tensor"), let doubles = tensor.doubles, !doubles.isEmpty { return doubles }
        return (floats(name) ?? []).map(Double.init)
    }
}
