import SardonyxGraph

/// y[…] = 1 with the probability x[…], and 0 otherwise. With a `seed`, the draws are those of numpy.
///
/// <https://onnx.ai/onnx/operators/onnx__Bernoulli.html>
enum Bernoulli: Operator {
    static let schema = Schema(
        "Bernoulli", versions: [15, 22], inputs: [Parameter("input", "T1", .floats)],
        outputs: [Parameter("output", "T2", .numbers + [.bool])],
        attributes: [AttributeSpec("dtype", .int), AttributeSpec("seed", .float)])

    static let execution = Execution.random

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.node.dataType("dtype") ?? context.dataType(0)
        guard schema.outputs[0].types.contains(type) else {
            throw SardonyxError(.invalidModel, "'dtype' is \(type.name); numbers or truth values are wanted")
        }
        context.set(0, type, context.shape(0))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let input = try context.tensor(0)
        let probabilities = try input.numbers()
        var numbers = RandomNumbers(context.node)
        var result = try context.environment.allocate(.uint8, input.shape)
        try result.withUnsafeMutableBytes { target in
            for (index, p) in probabilities.enumerated() {
                guard p >= 0, p <= 1 else {
                    throw SardonyxError(.invalidValue, "\(p) is no probability; it must be in [0, 1]")
                }
                // numpy draws the rarer outcome, and nothing where only one is possible.
                let draw = p == 0 ? false : p <= 0.5 ? numbers.uniform() > 1 - p : !(numbers.uniform() > p)
                target[index] = draw ? 1 : 0
            }
        }
        let type = try context.node.dataType("dtype") ?? input.dataType
        return [.tensor(try result.converted(to: type))]
    }

    static let derivative: Derivative? = .zero

    static let examples = [
        Example(
            "with a seed", attributes: ["seed": .float(7), "dtype": .int(9)],
            inputs: [Tensor(shape: [7], scalars: [0.1, 0.5, 0.9, 0.3, 0.7, 0, 1] as [Double])],
            outputs: [Tensor(shape: [7], scalars: [false, true, true, true, false, false, true])])
    ]
}
