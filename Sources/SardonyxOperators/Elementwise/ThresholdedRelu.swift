import CKernels
import SardonyxGraph

/// y = x > alpha ? x : 0.
///
/// <https://onnx.ai/onnx/operators/onnx__ThresholdedRelu.html>
enum ThresholdedRelu: RealUnary {
    static let schema = Schema.unary(
        "ThresholdedRelu", versions: [10, 22],
        attributes: [AttributeSpec("alpha", .float)])

    static func parameters(of node: Node) -> (a: Float, b: Float) { (node.float("alpha", default: 1), 0) }
    static func kernel(for node: Node) -> sdx_unary_op? { SDX_UNARY_THRESHOLDED_RELU }

    @inline(__always) static func apply<W: RealMath>(_ x: W, _ a: W, _ b: W) -> W { x > a ? x : 0 }

    static let derivative: Derivative? = Derivative { d in
        let alpha = Double(parameters(of: d.node).a)
        try d.set(0) { try d.dy().kept(where: d.x().isGreater(than: alpha)) }
    }

    static let examples = [
        Example(
            "zero up to the threshold", attributes: ["alpha": .float(2.0)],
            inputs: [Tensor(shape: [5], scalars: [-1.5, 0, 1.2, 2, 2.2] as [Float])],
            outputs: [Tensor(shape: [5], scalars: [0, 0, 0, 0, 2.2] as [Float])])
    ]
}
