import CKernels
import SardonyxGraph

/// y[n, c, 1, …] = the mean of x[n, c, …].
///
/// <https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html>
enum GlobalAveragePool: Operator {
    static let schema = Schema(
        "GlobalAveragePool", versions: [1, 22],
        inputs: [Parameter("X", "T", .floats)], outputs: [Parameter("Y", "T", .floats)])

    static func infer(_ context: inout InferenceContext) throws { try GlobalPooling.infer(&context) }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] { try GlobalPooling.layouts(context) }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        try GlobalPooling.prepare(
            context, float: { sdx_global_average_pool_f32($0, $1, $2, $3, $4) },
            blocked: { sdx_global_average_pool_c8_f32($0, $1, $2, $3, $4, $5) },
            other: { Mean(planes: $0, spatial: $1) })
    }

    private struct Mean: RealVisitor {
        let planes: Int
        let spatial: Int

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let spatial = spatial
            return .parallel(chunks: planes) { frame, plane, _ in
                let x = frame.input(0, as: T.self) + plane * spatial
                var sum = T.Wide.zero
                for i in 0..<spatial { sum += x[i].wide }
                frame.output(0, as: T.self)[plane] = T(wide: sum / T.Wide(spatial))
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        let (x, dy) = (try d.x(), try d.dy())
        try d.set(0) { try (dy * dy.share(of: x)).expanded(like: x) }
    }

    static let examples = [
        Example(
            "each channel's mean",
            inputs: [Tensor(shape: [1, 2, 1, 2], scalars: [1, 3, 5, 8] as [Float])],
            outputs: [Tensor(shape: [1, 2, 1, 1], scalars: [2, 6.5] as [Float])], tolerance: 1e-6)
    ]
}
