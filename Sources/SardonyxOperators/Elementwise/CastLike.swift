import SardonyxGraph

/// y = x as elements of the type that `target_type` has, by the rules of Cast.
///
/// <https://onnx.ai/onnx/operators/onnx__CastLike.html>
enum CastLike: Operator {
    static let schema = Schema(
        "CastLike", versions: [15, 19, 21, 23, 24, 25],
        inputs: [Parameter("input", "T1", Casting.types), Parameter("target_type", "T2", Casting.types)],
        outputs: [Parameter("output", "T2", Casting.types)], attributes: Casting.attributes)

    static func infer(_ context: inout InferenceContext) throws {
        try Casting.infer(&context, to: context.dataType(1))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        var kernel = try Casting.prepare(context, to: context.input(1).dataType)
        kernel.absorbedInputs = [1]
        return kernel
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        try Casting.castStrings(context, to: context.tensor(1).dataType) ?? evaluatePlanned(context)
    }

    static let derivative: Derivative? = Derivative { d in
        try d.set(0) { try d.dy().converted(to: d.x()) }
    }

    static let examples = [
        Example(
            "the type of another tensor",
            inputs: [Tensor(shape: [2], scalars: [1.75, -2] as [Float]), Tensor(shape: [0], scalars: [] as [Int64])],
            outputs: [Tensor(shape: [2], scalars: [1, -2] as [Int64])])
    ]
}
