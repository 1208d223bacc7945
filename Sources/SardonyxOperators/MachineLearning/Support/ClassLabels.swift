import SardonyxGraph

/// The labels of a classifier: integers or strings.
struct ClassLabels {
    private let integers: [Int]
    private let strings: [String]

    init(_ node: Node, integers: String, strings: String) {
        self.integers = node.ints(integers) ?? []
        self.strings = node.strings(strings) ?? []
    }

    var areStrings: Bool { !strings.isEmpty }
    var count: Int { areStrings ? strings.count : integers.count }

    /// Labels by number; `nil` stands for none of them.
    func tensor(_ chosen: [Int?]) -> Tensor {
        if areStrings {
            return Tensor(shape: [chosen.count], strings: chosen.map { $0.flatMap { strings[safe: $0] } ?? "" })
        }
        return Tensor(
            shape: [chosen.count],
            scalars: chosen.map { number -> Int64 in
                guard let number else { return 0 }
                return Int64(integers[safe: number] ?? (integers.isEmpty ? number : 0))
            })
    }
}

extension Array {
    subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }

    /// The place of the first of the largest elements.
    func indexOfLargest() -> Int where Element: Comparable {
        var best = 0
        for index in indices where self[index] > self[best] { best = index }
        return best
    }
}

extension InferenceContext {
    /// A classifier's outputs: labels [N] and scores [N, count].
    mutating func inferClassifier(_ labels: ClassLabels, scores: Dimension) throws {
        let rows = try FeatureRows.extent(self)
        set(0, labels.areStrings ? .string : .int64, [rows])
        set(1, .float, [rows, scores])
    }
}

/// Labels and scores of all rows as a classifier's outputs.
struct ClassifiedRows {
    private(set) var labels: [Int?] = []
    private(set) var scores: [Double] = []
    private(set) var width = 0

    mutating func add(label: Int?, _ row: [Double]) {
        labels.append(label)
        scores += row
        width = row.count
    }

    /// - Parameter width: the scores of a row where there is no row.
    func outputs(_ names: ClassLabels, width: Int) -> [Datum?] {
        [
            .tensor(names.tensor(labels)),
            .tensor(
                Tensor(shape: [labels.count, labels.isEmpty ? width : self.width], scalars: scores.map { Float($0) })),
        ]
    }
}

extension PostTransform {
    func applied(_ scores: [Double]) -> [Double] {
        var result = scores
        result.withUnsafeMutableBufferPointer { buffer in
            if let base = buffer.baseAddress { apply(base, count: buffer.count) }
        }
        return result
    }

    /// The two scores of a binary model that has one.
    /// - Parameter isProbability: whether the score is the second class's probability, else its margin.
    func pair(_ score: Double, isProbability: Bool) -> [Double] {
        if self == .probit { return [Self.probit(score)] }
        if self == .none && isProbability { return [1 - score, score] }
        return applied([-score, score])
    }
}
