import CKernels
import SardonyxGraph

/// y = -x; the smallest number of an integer type stays, as it has no positive counterpart.
///
/// <https://onnx.ai/onnx/operators/onnx__Neg.html>
enum Neg: NumberUnary {
    static let schema = Schema.unary("Neg", versions: [1, 6, 13], types: .floats + .signedIntegers)
    static var kernel: sdx_unary_op { SDX_UNARY_NEG }

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        context.combineElements { .fixed(0) - $0[0] }
    }

    @inline(__always) static func apply<T: Number>(_ x: T) -> T { T.negating(x) }

    static let derivative: Derivative? = .unary { _, _, dy in try -dy }

    static let examples = [
        Example(
            "signs turn", inputs: [Tensor(shape: [2], scalars: [-4, 2] as [Float])],
            outputs: [Tensor(shape: [2], scalars: [4, -2] as [Float])])
    ]
}
