import CKernels
import SardonyxGraph

/// y = (x - mean) / (√variance + 1e-9), mean and variance of x along `axes`.
///
/// <https://onnx.ai/onnx/operators/onnx__MeanVarianceNormalization.html>
enum MeanVarianceNormalization: Operator {
    static let schema = Schema.unary(
        "MeanVarianceNormalization", versions: [9, 13], attributes: [AttributeSpec("axes", .ints)])

    private static let epsilon: Float = 1e-9

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        if let rank = context.rank(0) { _ = try axes(context.node, rank: rank) }
    }

    private static func axes(_ node: Node, rank: Int) throws -> Set<Int> {
        Set(try (node.ints("axes") ?? [0, 2, 3]).map { try normalizedAxis($0, rank: rank, "an element of 'axes'") })
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let spec = try context.input(0)
        let layout = ReductionLayout(spec.shape, reducing: try axes(context.node, rank: spec.shape.count))
        var kernel =
            if spec.dataType == .float, let (rows, count, inner) = layout.middle, inner == 1 {
                Kernel { frame in
                    sdx_mean_variance_norm_f32(
                        frame.pool, frame.input(0), frame.output(0), Int64(rows), Int64(count), epsilon)
                }
            } else {
                try spec.dataType.visitReal(Visitor(layout: layout))
            }
        kernel.inPlace = [0: [0]]
        return kernel
    }

    private struct Visitor: RealVisitor {
        let layout: ReductionLayout

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let (layout, kept, reduced) = (layout, layout.kept, layout.reduced)
            return Kernel { frame in
                Work<T>(x: frame.input(0), y: frame.output(0), kept: kept, reduced: reduced, count: layout.reducedCount)
                    .run(
                        count: layout.reducedCount > 0 ? layout.outputCount : 0,
                        grain: max(1, 4096 / max(1, layout.reducedCount)), on: frame.pool)
            }
        }
    }

    private struct Work<T: Real>: ChunkedWork {
        let x: UnsafePointer<T>
        let y: UnsafeMutablePointer<T>
        let kept: [ReductionLayout.Run]
        let reduced: [ReductionLayout.Run]
        let count: Int

        func run(_ range: Range<Int>) {
            kept.forEachOffset(in: range) { _, base in
                var sum = 0.0
                reduced.forEachOffset(in: 0..<count) { _, offset in sum += x[base + offset].double }
                let mean = sum / Double(count)
                var squares = 0.0
                reduced.forEachOffset(in: 0..<count) { _, offset in
                    let difference = x[base + offset].double - mean
                    squares += difference * difference
                }
                let scale = 1 / ((squares / Double(count)).squareRoot() + Double(epsilon))
                reduced.forEachOffset(in: 0..<count) { _, offset in
                    y[base + offset] = T.converting((x[base + offset].double - mean) * scale)
                }
            }
        }
    }

    static let derivative: Derivative? = .definition { d in
        let x = try d.x()
        let axes = try Self.axes(d.node, rank: x.rank()).sorted()
        let centred = try x - x.mean(axes)
        return [try centred / (centred.squared().mean(axes).sqrt() + Double(epsilon))]
    }

    static let examples = [
        Example(
            "each channel",
            inputs: [Tensor(shape: [1, 2, 1, 2], scalars: [1, 3, 10, 30] as [Float])],
            outputs: [Tensor(shape: [1, 2, 1, 2], scalars: [-1, 1, -1, 1] as [Float])], tolerance: 1e-6),
        Example(
            "across the batch", attributes: ["axes": .ints([0, 2])],
            inputs: [Tensor(shape: [2, 2, 1], scalars: [1, 10, 3, 30] as [Float])],
            outputs: [Tensor(shape: [2, 2, 1], scalars: [-1, -1, 1, 1] as [Float])], tolerance: 1e-6),
    ]
}
