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

    /// A label by number; `nil` stands for none of them.
    func integer(_ number: Int?) -> Int64 {
        guard let number else { return 0 }
        return Int64(integers[safe: number] ?? (integers.isEmpty ? number : 0))
    }

    /// The same where labels are strings.
    func string(_ number: Int?) -> String { number.flatMap { strings[safe: $0] } ?? "" }
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

/// Labels and scores of all rows as a classifier's outputs, in memory that the run's budget allows.
struct ClassifiedRows {
    private let context: EvaluationContext
    private let names: ClassLabels
    private let rows: Int
    private var strings: [String] = []
    private var integers: Tensor?
    private var scores: Tensor?
    private var row = 0

    init(_ context: EvaluationContext, _ names: ClassLabels, rows: Int) throws {
        (self.context, self.names, self.rows) = (context, names, rows)
        // A string takes two words.
        try context.environment.admit(TensorSpec(dataType: .int64, shape: [rows, 2]))
        if names.areStrings {
            strings.reserveCapacity(rows)
        } else {
            integers = try context.environment.allocate(.int64, [rows])
        }
    }

    /// The next row's label and scores, as many as of the first row.
    mutating func add(label: Int?, _ values: [Double]) throws {
        let row = self.row
        if row % 4096 == 0 { try context.environment.checkCancellation() }
        if names.areStrings {
            strings.append(names.string(label))
        } else {
            let number = names.integer(label)
            try integers?.withUnsafeMutableBytes { $0.bindMemory(to: Int64.self)[row] = number }
        }
        if scores == nil { scores = try context.environment.allocate(.float, [rows, values.count]) }
        try scores?.withUnsafeMutableBytes { bytes in
            let y = bytes.bindMemory(to: Float.self)
            for (i, value) in values.enumerated() { y[row * values.count + i] = Float(value) }
        }
        self.row += 1
    }

    /// - Parameter width: the scores of a row where there is no row.
    func outputs(width: Int) throws -> [Datum?] {
        [
            .tensor(integers ?? Tensor(shape: [rows], strings: strings)),
            .tensor(try scores ?? context.environment.allocate(.float, [rows, width])),
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
