import SardonyxGraph

/// y[n, ngram_indexes[g]] = how often n-gram g occurs in x[n], in mode TF; 1 where it occurs, in mode IDF; both times the
/// column's weight in modes IDF and TFIDF.
///
/// The pool holds all 1-grams, then all 2-grams …, from `ngram_counts` on. The elements of an n-gram may stand up to
/// `max_skip_count` elements apart, all by the same distance; 1-grams count once. As in ONNX Runtime and in the reference,
/// weights belong to y's columns.
///
/// <https://onnx.ai/onnx/operators/onnx__TfIdfVectorizer.html>
enum TfIdfVectorizer: Operator {
    static let schema = Schema(
        "TfIdfVectorizer", versions: [9],
        inputs: [Parameter("X", "T", [.int32, .int64, .string])],
        outputs: [Parameter("Y", "T1", [.float])],
        attributes: [
            AttributeSpec("mode", .string, required: true), AttributeSpec("ngram_indexes", .ints, required: true),
            AttributeSpec("weights", .floats), AttributeSpec("ngram_counts", .ints, required: true),
            AttributeSpec("pool_int64s", .ints), AttributeSpec("pool_strings", .strings),
            AttributeSpec("max_skip_count", .int, required: true),
            AttributeSpec("min_gram_length", .int, required: true),
            AttributeSpec("max_gram_length", .int, required: true),
        ])

    static let execution = Execution.dynamic

    /// The attributes, checked.
    private struct Settings {
        let mode: String
        let columns: [Int]
        let weights: [Float]?
        let counts: [Int]
        let skips: Int
        let lengths: ClosedRange<Int>
        let width: Int

        init(_ node: Node) throws {
            mode = node.string("mode", default: "")
            guard ["TF", "IDF", "TFIDF"].contains(mode) else {
                throw SardonyxError(.invalidModel, "mode is '\(mode)'; it must be TF, IDF or TFIDF")
            }
            columns = node.ints("ngram_indexes") ?? []
            counts = node.ints("ngram_counts") ?? []
            skips = node.int("max_skip_count", default: 0)
            let (shortest, longest) = (node.int("min_gram_length", default: 1), node.int("max_gram_length", default: 1))
            guard skips >= 0, skips < 1 << 31, shortest >= 1, longest >= shortest else {
                throw SardonyxError(
                    .invalidModel,
                    "max_skip_count \(skips), min_gram_length \(shortest) and max_gram_length \(longest) do not fit together"
                )
            }
            lengths = shortest...longest
            guard !columns.isEmpty, columns.allSatisfy({ (0..<1 << 40).contains($0) }) else {
                throw SardonyxError(.invalidModel, "ngram_indexes must be columns of the output")
            }
            width = (columns.max() ?? 0) + 1
            weights = node.floats("weights").flatMap { $0.isEmpty ? nil : $0 }
            if let weights, weights.count < width {
                throw SardonyxError(.invalidModel, "there are \(weights.count) weights for \(width) columns")
            }
        }

        func value(_ count: Int, column: Int) -> Float {
            let weight = mode == "TF" ? 1 : weights?[column] ?? 1
            return mode == "IDF" ? (count > 0 ? weight : 0) : Float(count) * weight
        }
    }

    /// n-grams by their elements: node 0 is the root, `gram` the n-gram that ends at a node.
    private struct Trie<Key: Hashable> {
        private var children: [[Key: Int]] = [[:]]
        private var grams: [Int?] = [nil]

        init(_ pool: [Key], _ settings: Settings) throws {
            var gram = 0
            for (index, start) in settings.counts.enumerated() {
                let size = index + 1
                let end = index + 1 < settings.counts.count ? settings.counts[index + 1] : pool.count
                guard start >= 0, start <= end, end <= pool.count else {
                    throw SardonyxError(
                        .invalidModel, "ngram_counts \(settings.counts) do not divide a pool of \(pool.count)")
                }
                let count = (end - start) / size
                guard gram + count <= settings.columns.count else {
                    throw SardonyxError(
                        .invalidModel,
                        "the pool has more n-grams than ngram_indexes, which has \(settings.columns.count)")
                }
                if settings.lengths.contains(size) {
                    for k in 0..<count {
                        let first = start + k * size
                        insert(pool[first..<(first + size)], gram: gram + k)
                    }
                }
                gram += count
            }
        }

