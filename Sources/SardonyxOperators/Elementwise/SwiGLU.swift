import SardonyxGraph

/// y = a / (1 + e^(-alpha · a)) · b, where a and b have the same shape.
///
/// <https://onnx.ai/onnx/operators/onnx__SwiGLU.html>
enum SwiGLU: Operator {
    static let schema = Schema.binary(
        "SwiGLU", versions: [28], types: .floats, output: "Y", attributes: [AttributeSpec("alpha", .float)])

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        if let a = context.shape(0), let b = context.shape(1) {
            if a.count != b.count || zip(a, b).contains(where: { $0.value != nil && $1.value != nil && $0 != $1 }) {
                throw SardonyxError(
                    .invalidModel, "A and B must have the same shape; they have \(a.text) and \(b.text)")
            }
        }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let spec = try context.input(0)
        var kernel = try spec.dataType.visitReal(
            Gate(count: spec.elementCount, alpha: context.node.float("alpha", default: 1)))
        kernel.inPlace = [0: [0, 1]]
        return kernel
    }

    private struct Gate: RealVisitor {
        let count: Int
        let alpha: Float

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let (count, alpha) = (count, T.Wide(alpha))
            return Kernel { frame in
                Work<T>(a: frame.input(0), b: frame.input(1), y: frame.output(0), alpha: alpha)
                    .run(count: count, on: frame.pool)
            }
        }
    }

    private struct Work<T: Real>: ChunkedWork {
        let a: UnsafePointer<T>
        let b: UnsafePointer<T>
        let y: UnsafeMutablePointer<T>
        let alpha: T.Wide

        func run(_ range: Range<Int>) {
            for i in range { y[i] = T(wide: Swish.apply(a[i].wide, alpha, 0) * b[i].wide) }
        }
    }

    static let derivative: Derivative? = .definition { d in
        let a = try d.x(0)
        return [try a * (a * Double(d.node.float("alpha", default: 1))).sigmoid() * d.x(1)]
    }

    static let examples = [
        Example(
            "a gated value",
            inputs: [
                Tensor(shape: [3], scalars: [-1, 0, 2] as [Float]),
                Tensor(shape: [3], scalars: [2, 3, 0.5] as [Float]),
            ],
            outputs: [Tensor(shape: [3], scalars: [-0.53788286, 0, 0.8807971] as [Float])], tolerance: 1e-6)
    ]
}
