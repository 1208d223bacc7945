import CKernels
import SardonyxGraph

/// y = eˣ.
///
/// <https://onnx.ai/onnx/operators/onnx__Exp.html>
enum Exp: RealFunction {
    static let schema = Schema.unary("Exp", versions: [1, 6, 13], input: "input", output: "output")
    static var kernel: sdx_unary_op? { SDX_UNARY_EXP }

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.exp(x) }

    static let derivative: Derivative? = .unary { _, y, dy in try dy * y }

    static let examples = [
        Example(
            "powers of e", inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [0.36787942, 1, 2.718282] as [Float])], tolerance: 1e-06)
    ]
}
