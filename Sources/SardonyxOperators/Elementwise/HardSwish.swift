import CKernels
import SardonyxGraph

/// y = x · max(0, min(1, x/6 + 1/2)).
///
/// <https://onnx.ai/onnx/operators/onnx__HardSwish.html>
enum HardSwish: RealFunction {
    static let schema = Schema.unary("HardSwish", versions: [14, 22])
    static var kernel: sdx_unary_op? { SDX_UNARY_HARD_SWISH }

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { x * W.clamping(x / 6 + 0.5, 0, 1) }

    static let derivative: Derivative? = Derivative { d in
        let x = try d.x()
        let slope = try (x / 3 + 0.5).kept(where: x.isGreater(than: -3))
        try d.set(0) { try d.dy() * x.isLess(than: 3).choose(slope, else: x.number(1)) }
    }

    static let examples = [
        Example(
            "zero below -3, the identity above 3", inputs: [Tensor(shape: [5], scalars: [-4, -1, 0, 1, 4] as [Float])],
            outputs: [Tensor(shape: [5], scalars: [-0, -0.3333333, 0, 0.6666667, 4] as [Float])], tolerance: 1e-06)
    ]
}
