import CKernels
import SardonyxGraph

/// y = e^(x - m) / Σ e^(x - m) along `axis`, where m is the largest x.
///
/// The standard defines it by a function of Sub, Exp, ReduceSum and Div in x's own type: half types are rounded after
/// each.
///
/// <https://onnx.ai/onnx/operators/onnx__Softmax.html>
enum Softmax: SliceFunction {
    static let schema = Schema.unary(
        "Softmax", versions: [1, 11, 13], input: "input", output: "output", attributes: [AttributeSpec("axis", .int)])

    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.liftMergedAxes(opset: opset, in: &lifting)
    }

    static var blockedKernel: BlockedFunction? { sdx_softmax_c8_f32 }

    static func floatKernel(_ layout: AxisLayout, parameter: Int) -> Kernel? {
        Kernel { frame in
            sdx_softmax_f32(
                frame.pool, frame.input(0), frame.output(0), Int64(layout.outer), Int64(layout.axis),
                Int64(layout.inner))
        }
    }

    static func apply<T: Real>(
        _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, count: Int, stride: Int, parameter: Int
    ) {
        let most = largest(x, count: count, stride: stride)
        // Many small terms beside a large one must not be lost.
        var sum = 0.0
        for i in 0..<count {
            let difference = T(wide: x[i * stride].wide - most)
            y[i * stride] = T(wide: T.Wide.exp(difference.wide))
            sum += Double(y[i * stride].wide)
        }
        // A sum of more terms than float16 has numbers for stays as it is.
        let rounded = T(wide: T.Wide(sum)).wide
        let total = rounded.isFinite ? rounded : T.Wide(sum)
        for i in 0..<count { y[i * stride] = T(wide: y[i * stride].wide / total) }
    }

    static func largest<T: Real>(_ x: UnsafePointer<T>, count: Int, stride: Int) -> T.Wide {
        var most = x[0].wide
        for i in 1..<count { most = Max.apply(most, x[i * stride].wide) }
        return most
    }

    static let derivative: Derivative? = Derivative { d in
        let axis = d.node.int("axis", default: defaultAxis)
        try d.set(0) {
            let product = try d.dy() * d.y()
            return try product - d.y() * product.sum([axis])
        }
    }

    static let examples = [
        Example(
            "rows", inputs: [Tensor(shape: [2, 3], scalars: [-1, 0, 1, 1000, 1000, 1000] as [Float])],
            outputs: [
                Tensor(
                    shape: [2, 3],
                    scalars: [0.09003057, 0.24472848, 0.66524094, 0.33333334, 0.33333334, 0.33333334] as [Float])
            ], tolerance: 1e-6)
    ]
}
