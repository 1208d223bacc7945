import SardonyxGraph

/// loss[n, d…] = −weight[c] · input[n, c, d…] with c = target[n, d…], and 0 where c is `ignore_index`; by default the
/// mean, Σ loss / Σ weight.
///
/// <https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html>
enum NegativeLogLikelihoodLoss: Operator {
    static let schema = Schema(
        "NegativeLogLikelihoodLoss", versions: [12, 13, 22],
        inputs: [
            Parameter("input", "T", .floats), Parameter("target", "Tind", .indices),
            Parameter("weight", "T", .floats, .optional),
        ],
        outputs: [Parameter("loss", "T", .floats)],
        attributes: [AttributeSpec("ignore_index", .int), AttributeSpec("reduction", .string)])

    static func infer(_ context: inout InferenceContext) throws { try context.inferClassLoss() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        try context.input(0).dataType.visitReal(Loops(context: context))
    }

    private struct Loops: RealVisitor {
        let context: PreparationContext

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            var layout = Workspace.Layout()
            let loss = try ClassLoss<T>(context, &layout)
            var kernel = Kernel { frame in
                try loss.check(frame)
                let input = frame.input(0, as: T.self)
                loss.store(frame, 0..<loss.positions) { _, own in -input[own].wide }
                loss.reduce(frame)
            }
            kernel.workspaceByteCount = layout.byteCount
            return kernel
        }
    }

    static let derivative: Derivative? = .definition { d in
        [try d.classLoss(of: -d.x())]
    }

    static let examples = [
        Example(
            "a loss for each position", attributes: ["reduction": .string("none")],
            inputs: [
                Tensor(shape: [1, 2, 2], scalars: [1, 2, 3, 4] as [Float]),
                Tensor(shape: [1, 2], scalars: [0, 1] as [Int64]),
            ], outputs: [Tensor(shape: [1, 2], scalars: [-1, -4] as [Float])]),
        Example(
            "the weighted mean",
            inputs: [
                Tensor(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6] as [Double]),
                Tensor(shape: [2], scalars: [0, 2] as [Int32]),
                Tensor(shape: [3], scalars: [1, 2, 3] as [Double]),
            ], outputs: [Tensor(-4.75 as Double)], tolerance: 1e-12),
        Example(
            "a class that is ignored", attributes: ["ignore_index": .int(-1)],
            inputs: [
                Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float16]),
                Tensor(shape: [2], scalars: [-1, 1] as [Int64]),
            ], outputs: [Tensor(-4 as Float16)]),
    ]
}
