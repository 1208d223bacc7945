import CKernels
import SardonyxGraph

/// y = x < 0 ? alpha · x : x.
///
/// <https://onnx.ai/onnx/operators/onnx__LeakyRelu.html>
enum LeakyRelu: RealUnary {
    static let schema = Schema.unary(
        "LeakyRelu", versions: [1, 6, 16],
        attributes: [AttributeSpec("alpha", .float)])

    static func parameters(of node: Node) -> (a: Float, b: Float) { (node.float("alpha", default: 0.01), 0) }
    static func kernel(for node: Node) -> sdx_unary_op? { SDX_UNARY_LEAKY_RELU }

    @inline(__always) static func apply<W: RealMath>(_ x: W, _ a: W, _ b: W) -> W { x < 0 ? a * x : x }

    static let derivative: Derivative? = Derivative { d in
        let alpha = Double(parameters(of: d.node).a)
        try d.set(0) { try d.x().isLess(than: 0).choose(d.dy() * alpha, else: d.dy()) }
    }

    static let examples = [
        Example(
            "a slope below zero", attributes: ["alpha": .float(0.1)],
            inputs: [Tensor(shape: [3], scalars: [-1, 0, 2] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-0.1, 0, 2] as [Float])], tolerance: 1e-06)
    ]
}
