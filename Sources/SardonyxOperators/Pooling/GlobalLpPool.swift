import CKernels
import SardonyxGraph

/// y[n, c, 1, …] = (Σ |x[n, c, …]|ᵖ)^(1/p).
///
/// <https://onnx.ai/onnx/operators/onnx__GlobalLpPool.html>
enum GlobalLpPool: Operator {
    static let schema = Schema(
        "GlobalLpPool", versions: [1, 2, 22],
        inputs: [Parameter("X", "T", .floats)], outputs: [Parameter("Y", "T", .floats)],
        attributes: [AttributeSpec("p", .int)])

    /// In opset 1 p is a float.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        try PowerOfNorm.lift(&node, from: opset)
    }

    static func infer(_ context: inout InferenceContext) throws {
        _ = try PowerOfNorm.power(context.node)
        try GlobalPooling.infer(&context)
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let power = try PowerOfNorm.power(context.node)
        return try GlobalPooling.prepare(
            context, float: { sdx_global_lp_pool_f32($0, $1, $2, $3, $4, Int64(power)) },
            other: { Norm(planes: $0, spatial: $1, power: power) })
    }

    private struct Norm: RealVisitor {
        let planes: Int
        let spatial: Int
        let power: Int

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let (spatial, power) = (spatial, power)
            return .parallel(chunks: planes) { frame, plane, _ in
                let x = frame.input(0, as: T.self) + plane * spatial
                var sum = 0.0
                for i in 0..<spatial { sum += PowerOfNorm.raise(x[i].double, power) }
                frame.output(0, as: T.self)[plane] = T(wide: T.Wide(PowerOfNorm.root(sum, power)))
            }
        }
    }

    static let derivative: Derivative? = .definition { d in
        let (x, p) = (try d.x(), try PowerOfNorm.power(d.node))
        return [try PowerOfNorm.root(PowerOfNorm.raise(x, p).sum(x.space()), p)]
    }

    static let examples = [
        Example(
            "the Euclidean norm",
            inputs: [Tensor(shape: [1, 1, 1, 2], scalars: [3, -4] as [Float])],
            outputs: [Tensor(shape: [1, 1, 1, 1], scalars: [5] as [Float])], tolerance: 1e-6)
    ]
}
