import CKernels
import SardonyxGraph

/// y = x / (Σ |x|ᵖ)^(1/p) along `axis`, p 1 or 2; 0 where the norm is 0.
///
/// <https://onnx.ai/onnx/operators/onnx__LpNormalization.html>
enum LpNormalization: SliceFunction {
    static let schema = Schema.unary(
        "LpNormalization", versions: [1, 22], input: "input", output: "output",
        attributes: [AttributeSpec("p", .int), AttributeSpec("axis", .int)])

    /// p.
    static func parameter(of node: Node) throws -> Int {
        let p = node.int("p", default: 2)
        guard p == 1 || p == 2 else {
            throw SardonyxError(.invalidModel, "attribute 'p' is \(p); it may be 1 or 2")
        }
        return p
    }

    static func floatKernel(_ layout: AxisLayout, parameter: Int) -> Kernel? {
        Kernel { frame in
            sdx_lp_norm_f32(
                frame.pool, frame.input(0), frame.output(0), Int64(layout.outer), Int64(layout.axis),
                Int64(layout.inner), Int32(parameter))
        }
    }

    static func apply<T: Real>(
        _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, count: Int, stride: Int, parameter: Int
    ) {
        var sum: T.Wide = 0
        for i in 0..<count {
            let value = x[i * stride].wide
            sum += parameter == 1 ? value.magnitude : value * value
        }
        let norm = parameter == 1 ? sum : sum.squareRoot()
        for i in 0..<count { y[i * stride] = norm == 0 ? T.zero : T(wide: x[i * stride].wide / norm) }
    }

    static let derivative: Derivative? = .definition { d in
        let (x, axis) = (try d.x(), d.node.int("axis", default: defaultAxis))
        return [try x.overNonZero(x.reduced(parameter(of: d.node) == 1 ? "ReduceL1" : "ReduceL2", [axis]))]
    }

    static let examples = [
        Example(
            "unit rows", inputs: [Tensor(shape: [2, 2], scalars: [3, -4, 0, 0] as [Float])],
            outputs: [Tensor(shape: [2, 2], scalars: [0.6, -0.8, 0, 0] as [Float])], tolerance: 1e-6)
    ]
}
