import CKernels
import SardonyxGraph

/// y = gamma · (x > 0 ? x : alpha · (eˣ - 1)).
///
/// <https://onnx.ai/onnx/operators/onnx__Selu.html>
enum Selu: RealUnary {
    static let schema = Schema.unary(
        "Selu", versions: [1, 6, 22],
        attributes: [AttributeSpec("alpha", .float), AttributeSpec("gamma", .float)])

    /// The defaults of opset 1 had five digits.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.removeConsumedInputs(opset: opset)
        guard opset < 6 else { return }
        for (name, value) in [("alpha", 1.6732), ("gamma", 1.0507)] as [(String, Float)] where node.float(name) == nil {
            node.attributes[name] = .float(value)
        }
    }

    static func parameters(of node: Node) -> (a: Float, b: Float) {
        (
            node.float("alpha", default: 1.67326319217681884765625),
            node.float("gamma", default: 1.05070102214813232421875)
        )
    }
    static func kernel(for node: Node) -> sdx_unary_op? { SDX_UNARY_SELU }

    @inline(__always) static func apply<W: RealMath>(_ x: W, _ a: W, _ b: W) -> W { b * (x > 0 ? x : a * W.expm1(x)) }

    static let derivative: Derivative? = Derivative { d in
        let ((alpha, gamma), y) = (parameters(of: d.node), try d.y())
        let below = try y + Double(alpha) * Double(gamma)
        try d.set(0) { try d.dy() * d.x().isGreater(than: 0).choose(y.number(Double(gamma)), else: below) }
    }

    static let examples = [
        Example(
            "scaled, exponential below zero", attributes: ["alpha": .float(2.0), "gamma": .float(3.0)],
            inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-3.7927232, 0, 3] as [Float])], tolerance: 1e-06)
    ]
}
