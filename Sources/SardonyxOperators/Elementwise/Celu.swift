import CKernels
import SardonyxGraph

/// y = max(0, x) + min(0, alpha · (e^(x / alpha) - 1)).
///
/// <https://onnx.ai/onnx/operators/onnx__Celu.html>
enum Celu: RealUnary {
    static let schema = Schema.unary(
        "Celu", versions: [12, 28],
        attributes: [AttributeSpec("alpha", .float)])

    static func parameters(of node: Node) -> (a: Float, b: Float) { (node.float("alpha", default: 1), 0) }
    static func kernel(for node: Node) -> sdx_unary_op? { SDX_UNARY_CELU }

    @inline(__always) static func apply<W: RealMath>(_ x: W, _ a: W, _ b: W) -> W { x > 0 ? x : a * W.expm1(x / a) }

    static let derivative: Derivative? = Derivative { d in
        let (alpha, y) = (Double(parameters(of: d.node).a), try d.y())
        try d.set(0) { try d.dy() * d.x().isGreater(than: 0).choose(y.number(1), else: y / alpha + 1) }
    }

    static let examples = [
        Example(
            "exponential below zero", attributes: ["alpha": .float(2.0)],
            inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-0.78693867, 0, 1] as [Float])], tolerance: 1e-06)
    ]
}
