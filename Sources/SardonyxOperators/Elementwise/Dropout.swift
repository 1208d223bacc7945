import SardonyxGraph

/// y = x; with `training_mode` y = x / (1 - ratio) where a random mask is true, and 0 elsewhere.
///
/// With a `seed`, the mask is the one that numpy's generator of that seed gives.
/// <https://onnx.ai/onnx/operators/onnx__Dropout.html>
enum Dropout: Operator {
    private static let types: TypeSet = .floats + [.float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz]

    static let schema = Schema(
        "Dropout", versions: [1, 6, 7, 10, 12, 13, 22],
        inputs: [
            Parameter("data", "T", types), Parameter("ratio", "T1", types, .optional),
            Parameter("training_mode", "T2", [.bool], .optional),
        ],
        outputs: [Parameter("output", "T", types), Parameter("mask", "T2", [.bool], .optional)],
        attributes: [AttributeSpec("seed", .int)])

    /// Through opset 11 a node says nothing about training that would matter here, and through opset 9 the mask has
    /// the data's type.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        guard opset < 12 else { return }
        node.removeConsumedInputs(opset: opset)
        node.attributes["ratio"] = nil
        if opset < 7 { node.attributes["is_test"] = nil }
        if opset < 10, node.outputs.count > 1, let mask = node.outputs[1] {
            let truths = lifting.addValue("\(node.displayName).mask")
            node.outputs[1] = truths
            lifting.insertAfter("CastLike", [truths, node.inputs.first.flatMap { $0 }], output: mask, for: node)
        }
    }

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        context.set(1, .bool, context.shape(0))
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] { try context.channelBlocks() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        if let flags = try context.integers(2), flags.first ?? 0 != 0 {
            throw SardonyxError(.unsupported, "training has no planned form")
        }
        let wantsMask = context.wants(1)
        let count = try context.input(0).elementCount
        var kernel = Kernel { frame in
            if wantsMask { frame.output(1, as: UInt8.self).update(repeating: 1, count: count) }
        }
        kernel.views = [0: 0]
        kernel.absorbedInputs = [1, 2]
        return kernel
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let data = try context.tensor(0)
        guard try context.optionalTensor(2)?.integers?.first ?? 0 != 0 else { return try evaluatePlanned(context) }
        var ratio = 0.5
        if let tensor = try context.optionalTensor(1) {
            guard let value = try tensor.numbers().first, value >= 0, value < 1 else {
                throw SardonyxError(.invalidValue, "'ratio' must be a number in [0, 1)")
            }
            ratio = value
        }
        let seed = context.node.int("seed").map { UInt32(truncatingIfNeeded: $0) }
        var generator = MersenneTwister(seed: seed ?? UInt32.random(in: 0 ... .max))
        let mask = (0..<data.count).map { _ in ratio == 0 || generator.nextUniform() >= ratio }
        let scale = 1 / (1 - ratio)
        let scaled = zip(try data.numbers(), mask).map { $1 ? $0 * scale : 0 }
        let result = try Tensor(shape: data.shape, scalars: scaled).converted(to: data.dataType)
        return [.tensor(result), .tensor(Tensor(shape: data.shape, scalars: mask))]
    }

    static let derivative: Derivative? = Derivative(outputCount: 2) { d in
        let dy = try d.dy()
        guard let training = d.optionalInput(2), training.constant?.integers != [0] else { return d.set(0) { dy } }
        let ratio = try d.optionalInput(1)?.converted(to: dy) ?? dy.number(0.5)
        let scale = try training.choose(1 / (1 - ratio), else: dy.number(1))
        try d.set(0) { try (dy * scale).kept(where: d.y(1)) }
        // By the scale; the mask changes in steps.
        try d.setSummed(1) {
            let slope = try training.choose(1 / (1 - ratio), else: dy.number(0))
            return try (dy * d.y() * slope).converted(to: d.x(1))
        }
    }

    static let examples = [
        Example(
            "inference", inputs: [Tensor(shape: [2], scalars: [1, 2] as [Float])],
            outputs: [Tensor(shape: [2], scalars: [1, 2] as [Float]), Tensor(shape: [2], scalars: [true, true])]),
        Example(
            "training", attributes: ["seed": .int(0)],
            inputs: [Tensor(shape: [4], scalars: [1, 2, 3, 4] as [Float]), Tensor(0.6 as Float), Tensor(true)],
            outputs: [
                Tensor(shape: [4], scalars: [0, 5, 7.5, 0] as [Float]),
                Tensor(shape: [4], scalars: [false, true, true, false]),
            ], tolerance: 1e-6),
    ]
}
