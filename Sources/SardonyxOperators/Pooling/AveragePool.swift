import CKernels
import SardonyxGraph

/// y[n, c, o] = Σ x[n, c, o · stride + t · dilation − pad] / count, over the window's taps t. The count is of taps within x, or
/// within x and its padding with `count_include_pad`.
///
/// <https://onnx.ai/onnx/operators/onnx__AveragePool.html>
enum AveragePool: Operator {
    static let schema = Schema(
        "AveragePool", versions: [1, 7, 10, 11, 19, 22],
        inputs: [Parameter("X", "T", .floats)],
        outputs: [Parameter("Y", "T", .floats)],
        attributes: [
            AttributeSpec("auto_pad", .string), AttributeSpec("ceil_mode", .int),
            AttributeSpec("count_include_pad", .int), AttributeSpec("dilations", .ints),
            AttributeSpec("kernel_shape", .ints, required: true), AttributeSpec("pads", .ints),
            AttributeSpec("strides", .ints),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        context.set(0, try context.dataType(0), try PoolingGeometry.output(context))
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] { try context.channelBlocks() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let type = try context.input(0).dataType
        if type.isHalfWidth { return try context.throughFloat(prepare) }
        let geometry = try PoolingGeometry(context)
        let includesPadding = context.node.flag("count_include_pad")
        if type == .float, geometry.hasKernelForm {
            let form = geometry.kernelForm
            if context.isBlocked {
                return Kernel { frame in
                    withUnsafePointer(to: form) {
                        sdx_average_pool_c8_f32(
                            frame.pool, frame.input(0), frame.output(0), Int64(geometry.planes), $0,
                            includesPadding ? 1 : 0)
                    }
                }
            }
            return Kernel { frame in
                withUnsafePointer(to: form) {
                    sdx_average_pool_f32(
                        frame.pool, frame.input(0), frame.output(0), Int64(geometry.planes), $0, includesPadding ? 1 : 0
                    )
                }
            }
        }
        return try type.visitReal(Loops(geometry: geometry, includesPadding: includesPadding))
    }

    private struct Loops: RealVisitor {
        let geometry: PoolingGeometry
        let includesPadding: Bool

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let (geometry, includesPadding) = (geometry, includesPadding)
            let taps = WindowTaps(geometry.window)
            return .parallel(chunks: geometry.planes) { frame, plane, _ in
                let x = frame.input(0, as: T.self) + plane * geometry.inputPlane
                let y = frame.output(0, as: T.self) + plane * geometry.outputPlane
                taps.forEachOutput { output, start in
                    var sum = T.Wide.zero
                    var count = 0
                    for tap in 0..<taps.count {
                        if let position = taps.position(tap, start) {
                            sum += x[position].wide
                            count += 1
                        } else if includesPadding && taps.isPadded(tap, start) {
                            count += 1
                        }
                    }
                    y[output] = T(wide: sum / T.Wide(count))
                }
            }
        }
    }

    static let derivative: Derivative? = .definition { d in
        let (x, y) = (try d.x(), try d.y())
        let window = try d.poolingWindow()
        let counts = try window.counts(x, like: y, includesPadding: d.node.flag("count_include_pad"))
        return [try window.sums(x, like: y) / counts]
    }

    static let examples = [
        Example(
            "padding does not count",
            attributes: ["kernel_shape": .ints([2]), "pads": .ints([1, 0])],
            inputs: [Tensor(shape: [1, 1, 3], scalars: [2, 4, 8] as [Float])],
            outputs: [Tensor(shape: [1, 1, 3], scalars: [2, 3, 6] as [Float])], tolerance: 1e-6),
        Example(
            "padding counts, but not what lies beyond it",
            attributes: [
                "kernel_shape": .ints([3]), "strides": .ints([2]), "pads": .ints([1, 0]), "ceil_mode": .int(1),
                "count_include_pad": .int(1),
            ],
            inputs: [Tensor(shape: [1, 1, 3], scalars: [3, 6, 8] as [Double])],
            outputs: [Tensor(shape: [1, 1, 2], scalars: [3, 7] as [Double])], tolerance: 1e-12),
    ]
}
