import SardonyxGraph

/// y[n, s] = c with the probability exp(x[n, c]) / Σₖ exp(x[n, k]): `sample_size` draws a row, with replacement.
///
/// <https://onnx.ai/onnx/operators/onnx__Multinomial.html>
enum Multinomial: Operator {
    static let schema = Schema(
        "Multinomial", versions: [7, 22], inputs: [Parameter("input", "T1", .floats)],
        outputs: [Parameter("output", "T2", .indices)],
        attributes: [AttributeSpec("dtype", .int), AttributeSpec("seed", .float), AttributeSpec("sample_size", .int)])

    static let execution = Execution.random

    static func infer(_ context: inout InferenceContext) throws {
        try context.requireRank(0, 2...2, "the input")
        let (type, samples) = try parameters(context.node)
        context.set(0, type, [context.shape(0)?[0] ?? .unknown, .fixed(samples)])
    }

    private static func parameters(_ node: Node) throws -> (type: DataType, samples: Int) {
        let type = try node.dataType("dtype") ?? .int32
        let samples = node.int("sample_size", default: 1)
        guard TypeSet.indices.contains(type), samples >= 1 else {
            throw SardonyxError(
                .invalidModel,
                "'dtype' is \(type.name) and 'sample_size' \(samples); int32 or int64 and at least 1 are wanted")
        }
        return (type, samples)
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let (type, samples) = try parameters(context.node)
        let input = try context.tensor(0)
        guard input.shape.count == 2 else {
            throw SardonyxError(.invalidInput, "the input must have 2 axes; its shape is \(input.shape)")
        }
        let (rows, classes) = (input.shape[0], input.shape[1])
        let logits = try input.numbers()
        var numbers = RandomNumbers(context.node)
        var result = try context.environment.allocate(.int64, [rows, samples])
        try result.withUnsafeMutableBytes { bytes in
            let target = bytes.bindMemory(to: Int64.self)
            for row in 0..<rows {
                let sums = try cumulated(logits[row * classes..<(row + 1) * classes])
                for sample in 0..<samples {
                    target[row * samples + sample] = Int64(numbers.choose(from: sums))
                }
            }
        }
        return [.tensor(try result.converted(to: type))]
    }

    /// Σ exp(x[0 ... c]) for every class c, scaled so that nothing overflows.
    private static func cumulated(_ logits: ArraySlice<Double>) throws -> [Double] {
        let largest = logits.max() ?? -.infinity
        guard largest.isFinite, logits.allSatisfy({ !$0.isNaN }) else {
            throw SardonyxError(.invalidValue, "a row of log-probabilities must have a finite maximum and no NaN")
        }
        var sum = 0.0
        return logits.map { logit in
            sum += Double.exp(logit - largest)
            return sum
        }
    }

    static let examples = [
        Example(
            "only one class is possible", attributes: ["sample_size": .int(3), "dtype": .int(7)],
            inputs: [Tensor(shape: [1, 3], scalars: [-.infinity, 0, -.infinity] as [Float])],
            outputs: [Tensor(shape: [1, 3], scalars: [1, 1, 1] as [Int64])])
    ]
}

extension RandomNumbers {
    /// The first position whose cumulated weight exceeds a random share of them all.
    fileprivate mutating func choose(from sums: [Double]) -> Int {
        let total = sums.last ?? 0
        let share = uniform() * total
        var (low, high) = (0, sums.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] > share { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