        private mutating func insert(_ key: ArraySlice<Key>, gram: Int) {
            var node = 0
            for element in key {
                if let next = children[node][element] {
                    node = next
                } else {
                    children[node][element] = children.count
                    node = children.count
                    children.append([:])
                    grams.append(nil)
                }
            }
            grams[node] = gram
        }

        /// Adds the n-grams in `row` to `counts`.
        func count(_ row: ArraySlice<Key>, _ settings: Settings, into counts: inout [Int]) {
            var shortest = settings.lengths.lowerBound
            for distance in 1...(settings.skips + 1) {
                // No n-gram of the least length fits from here on, nor at any larger distance.
                let (reach, overflow) = distance.multipliedReportingOverflow(by: shortest - 1)
                if overflow || reach >= row.count { break }
                for start in row.startIndex..<(row.endIndex - reach) {
                    var node = 0
                    var length = 1
                    var place = start
                    while length <= settings.lengths.upperBound, place < row.endIndex,
                        let next = children[node][row[place]]
                    {
                        node = next
                        if length >= shortest, let gram = grams[node] { counts[settings.columns[gram]] += 1 }
                        length += 1
                        place += distance
                    }
                }
                // A 1-gram is the same at every distance.
                if shortest == 1 {
                    shortest = 2
                    if shortest > settings.lengths.upperBound { break }
                }
            }
        }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let settings = try Settings(context.node)
        try context.requireRank(0, 0...2, "X")
        context.set(0, .float, context.shape(0).map { $0.dropLast() + [.fixed(settings.width)] })
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let x = try context.tensor(0)
        let settings = try Settings(context.node)
        guard x.shape.count <= 2 else {
            throw SardonyxError(.invalidInput, "X is \(x.shape); it must be [C] or [N, C]")
        }
        if x.dataType == .string {
            guard let pool = context.node.strings("pool_strings") else {
                throw SardonyxError(.invalidModel, "X holds strings, and pool_strings is missing")
            }
            return [try count(x.strings.map(ExactString.init), Trie(pool.map(ExactString.init), settings), x, context)]
        }
        guard let pool = context.node.ints("pool_int64s") else {
            throw SardonyxError(.invalidModel, "X holds integers, and pool_int64s is missing")
        }
        return [try count(x.integers ?? [], Trie(pool, settings), x, context)]
    }

    private static func count<Key: Hashable>(
        _ elements: [Key], _ trie: Trie<Key>, _ x: Tensor, _ context: EvaluationContext
    ) throws -> Datum {
        let settings = try Settings(context.node)
        let rows = x.shape.count == 2 ? x.shape[0] : 1
        let length = elements.count / max(rows, 1)
        var y = try context.environment.allocate(.float, x.shape.dropLast() + [settings.width])
        try y.withUnsafeMutableBytes { bytes in
            let y = bytes.bindMemory(to: Float.self)
            for row in 0..<rows {
                var counts = [Int](repeating: 0, count: settings.width)
                trie.count(elements[(row * length)..<((row + 1) * length)], settings, into: &counts)
                for (column, count) in counts.enumerated() {
                    y[row * settings.width + column] = settings.value(count, column: column)
                }
            }
        }
        return .tensor(y)
    }

    static let examples = [
        Example(
            "2-grams with skips",
            attributes: [
                "mode": .string("TF"), "min_gram_length": .int(2), "max_gram_length": .int(2),
                "max_skip_count": .int(1),
                "ngram_counts": .ints([0, 2]), "ngram_indexes": .ints([0, 1, 2, 3]),
                "pool_int64s": .ints([2, 3, 5, 6, 7, 8]),
            ],
            inputs: [Tensor(shape: [5], scalars: [5, 6, 7, 6, 8] as [Int32])],
            outputs: [Tensor(shape: [4], scalars: [0, 0, 1, 1] as [Float])])
    ]
}
