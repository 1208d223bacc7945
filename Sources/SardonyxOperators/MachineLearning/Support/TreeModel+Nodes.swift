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

        guard count < Int32.max else { throw SardonyxError(.invalidModel, "\(count) nodes are too many") }
        let places = try NodePlaces(trees, numbers, areLeaves: modes.map { $0 == "LEAF" })
        var branches: [Branch] = []
        var roots: [Int32] = []
        branches.reserveCapacity(count - places.leafCount)
        for index in 0..<count {
            let tree = trees[index]
            if roots.count < places.firstNodes.count, index == places.firstNodes[roots.count],
                let root = places.link(tree, numbers[index])
            {
                roots.append(root)
            }
            if modes[index] == "LEAF" { continue }
            guard let mode = Self.modes[modes[index]] else {
                throw SardonyxError(.invalidModel, "'\(modes[index])' is no mode of a tree's node")
            }
            guard let whenTrue = places.link(tree, truths[index]), let whenFalse = places.link(tree, falsehoods[index])
            else {
                throw SardonyxError(
                    .invalidModel, "node \(numbers[index]) of tree \(tree) leads to a node that does not exist")
            }
            branches.append(
                try Branch(
                    mode: mode, feature: features[index], threshold: values[index],
                    tracksMissing: !missing.isEmpty && missing[index] != 0, whenTrue: Int(whenTrue),
                    whenFalse: Int(whenFalse)))
        }

        let weights = node.numbers("\(prefix)_weights")
        let targets = try column("\(prefix)_ids", weights.count)
        let (leafTrees, leafNodes) = (
            try column("\(prefix)_treeids", weights.count), try column("\(prefix)_nodeids", weights.count)
        )
        try self.init(
            branches: branches, roots: roots,
            leaves: Leaves(count: places.leafCount, weights: weights, targets: targets) { index in
                // Weights of inner nodes count for nothing: no row ends there.
                guard let link = places.link(leafTrees[index], leafNodes[index]), link < 0 else { return nil }
                return Int(~link)
            }, scoreCount: scoreCount, aggregation: aggregation, base: base)
    }
}

extension TreeModel.Leaves {
    /// - Parameter leaf: the leaf that a weight is of; nil for none.
    init(count: Int, weights: [Double], targets: [Int], leaf: (Int) -> Int?) throws {
        guard weights.count < Int32.max else {
            throw SardonyxError(.invalidModel, "\(weights.count) weights of leaves are too many")
        }
        starts = [Int32](repeating: 0, count: count + 1)
        let leaves = weights.indices.map { leaf($0) ?? -1 }
        for leaf in leaves where leaf >= 0 { starts[leaf + 1] += 1 }
        for leaf in 0..<count { starts[leaf + 1] += starts[leaf] }
        var next = starts
        self.weights = [TreeModel.Weight](
            repeating: TreeModel.Weight(value: 0, target: 0), count: Int(starts[count]))
        for (index, leaf) in leaves.enumerated() where leaf >= 0 {
            self.weights[Int(next[leaf])] = TreeModel.Weight(
                value: weights[index], target: Int32(exactly: targets[index]) ?? -1)
            next[leaf] += 1
        }
    }
}

/// Where the nodes of trees are that are named by tree and number. Branches and leaves are numbered apart; links hold branches as
/// they are and leaves as their complement.
private struct NodePlaces {
    private struct Place: Hashable {
        let tree: Int
        let node: Int
    }
    /// A tree's numbers from `least` on stand in `table` from `start` on, where they lie close together.
    private struct Tree {
        var least: Int
        var most: Int
        var count = 1
        var start = 0
        var isDense = false
    }

    private var trees: [Int: Tree] = [:]
    private var table: [Int32] = []
    private var others: [Place: Int32] = [:]
    private(set) var leafCount = 0
    /// The first node of each tree, the trees in the order in which they come.
    private(set) var firstNodes: [Int] = []
    private static let none = Int32.min

    init(_ treeIDs: [Int], _ numbers: [Int], areLeaves: [Bool]) throws {
        // Most files hold a tree's nodes one after the other.
        var (current, tree) = (0, Tree(least: 0, most: 0, count: 0))
        func meet(_ id: Int, _ trees: inout [Int: Tree]) -> Bool {
            if tree.count > 0 && id == current { return false }
            if tree.count > 0 { trees[current] = tree }
            current = id
            tree = trees[id] ?? Tree(least: .max, most: .min, count: 0)
            return tree.count == 0
        }
        for index in treeIDs.indices {
            if meet(treeIDs[index], &trees) { firstNodes.append(index) }
            tree.least = min(tree.least, numbers[index])
            tree.most = max(tree.most, numbers[index])
            tree.count += 1
        }
        if tree.count > 0 { trees[current] = tree }
        var size = 0
        for id in trees.keys {
            guard var tree = trees[id] else { continue }
            let (span, overflow) = tree.most.subtractingReportingOverflow(tree.least)
            if !overflow && span / 4 <= tree.count {
                tree.isDense = true
                tree.start = size
                size += span + 1
                trees[id] = tree
            }
        }
        table = [Int32](repeating: Self.none, count: size)
        // The trees know their places now.
        tree.count = 0
        var branchCount: Int32 = 0
        for index in treeIDs.indices {
            let link = areLeaves[index] ? ~Int32(leafCount) : branchCount
            if areLeaves[index] { leafCount += 1 } else { branchCount += 1 }
            if meet(treeIDs[index], &trees) { continue }
            let isNew: Bool
            if tree.isDense {
                let place = tree.start + (numbers[index] - tree.least)
                isNew = table[place] == Self.none
                table[place] = link
            } else {
                isNew = others.updateValue(link, forKey: Place(tree: treeIDs[index], node: numbers[index])) == nil
            }
            if !isNew {
                throw SardonyxError(
                    .invalidModel, "node \(numbers[index]) of tree \(treeIDs[index]) is there twice")
            }
        }
    }

    func link(_ tree: Int, _ node: Int) -> Int32? {
        guard let place = trees[tree] else { return nil }
        if !place.isDense { return others[Place(tree: tree, node: node)] }
        guard node >= place.least, node <= place.most else { return nil }
        let link = table[place.start + (node - place.least)]
        return link == Self.none ? nil : link
    }
}

extension Node {
    /// Numbers that are given as floats, or as a tensor of any floating-point type under the name with `_as_tensor`.
    func numbers(_ name: String) -> [Double] {
        if let tensor = tensor(name + "_as_tensor"), let doubles = tensor.doubles, !doubles.isEmpty { return doubles }
        return (floats(name) ?? []).map(Double.init)
    }
}
