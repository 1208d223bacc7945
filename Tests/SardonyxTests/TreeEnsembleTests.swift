import Sardonyx
import SardonyxTestSupport
import Testing

/// Ensembles of trees against a walk that does one thing at a time, and trees that are none.
@Suite struct TreeEnsembleTests {
    /// A node by its number in the tree: a leaf with its weight for a target, or a branch on x[feature] <= threshold.
    enum TreeNode {
        case leaf(target: Int, weight: Float)
        case branch(feature: Int, threshold: Float, isTrue: Int, isFalse: Int)
    }

    static let features = 5

    /// Trees of so many branches each; where each branch has a leaf on one side, a chain.
    static func trees(_ count: Int, branches: Int, isChain: Bool, targets: Int) -> [[TreeNode]] {
        var random = SeededGenerator(seed: 3)
        func leaf() -> TreeNode { .leaf(target: random.below(targets), weight: Float(random.below(200)) / 16 - 6) }
        func branch(_ isTrue: Int, _ isFalse: Int) -> TreeNode {
            // Rows are -2 … 2: most of a chain's branches lead on.
            let threshold = Float(random.below(400)) / 100 - (isChain ? 6 : 2)
            return .branch(feature: random.below(features), threshold: threshold, isTrue: isTrue, isFalse: isFalse)
        }
        return (0..<count).map { _ in
            if isChain {
                let chain = (0..<branches).flatMap { [branch(2 * $0 + 1, 2 * $0 + 2), leaf()] }
                return chain + [leaf()]
            }
            return (0..<branches).map { branch(2 * $0 + 1, 2 * $0 + 2) } + (0...branches).map { _ in leaf() }
        }
    }

    /// The attributes of ai.onnx.ml's older operators; nodes are named from `first` on, `step` apart.
    static func attributes(_ trees: [[TreeNode]], _ prefix: String, first: Int = 0, step: Int = 1) -> [(
        String, TestAttribute
    )] {
        var (ids, numbers, features, modes): ([Int64], [Int64], [Int64], [String]) = ([], [], [], [])
        var (values, truths, falsehoods): ([Float], [Int64], [Int64]) = ([], [], [])
        var (leafTrees, leafNodes, targets, weights): ([Int64], [Int64], [Int64], [Float]) = ([], [], [], [])
        func name(_ number: Int) -> Int64 { Int64(first + step * number) }
        for (tree, nodes) in trees.enumerated() {
            for (number, node) in nodes.enumerated() {
                ids.append(Int64(tree))
                numbers.append(name(number))
                switch node {
                case .leaf(let target, let weight):
                    modes.append("LEAF")
                    features.append(0)
                    values.append(0)
                    truths.append(0)
                    falsehoods.append(0)
                    leafTrees.append(Int64(tree))
                    leafNodes.append(name(number))
                    targets.append(Int64(target))
                    weights.append(weight)
                case .branch(let feature, let threshold, let isTrue, let isFalse):
                    modes.append("BRANCH_LEQ")
                    features.append(Int64(feature))
                    values.append(threshold)
                    truths.append(name(isTrue))
                    falsehoods.append(name(isFalse))
                }
            }
        }
        return [
            ("nodes_treeids", .ints(ids)), ("nodes_nodeids", .ints(numbers)), ("nodes_featureids", .ints(features)),
            ("nodes_modes", .texts(modes)), ("nodes_values", .floats(values)), ("nodes_truenodeids", .ints(truths)),
            ("nodes_falsenodeids", .ints(falsehoods)), ("\(prefix)_treeids", .ints(leafTrees)),
            ("\(prefix)_nodeids", .ints(leafNodes)), ("\(prefix)_ids", .ints(targets)),
            ("\(prefix)_weights", .floats(weights)),
        ]
    }

    static func session(_ node: TestNode, threads: Int = 2) throws -> Session {
        let bytes = modelBytes(
            TestGraph(
                nodes: [node], inputs: [TestValue("x", ["N", .extent(Int64(features))])],
                outputs: node.outputs.map { TestValue($0, nil) }), opsets: [("", 20), ("ai.onnx.ml", 3)])
        var options = Session.Options()
        options.threads = .count(threads)
        return try Session(bytes.withUnsafeBytes { try Model(bytes: $0) }, options: options)
    }

    static func rows(_ count: Int) -> Tensor {
        Tensor(shape: [count, features], scalars: randomNumbers(count * features).map { 2 * $0 })
    }

