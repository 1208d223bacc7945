import CKernels
import SardonyxGraph

/// y = x < 0 ? alpha · (eˣ - 1) : x.
///
/// <https://onnx.ai/onnx/operators/onnx__Elu.html>
enum Elu: RealUnary {
    static let schema = Schema.unary(
        "Elu", versions: [1, 6, 22],
        attributes: [AttributeSpec("alpha", .float)])

    static func parameters(of node: Node) -> (a: Float, b: Float) { (node.float("alpha", default: 1), 0) }
    static func kernel(for node: Node) -> sdx_unary_op? { SDX_UNARY_ELU }

    @inline(__always) static func apply<W: RealMath>(_ x: W, _ a: W, _ b: W) -> W { x < 0 ? a * W.expm1(x) : x }

    static let derivative: Derivative? = Derivative { d in
        // Below zero the slope is alpha · eˣ, which is y + alpha.
        let (alpha, y) = (Double(parameters(of: d.node).a), try d.y())
        try d.set(0) { try d.dy() * d.x().isLess(than: 0).choose(y + alpha, else: y.number(1)) }
    }

    static let examples = [
        Example(
            "exponential below zero", attributes: ["alpha": .float(2.0)],
            inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-1.2642411, 0, 1] as [Float])], tolerance: 1e-06)
    ]
}
