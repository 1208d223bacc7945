import CKernels
import SardonyxGraph

/// The position of the largest (smallest) element of a slice; of equals the first, or the last. A NaN counts as
/// larger (smaller) than all, as numpy has it.
@inline(__always)
func extremePosition<T: Number>(
    _ x: UnsafePointer<T>, count: Int, stride: Int, wantsLargest: Bool, wantsLast: Bool
) -> Int {
    var best = 0
    for i in 1..<max(count, 1) {
        let (candidate, current) = (x[i * stride], x[best * stride])
        let isBetter: Bool
        if current.isNotANumber {
            isBetter = wantsLast && candidate.isNotANumber
        } else if candidate.isNotANumber {
            isBetter = true
        } else {
            isBetter =
                (wantsLargest ? candidate > current : candidate < current) || (wantsLast && candidate == current)
        }
        if isBetter { best = i }
    }
    return best
}

/// An operator that gives the position of an extreme element along `axis`.
protocol ExtremePosition: Operator {
    static var wantsLargest: Bool { get }
}

extension ExtremePosition {
    static func positionSchema(_ name: String) -> Schema {
        Schema(
            name, versions: [1, 11, 12, 13], inputs: [Parameter("data", "T", .numbers)],
            outputs: [Parameter("reduced", "tensor(int64)", [.int64])],
            attributes: [
                AttributeSpec("select_last_index", .int), AttributeSpec("keepdims", .int), AttributeSpec("axis", .int),
            ])
    }

    static func infer(_ context: inout InferenceContext) throws {
        guard let shape = context.shape(0) else { return context.set(0, .int64, nil) }
        let axis = try context.axis(
            context.node.int("axis", default: 0), rank: shape.count, "attribute 'axis'")
        if shape[axis] == .fixed(0) {
            throw SardonyxError(.invalidModel, "axis \(axis) of \(shape.text) is empty; it has no extreme element")
        }
        let keeping = context.node.flag("keepdims", default: true)
        context.set(0, .int64, ReductionAxes.shape(shape, reducing: [axis], keeping: keeping))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let layout = try context.axisLayout(default: 0)
        let wantsLast = context.node.flag("select_last_index")
        let type = try context.input(0).dataType
        guard type == .float, layout.axis <= Int32.max else {
            return try type.visitNumber(PositionVisitor<Self>(layout: layout, wantsLast: wantsLast))
        }
        return Kernel { frame in
            (wantsLargest ? sdx_argmax_f32 : sdx_argmin_f32)(
                frame.pool, frame.input(0), frame.output(0), Int64(layout.outer), Int64(layout.axis),
                Int64(layout.inner), wantsLast ? 1 : 0)
        }
    }
}

private struct PositionVisitor<Op: ExtremePosition>: NumberVisitor {
    let layout: AxisLayout
    let wantsLast: Bool

    func visit<T: Number>(_ type: T.Type) throws -> Kernel {
        let (layout, wantsLast) = (layout, wantsLast)
        return Kernel { frame in
            Work<T>(x: frame.input(0), y: frame.output(0), layout: layout, wantsLast: wantsLast)
                .run(count: layout.slices, grain: layout.grain, on: frame.pool)
        }
    }

    private struct Work<T: Number>: ChunkedWork {
        let x: UnsafePointer<T>
        let y: UnsafeMutablePointer<Int64>
        let layout: AxisLayout
        let wantsLast: Bool

        func run(_ range: Range<Int>) {
            for slice in range {
                let position = extremePosition(
                    x + layout.offset(ofSlice: slice), count: layout.axis, stride: layout.inner,
                    wantsLargest: Op.wantsLargest, wantsLast: wantsLast)
                y[slice] = Int64(position)
            }
        }
    }
}
