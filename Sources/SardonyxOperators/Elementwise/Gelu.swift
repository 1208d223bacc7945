import CKernels
import SardonyxGraph

/// y = x/2 · (1 + erf(x / √2)), or with `approximate` "tanh" y = x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))).
///
/// <https://onnx.ai/onnx/operators/onnx__Gelu.html>
enum Gelu: RealUnary {
    static let schema = Schema.unary("Gelu", versions: [20], attributes: [AttributeSpec("approximate", .string)])

    static func infer(_ context: inout InferenceContext) throws {
        _ = try parameters(of: context.node)
        try context.passThrough()
    }

    /// a is 1 for the form with tanh.
    static func parameters(of node: Node) throws -> (a: Float, b: Float) {
        switch node.string("approximate", default: "none") {
        case "none": return (0, 0)
        case "tanh": return (1, 0)
        case let other:
            throw SardonyxError(.invalidModel, "attribute 'approximate' is '\(other)'; it may be 'none' or 'tanh'")
        }
    }

    static func kernel(for node: Node) -> sdx_unary_op? {
        node.string("approximate") == "tanh" ? SDX_UNARY_GELU_TANH : SDX_UNARY_GELU_ERF
    }

    @inline(__always) static func apply<W: RealMath>(_ x: W, _ a: W, _ b: W) -> W {
        if a == 0 { return x / 2 * (1 + W.erf(x * W(0.5).squareRoot())) }
        return x / 2 * (1 + W.tanh((2 / W.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }

    static let derivative: Derivative? = .definition { d in
        let x = try d.x()
        let inner =
            try parameters(of: d.node).a == 0
            ? (x * 0.5.squareRoot()).apply("Erf")
            : ((x + x * x.squared() * 0.044715) * (2 / Double.pi).squareRoot()).tanh()
        return [try x * 0.5 * (inner + 1)]
    }

    static let examples = [
        Example(
            "with the error function", inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-0.15865526, 0, 0.8413447] as [Float])], tolerance: 1e-6),
        Example(
            "with tanh", attributes: ["approximate": .string("tanh")],
            inputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [-0.158808, 0, 0.841192] as [Float])], tolerance: 1e-6),
    ]
}
