import CKernels
import SardonyxGraph

/// y[n, c, o] = max over the window's taps of x[n, c, o · stride + t · dilation − pad]; padding never wins. `Indices` are the
/// maxima's positions in x, counted from its start; with `storage_order` 1 the spatial part counts columns first.
///
/// <https://onnx.ai/onnx/operators/onnx__MaxPool.html>
enum MaxPool: Operator {
    static let schema = Schema(
        "MaxPool", versions: [1, 8, 10, 11, 12, 22],
        inputs: [Parameter("X", "T", .floats + [.int8, .uint8])],
        outputs: [Parameter("Y", "T", .floats + [.int8, .uint8]), Parameter("Indices", "I", [.int64], .optional)],
        attributes: [
            AttributeSpec("auto_pad", .string), AttributeSpec("ceil_mode", .int), AttributeSpec("dilations", .ints),
            AttributeSpec("kernel_shape", .ints, required: true), AttributeSpec("pads", .ints),
            AttributeSpec("storage_order", .int), AttributeSpec("strides", .ints),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        let shape = try PoolingGeometry.output(context)
        context.set(0, try context.dataType(0), shape)
        context.set(1, .int64, shape)
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] { try context.channelBlocks() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let type = try context.input(0).dataType
        if type.isHalfWidth { return try context.throughFloat(prepare) }
        let geometry = try PoolingGeometry(context)
        let indices = context.outputSlot(1)
        let isColumnMajor = context.node.flag("storage_order")
        if type == .float, geometry.hasKernelForm, context.wants(0) {
            let form = geometry.kernelForm
            if context.isBlocked {
                return Kernel { frame in
                    withUnsafePointer(to: form) {
                        sdx_max_pool_c8_f32(frame.pool, frame.input(0), frame.output(0), Int64(geometry.planes), $0)
                    }
                }
            }
            return Kernel { frame in
                withUnsafePointer(to: form) {
                    sdx_max_pool_f32(
                        frame.pool, frame.input(0), frame.output(0), frame.output(slot: indices),
                        Int64(geometry.planes), $0,
                        isColumnMajor ? 1 : 0, Int32(geometry.window.rank))
                }
            }
        }
        return try type.visitNumber(
            Loops(
                geometry: geometry, values: context.outputSlot(0), indices: indices, isColumnMajor: isColumnMajor))
    }

    private struct Loops: NumberVisitor {
        let geometry: PoolingGeometry
        let values: Int?
        let indices: Int?
        let isColumnMajor: Bool

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let (geometry, values, indices, isColumnMajor) = (geometry, values, indices, isColumnMajor)
            let taps = WindowTaps(geometry.window)
            let input = geometry.window.input
            return .parallel(chunks: geometry.planes) { frame, plane, _ in
                let x = frame.input(0, as: T.self) + plane * geometry.inputPlane
                let y = frame.output(slot: values, as: T.self)
                let positions = frame.output(slot: indices, as: Int64.self)
                taps.forEachOutput { output, start in
                    var best = -1
                    for tap in 0..<taps.count {
                        guard let position = taps.position(tap, start) else { continue }
                        if best < 0 || x[position] > x[best] || (x[position].isNotANumber && !x[best].isNotANumber) {
                            best = position
                        }
                    }
                    let target = plane * geometry.outputPlane + output
                    y?[target] = best < 0 ? T.converting(-Double.infinity) : x[best]
                    positions?[target] =
                        best < 0
                        ? -1
                        : Int64(plane * geometry.inputPlane + (isColumnMajor ? Self.columnMajor(best, input) : best))
                }
            }
        }

        /// The position in an array with the first axis innermost, of a position in one with the last axis innermost.
        private static func columnMajor(_ position: Int, _ extents: [Int]) -> Int {
            var rest = position
            var result = 0
            for axis in extents.indices.reversed() {
                var stride = 1
                for before in 0..<axis { stride *= extents[before] }
                result += rest % extents[axis] * stride
                rest /= extents[axis]
            }
            return result
        }
    }

    static let derivative: Derivative? = Derivative { d in
        let x = try d.x()
        try d.set(0) {
            var attributes = d.node.attributes
            attributes["storage_order"] = nil
            let places = try d.builder.add("MaxPool", [x.id], attributes, outputs: 2)[1]
            return try d.dy().scattered(to: d.term(places), like: x, leavesGaps: true)
        }
    }

    static let examples = [
        Example(
            "with the positions of the maxima",
            attributes: ["kernel_shape": .ints([2, 2]), "strides": .ints([1, 1])],
            inputs: [Tensor(shape: [1, 1, 2, 3], scalars: [1, 2, 3, 6, 5, 4] as [Float])],
            outputs: [
                Tensor(shape: [1, 1, 1, 2], scalars: [6, 5] as [Float]),
                Tensor(shape: [1, 1, 1, 2], scalars: [3, 4] as [Int64]),
            ]),
        Example(
            "bytes, the last window in ceiling mode is partial",
            attributes: ["kernel_shape": .ints([2]), "strides": .ints([2]), "ceil_mode": .int(1)],
            inputs: [Tensor(shape: [1, 1, 3], scalars: [-3, -2, -1] as [Int8])],
            outputs: [Tensor(shape: [1, 1, 2], scalars: [-2, -1] as [Int8])]),
    ]
}
