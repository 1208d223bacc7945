import SardonyxGraph

/// Y[n, f] = X[n, f] / d[n] with d the row's largest element (MAX), Σ |X[n, f]| (L1) or √Σ X[n, f]² (L2).
///
/// A row with d = 0 stays.
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_Normalizer.html>
enum Normalizer: Operator {
    static let schema = Schema(
        "Normalizer", domain: "ai.onnx.ml", versions: [1], inputs: [Parameter("X", "T", .features)],
        outputs: [Parameter("Y", "tensor(float)", [.float])], attributes: [AttributeSpec("norm", .string)])

    private enum Norm: String {
        case max = "MAX"
        case l1 = "L1"
        case l2 = "L2"
    }

    private static func norm(_ node: Node) throws -> Norm {
        let name = node.string("norm", default: "MAX")
        guard let norm = Norm(rawValue: name) else {
            throw SardonyxError(.invalidModel, "norm is '\(name)'; it must be MAX, L1 or L2")
        }
        return norm
    }

    static func infer(_ context: inout InferenceContext) throws {
        _ = try norm(context.node)
        try context.requireRank(0, 1...2, "X")
        context.set(0, .float, context.shape(0))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let features = try FeatureRows(context.input(0).shape)
        return try context.rowKernel(Model(norm: norm(context.node), scoreCount: features.columns), .none)
    }

    private struct Model: RowModel {
        let norm: Norm
        let scoreCount: Int
        var featureCount: Int { scoreCount }

        func evaluate(
            _ row: UnsafePointer<Double>, into scores: UnsafeMutablePointer<Double>,
            scratch: UnsafeMutablePointer<Double>
        ) {
            var divisor = norm == .max ? -Double.infinity : 0
            for f in 0..<scoreCount {
                switch norm {
                case .max: divisor = max(divisor, row[f])
                case .l1: divisor += abs(row[f])
                case .l2: divisor += row[f] * row[f]
                }
            }
            if norm == .l2 { divisor.formSquareRoot() }
            for f in 0..<scoreCount { scores[f] = divisor == 0 ? row[f] : row[f] / divisor }
        }
    }

    static let examples = [
        Example(
            "by the length", attributes: ["norm": .string("L2")],
            inputs: [Tensor(shape: [2, 2], scalars: [3, -4, 0, 0] as [Float])],
            outputs: [Tensor(shape: [2, 2], scalars: [0.6, -0.8, 0, 0] as [Float])], tolerance: 1e-6)
    ]
}