    /// The scores of one row.
    static func scores(_ trees: [[TreeNode]], _ row: ArraySlice<Float>, targets: Int, _ aggregation: String) -> [Double]
    {
        var found = [[Double]](repeating: [], count: targets)
        for tree in trees {
            var number = 0
            walk: while true {
                switch tree[number] {
                case .leaf(let target, let weight):
                    found[target].append(Double(weight))
                    break walk
                case .branch(let feature, let threshold, let isTrue, let isFalse):
                    number = row[row.startIndex + feature] <= threshold ? isTrue : isFalse
                }
            }
        }
        return found.map { weights in
            switch aggregation {
            case "MIN": weights.min() ?? 0
            case "MAX": weights.max() ?? 0
            case "AVERAGE": weights.reduce(0, +) / Double(trees.count)
            default: weights.reduce(0, +)
            }
        }
    }

    struct Ensemble: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let trees: Int
        let branches: Int
        var isChain = false
        var targets = 1
        var aggregation = "SUM"
        /// How nodes are named.
        var first = 0
        var step = 1
    }

    static let ensembles = [
        Ensemble(testDescription: "one leaf", trees: 1, branches: 0),
        Ensemble(testDescription: "three trees, three targets", trees: 3, branches: 7, targets: 3),
        Ensemble(testDescription: "trees that share the work", trees: 150, branches: 40, targets: 2),
        Ensemble(testDescription: "the least", trees: 90, branches: 15, targets: 4, aggregation: "MIN"),
        Ensemble(testDescription: "the largest", trees: 90, branches: 15, targets: 40, aggregation: "MAX"),
        Ensemble(testDescription: "the mean", trees: 90, branches: 15, aggregation: "AVERAGE"),
        Ensemble(testDescription: "names far apart", trees: 20, branches: 15, first: -1 << 40, step: 1 << 20),
        Ensemble(testDescription: "chains", trees: 2, branches: 10_000, isChain: true),
    ]

    @Test(arguments: ensembles)
    func givesWhatAWalkGives(_ ensemble: Ensemble) throws {
        let trees = Self.trees(
            ensemble.trees, branches: ensemble.branches, isChain: ensemble.isChain, targets: ensemble.targets)
        let node = TestNode(
            "TreeEnsembleRegressor", ["x"], ["y"], domain: "ai.onnx.ml",
            Self.attributes(trees, "target", first: ensemble.first, step: ensemble.step) + [
                ("n_targets", .int(Int64(ensemble.targets))), ("aggregate_function", .text(ensemble.aggregation)),
            ])
        let sessions = try [1, 3].map { try Self.session(node, threads: $0) }
        for count in [0, 1, 3, 6, 300] {
            let x = Self.rows(count)
            let results = try sessions.map { try #require(try $0.run(["x": x])["y"]).scalars(Float.self) }
            #expect(results[0].map(\.bitPattern) == results[1].map(\.bitPattern))
            let numbers = x.scalars(Float.self)
            let expected = (0..<count).flatMap {
                Self.scores(
                    trees, numbers[$0 * Self.features..<($0 + 1) * Self.features], targets: ensemble.targets,
                    ensemble.aggregation)
            }
            #expect(results[0].count == expected.count)
            let isRight = zip(results[0], expected).allSatisfy { abs(Double($0) - $1) <= 1e-6 * (1 + abs($1)) }
            #expect(isRight, "\(count) rows")
        }
    }

    @Test func classifiersChooseTheLargestScore() throws {
        let trees = Self.trees(60, branches: 31, isChain: false, targets: 3)
        let node = TestNode(
            "TreeEnsembleClassifier", ["x"], ["label", "scores"], domain: "ai.onnx.ml",
            Self.attributes(trees, "class") + [("classlabels_int64s", .ints([10, 20, 30]))])
        let session = try Self.session(node)
        // The second run has the model from the first.
        for count in [1, 1, 40] {
            let x = Self.rows(count)
            let outputs = try session.run(["x": x])
            let scores = try #require(outputs["scores"]).scalars(Float.self)
            let labels = try #require(outputs["label"]).scalars(Int64.self)
            let numbers = x.scalars(Float.self)
            for row in 0..<count {
                let expected = Self.scores(
                    trees, numbers[row * Self.features..<(row + 1) * Self.features], targets: 3, "SUM")
                #expect(zip(scores[3 * row..<3 * row + 3], expected).allSatisfy { abs(Double($0) - $1) < 1e-4 })
                let best = expected.indices.max { expected[$0] < expected[$1] } ?? 0
                #expect(labels[row] == [10, 20, 30][best])
            }
        }
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let text: String
        let name: String
        let value: TestAttribute
    }

    /// Changes to one tree of three nodes, the first a branch.
    static let refused = [
        Refused(
            testDescription: "a circle", text: "lead in a circle", name: "nodes_truenodeids", value: .ints([0, 0, 0])),
        Refused(
            testDescription: "a node that is not there", text: "leads to a node that does not exist",
            name: "nodes_falsenodeids", value: .ints([7, 0, 0])),
        Refused(
            testDescription: "the same node twice", text: "node 1 of tree 0 is there twice", name: "nodes_nodeids",
            value: .ints([0, 1, 1])),
        Refused(
            testDescription: "a feature before the first", text: "nodes_featureids has -1", name: "nodes_featureids",
            value: .ints([-1, 0, 0])),
        Refused(
            testDescription: "a feature that no row has", text: "nodes_featureids has 1099511627775",
            name: "nodes_featureids", value: .ints([1 << 40 - 1, 0, 0])),
        Refused(
            testDescription: "a feature behind the last", text: "the model reads feature 5", name: "nodes_featureids",
            value: .ints([5, 0, 0])),
        Refused(
            testDescription: "a target outside", text: "target is outside [0, 0]", name: "target_ids",
            value: .ints([0, 1])),
        Refused(
            testDescription: "an unknown mode", text: "'BRANCH' is no mode", name: "nodes_modes",
            value: .texts(["BRANCH", "LEAF", "LEAF"])),
        Refused(
            testDescription: "a list that is too short", text: "nodes_truenodeids has 2 elements",
            name: "nodes_truenodeids",
            value: .ints([1, 0])),
    ]

    @Test(arguments: refused)
    func refuses(_ test: Refused) throws {
        var attributes = Self.attributes(Self.trees(1, branches: 1, isChain: false, targets: 1), "target")
        attributes = attributes.map { $0.0 == test.name ? ($0.0, test.value) : $0 }
        let node = TestNode(
            "TreeEnsembleRegressor", ["x"], ["y"], name: "trees", domain: "ai.onnx.ml", attributes)
        let error = #expect(throws: SardonyxError.self) { try Self.session(node).run(["x": Self.rows(1)]) }
        #expect(error?.code == .invalidModel && error?.node == "trees", "\(error.map { "\($0)" } ?? "")")
        #expect("\(error.map { "\($0)" } ?? "")".contains(test.text), "\(error.map { "\($0)" } ?? "")")
    }

    /// Ten thousand roots of one chain: a row would take a hundred million steps in a file of kilobytes.
    @Test func waysLongerThanTheFileAreRefused() throws {
        let count = 10_000
        let numbers = (0..<count).map(Int64.init)
        let zeros = [Int64](repeating: 0, count: count)
        func tensor(_ values: [Float]) -> TestAttribute {
            .tensor(TestTensor("", dims: [Int64(values.count)], floats: values))
        }
        let node = TestNode(
            "TreeEnsemble", ["x"], ["y"], name: "trees", domain: "ai.onnx.ml",
            [
                ("tree_roots", .ints(zeros)), ("nodes_featureids", .ints(zeros)),
                (
                    "nodes_modes",
                    .tensor(TestTensor("", dims: [Int64(count)], type: 2, raw: [UInt8](repeating: 0, count: count)))
                ),
                ("nodes_splits", tensor([Float](repeating: 0, count: count))), ("nodes_truenodeids", .ints(zeros)),
                ("nodes_trueleafs", .ints(zeros.map { _ in 1 })),
                ("nodes_falsenodeids", .ints(numbers.map { $0 + 1 == count ? 0 : $0 + 1 })),
                ("nodes_falseleafs", .ints(numbers.map { $0 + 1 == count ? 1 : 0 })), ("leaf_targetids", .ints([0])),
                ("leaf_weights", tensor([1])),
            ])
        let bytes = modelBytes(
            TestGraph(nodes: [node], inputs: [TestValue("x", ["N", 5])], outputs: [TestValue("y", nil)]),
            opsets: [("", 20), ("ai.onnx.ml", 5)])
        let error = #expect(throws: SardonyxError.self) {
            try Session(bytes.withUnsafeBytes { try Model(bytes: $0) }).run(["x": Self.rows(1)])
        }
        #expect(error?.code == .invalidModel && error?.node == "trees")
        #expect(error?.message.contains("may have 100000000 branches") ?? false, "\(error.map { "\($0)" } ?? "")")
    }
}
