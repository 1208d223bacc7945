import CKernels
import SardonyxGraph

/// y[n, c, 1, …] = the maximum of x[n, c, …].
///
/// <https://onnx.ai/onnx/operators/onnx__GlobalMaxPool.html>
enum GlobalMaxPool: Operator {
    static let schema = Schema(
        "GlobalMaxPool", versions: [1, 22],
        inputs: [Parameter("X", "T", .floats)], outputs: [Parameter("Y", "T", .floats)])

    static func infer(_ context: inout InferenceContext) throws { try GlobalPooling.infer(&context) }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] { try GlobalPooling.layouts(context) }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        try GlobalPooling.prepare(
            context, float: { sdx_global_max_pool_f32($0, $1, $2, $3, $4) },
            blocked: { sdx_global_max_pool_c8_f32($0, $1, $2, $3, $4, $5) },
            other: { Maximum(planes: $0, spatial: $1) })
    }

    private struct Maximum: RealVisitor {
        let planes: Int
        let spatial: Int

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let spatial = spatial
            return .parallel(chunks: planes) { frame, plane, _ in
                let x = frame.input(0, as: T.self) + plane * spatial
                var best = T(wide: -T.Wide.infinity)
                for i in 0..<spatial where !(x[i] <= best) && !best.isNotANumber { best = x[i] }
                frame.output(0, as: T.self)[plane] = best
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        // Elements that are largest together share the gradient.
        let x = try d.x()
        try d.set(0) {
            let isLargest = try x.isEqual(to: d.y()).converted(to: x)
            return try d.dy() * isLargest / isLargest.sum(x.space())
        }
    }

    static let examples = [
        Example(
            "each channel's maximum",
            inputs: [Tensor(shape: [1, 2, 1, 2], scalars: [1, 3, -5, -8] as [Float])],
            outputs: [Tensor(shape: [1, 2, 1, 1], scalars: [3, -5] as [Float])])
    ]
}
