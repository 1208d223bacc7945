import CKernels
import SardonyxGraph

/// y = max(0, min(1, alpha · x + beta)).
///
/// <https://onnx.ai/onnx/operators/onnx__HardSigmoid.html>
enum HardSigmoid: RealUnary {
    static let schema = Schema.unary(
        "HardSigmoid", versions: [1, 6, 22],
        attributes: [AttributeSpec("alpha", .float), AttributeSpec("beta", .float)])

    static func parameters(of node: Node) -> (a: Float, b: Float) {
        (node.float("alpha", default: 0.2), node.float("beta", default: 0.5))
    }
    static func kernel(for node: Node) -> sdx_unary_op? { SDX_UNARY_HARD_SIGMOID }

    @inline(__always) static func apply<W: RealMath>(_ x: W, _ a: W, _ b: W) -> W { W.clamping(a * x + b, 0, 1) }

    static let derivative: Derivative? = Derivative { d in
        let (alpha, y) = (Double(parameters(of: d.node).a), try d.y())
        let isInside = try y.isGreater(than: 0).apply("And", y.isLess(than: 1))
        try d.set(0) { try (d.dy() * alpha).kept(where: isInside) }
    }

    static let examples = [
        Example(
            "a ramp from 0 to 1", attributes: ["alpha": .float(0.5), "beta": .float(0.6)],
            inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [0.100000024, 0.6, 1] as [Float])], tolerance: 1e-06)
    ]
}
