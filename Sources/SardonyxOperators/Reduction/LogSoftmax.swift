import CKernels
import SardonyxGraph

/// y = x - m - ln Σ e^(x - m) along `axis`, where m is the largest x.
///
/// <https://onnx.ai/onnx/operators/onnx__LogSoftmax.html>
enum LogSoftmax: SliceFunction {
    static let schema = Schema.unary(
        "LogSoftmax", versions: [1, 11, 13], input: "input", output: "output",
        attributes: [AttributeSpec("axis", .int)])

    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.liftMergedAxes(opset: opset, in: &lifting)
    }

    static var blockedKernel: BlockedFunction? { sdx_log_softmax_c8_f32 }

    static func floatKernel(_ layout: AxisLayout, parameter: Int) -> Kernel? {
        Kernel { frame in
            sdx_log_softmax_f32(
                frame.pool, frame.input(0), frame.output(0), Int64(layout.outer), Int64(layout.axis),
                Int64(layout.inner))
        }
    }

    static func apply<T: Real>(
        _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, count: Int, stride: Int, parameter: Int
    ) {
        let most = Softmax.largest(x, count: count, stride: stride)
        var sum = 0.0
        for i in 0..<count { sum += Double(T.Wide.exp(x[i * stride].wide - most)) }
        let logarithm = T.Wide.log(T.Wide(sum))
        for i in 0..<count { y[i * stride] = T(wide: x[i * stride].wide - most - logarithm) }
    }

    static let derivative: Derivative? = Derivative { d in
        let (dy, axis) = (try d.dy(), d.node.int("axis", default: defaultAxis))
        try d.set(0) { try dy - d.y().exp() * dy.sum([axis]) }
    }

    static let examples = [
        Example(
            "a row", inputs: [Tensor(shape: [1, 3], scalars: [-1, 0, 1] as [Float])],
            outputs: [Tensor(shape: [1, 3], scalars: [-2.407606, -1.407606, -0.407606] as [Float])], tolerance: 1e-6)
    ]
}
