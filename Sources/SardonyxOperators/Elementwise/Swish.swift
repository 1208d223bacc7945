import CKernels
import SardonyxGraph

/// y = x / (1 + e^(-alpha · x)).
///
/// <https://onnx.ai/onnx/operators/onnx__Swish.html>
enum Swish: RealUnary {
    static let schema = Schema.unary(
        "Swish", versions: [24],
        attributes: [AttributeSpec("alpha", .float)])

    static func parameters(of node: Node) -> (a: Float, b: Float) { (node.float("alpha", default: 1), 0) }
    static func kernel(for node: Node) -> sdx_unary_op? { SDX_UNARY_SWISH }

    @inline(__always) static func apply<W: RealMath>(_ x: W, _ a: W, _ b: W) -> W { x / (1 + W.exp(-a * x)) }

    static let derivative: Derivative? = .definition { d in
        [try d.x() * (d.x() * Double(parameters(of: d.node).a)).sigmoid()]
    }

    static let examples = [
        Example(
            "x times its own sigmoid", attributes: ["alpha": .float(1.0)],
            inputs: [Tensor(shape: [3], scalars: [-1, 0, 3] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-0.2689414, 0, 2.8577223] as [Float])], tolerance: 1e-06)
    ]
}
