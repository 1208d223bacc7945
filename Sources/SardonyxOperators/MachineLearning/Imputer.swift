import SardonyxGraph

/// Y[…, f] = imputed_value[f] where X[…, f] is the value to replace (which may be NaN), else X[…, f].
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_Imputer.html>
enum Imputer: Operator {
    static let schema = Schema(
        "Imputer", domain: "ai.onnx.ml", versions: [1], inputs: [Parameter("X", "T", .features)],
        outputs: [Parameter("Y", "T", .features)],
        attributes: [
            AttributeSpec("imputed_value_floats", .floats), AttributeSpec("imputed_value_int64s", .ints),
            AttributeSpec("replaced_value_float", .float), AttributeSpec("replaced_value_int64", .int),
        ])

    static func infer(_ context: inout InferenceContext) throws { try context.passThrough() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        var kernel = try context.input(0).dataType.visitNumber(Loops(context: context))
        kernel.inPlace = [0: [0]]
        return kernel
    }

    private struct Loops: NumberVisitor {
        let context: PreparationContext

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let node = context.node
            let spec = try context.input(0)
            let replaced: T
            let imputed: [T]
            if T.isInteger {
                replaced = T.converting(node.int("replaced_value_int64", default: 0))
                imputed = (node.ints("imputed_value_int64s") ?? []).map { T.converting($0) }
            } else {
                replaced = T.converting(Double(node.float("replaced_value_float", default: 0)))
                imputed = (node.floats("imputed_value_floats") ?? []).map { T.converting(Double($0)) }
            }
            let values = try FeatureList(
                imputed, T.isInteger ? "imputed_value_int64s" : "imputed_value_floats", spec.shape)
            return .parallel(count: spec.elementCount, grain: 16384) { frame, range in
                let x = frame.input(0, as: T.self)
                let y = frame.output(0, as: T.self)
                for i in range {
                    let isReplaced = replaced.isNotANumber ? x[i].isNotANumber : x[i] == replaced
                    y[i] = isReplaced ? values[i] : x[i]
                }
            }
        }
    }

    static let examples = [
        Example(
            "missing numbers",
            attributes: [
                "replaced_value_float": .float(.nan), "imputed_value_floats": .floats([10, 20]),
            ], inputs: [Tensor(shape: [2, 2], scalars: [.nan, 1, 2, .nan] as [Float])],
            outputs: [Tensor(shape: [2, 2], scalars: [10, 1, 2, 20] as [Float])])
    ]
}
