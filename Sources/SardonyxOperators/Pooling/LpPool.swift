import CKernels
import SardonyxGraph

/// y[n, c, o] = (Σ |x[n, c, o · stride + t · dilation − pad]|ᵖ)^(1/p), over the window's taps t.
///
/// <https://onnx.ai/onnx/operators/onnx__LpPool.html>
enum LpPool: Operator {
    static let schema = Schema(
        "LpPool", versions: [1, 2, 11, 18, 22],
        inputs: [Parameter("X", "T", .floats)],
        outputs: [Parameter("Y", "T", .floats)],
        attributes: [
            AttributeSpec("auto_pad", .string), AttributeSpec("ceil_mode", .int), AttributeSpec("dilations", .ints),
            AttributeSpec("kernel_shape", .ints, required: true), AttributeSpec("p", .int),
            AttributeSpec("pads", .ints), AttributeSpec("strides", .ints),
        ])

    /// In opset 1 p is a float.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        try PowerOfNorm.lift(&node, from: opset)
    }

    static func infer(_ context: inout InferenceContext) throws {
        _ = try PowerOfNorm.power(context.node)
        context.set(0, try context.dataType(0), try PoolingGeometry.output(context))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let type = try context.input(0).dataType
        if type.isHalfWidth { return try context.throughFloat(prepare) }
        let geometry = try PoolingGeometry(context)
        let power = try PowerOfNorm.power(context.node)
        if type == .float, geometry.hasKernelForm {
            let form = geometry.kernelForm
            return Kernel { frame in
                withUnsafePointer(to: form) {
                    sdx_lp_pool_f32(
                        frame.pool, frame.input(0), frame.output(0), Int64(geometry.planes), $0, Int64(power))
                }
            }
        }
        return try type.visitReal(Loops(geometry: geometry, power: power))
    }

    private struct Loops: RealVisitor {
        let geometry: PoolingGeometry
        let power: Int

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let (geometry, power) = (geometry, power)
            let taps = WindowTaps(geometry.window)
            return .parallel(chunks: geometry.planes) { frame, plane, _ in
                let x = frame.input(0, as: T.self) + plane * geometry.inputPlane
                let y = frame.output(0, as: T.self) + plane * geometry.outputPlane
                taps.forEachOutput { output, start in
                    var sum = 0.0
                    for tap in 0..<taps.count {
                        guard let position = taps.position(tap, start) else { continue }
                        sum += PowerOfNorm.raise(x[position].double, power)
                    }
                    y[output] = T(wide: T.Wide(PowerOfNorm.root(sum, power)))
                }
            }
        }
    }

    static let derivative: Derivative? = .definition { d in
        let (x, p) = (try d.x(), try PowerOfNorm.power(d.node))
        return [try PowerOfNorm.root(d.poolingWindow().sums(PowerOfNorm.raise(x, p), like: d.y()), p)]
    }

    static let examples = [
        Example(
            "the Euclidean norm of pairs",
            attributes: ["kernel_shape": .ints([2]), "strides": .ints([2])],
            inputs: [Tensor(shape: [1, 1, 4], scalars: [3, -4, 5, 12] as [Float])],
            outputs: [Tensor(shape: [1, 1, 2], scalars: [5, 13] as [Float])], tolerance: 1e-6)
    ]
}
