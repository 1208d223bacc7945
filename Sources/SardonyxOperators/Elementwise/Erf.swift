import CKernels
import SardonyxGraph

/// y = erf x = 2/√π · ∫₀ˣ e^(-t²) dt.
///
/// <https://onnx.ai/onnx/operators/onnx__Erf.html>
enum Erf: RealFunction {
    static let schema = Schema.unary("Erf", versions: [9, 13], input: "input", output: "output")
    static var kernel: sdx_unary_op? { SDX_UNARY_ERF }

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.erf(x) }

    static let examples = [
        Example(
            "the error function", inputs: [Tensor(shape: [4], scalars: [-1, 0, 0.5, 3] as [Float])],
            outputs: [Tensor(shape: [4], scalars: [-0.8427008, 0, 0.5204999, 0.9999779] as [Float])], tolerance: 1e-06)
    ]
}
