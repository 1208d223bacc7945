import SardonyxGraph

/// Y[…] = 1 where X[…] > threshold, else 0.
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_Binarizer.html>
enum Binarizer: Operator {
    static let schema = Schema(
        "Binarizer", domain: "ai.onnx.ml", versions: [1], inputs: [Parameter("X", "T", .features)],
        outputs: [Parameter("Y", "T", .features)], attributes: [AttributeSpec("threshold", .float)])

    static func infer(_ context: inout InferenceContext) throws { try context.passThrough() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        var kernel = try context.input(0).dataType.visitNumber(Loops(context: context))
        kernel.inPlace = [0: [0]]
        return kernel
    }

    private struct Loops: NumberVisitor {
        let context: PreparationContext

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let threshold = Double(context.node.float("threshold", default: 0))
            return .parallel(count: try context.input(0).elementCount, grain: 16384) { frame, range in
                let x = frame.input(0, as: T.self)
                let y = frame.output(0, as: T.self)
                for i in range { y[i] = x[i].double > threshold ? .one : .zero }
            }
        }
    }

    static let examples = [
        Example(
            "a threshold", attributes: ["threshold": .float(1)],
            inputs: [Tensor(shape: [3], scalars: [0.5, 1, 1.5] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [0, 0, 1] as [Float])])
    ]
}
