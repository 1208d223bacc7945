import CKernels
import SardonyxGraph

/// An operator that makes one number of all elements along some axes.
///
/// Floating point other than float is accumulated in double and rounded once.
protocol Reduction: Operator {
    associatedtype Accumulator
    static var start: Accumulator { get }
    static func add(_ x: Double, to accumulator: inout Accumulator)
    static func result(_ accumulator: Accumulator, count: Int) -> Double

    /// The C kernel of one of several passes in float, each over one run of axes, innermost first.
    static func pass(_ index: Int, of count: Int) -> sdx_reduce_op
    /// Whether one element alone is its own result.
    static var keepsSingleElements: Bool { get }
    static func integerKernel(_ layout: ReductionLayout, _ type: DataType) throws -> Kernel
    /// The result for a shape's elements, where it can be told.
    static func combine(_ elements: [Dimension]) -> Dimension
    /// From this opset on `axes` is an input.
    static var axesInputOpset: Int { get }
}

extension Reduction {
    static var axesInputOpset: Int { 18 }
    static var keepsSingleElements: Bool { true }
    static func combine(_ elements: [Dimension]) -> Dimension { .unknown }

    static func reductionSchema(_ name: String, versions: [Int], types: TypeSet) -> Schema {
        Schema(
            name, versions: versions,
            inputs: [Parameter("data", "T", types), Parameter("axes", "tensor(int64)", [.int64], .optional)],
            outputs: [Parameter("reduced", "T", types)],
            attributes: [AttributeSpec("noop_with_empty_axes", .int), AttributeSpec("keepdims", .int)])
    }

    /// In older opsets `axes` is an attribute.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        guard opset < axesInputOpset, let axes = node.ints("axes") else { return }
        node.attributes["axes"] = nil
        node.inputs.append(lifting.add(axes, "\(node.displayName).axes"))
    }

    static func infer(_ context: inout InferenceContext) throws {
        context.set(0, try context.dataType(0), try ReductionAxes.infer(context))
        if let elements = context.elements(0), context.rank(0) == 1, !context.outputElements.isEmpty,
            ReductionAxes.known(context) != nil, !context.node.flag("noop_with_empty_axes")
        {
            context.outputElements[0] = [combine(elements)]
        }
    }

    /// Over all spatial axes: one number a channel, in the order of the channels.
    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        let spec = try context.input(0)
        guard spec.canBlockChannels, !context.has(1) || context.constant(1) != nil,
            try ReductionAxes.resolve(context.integers(1), rank: spec.shape.count, context.node).sorted()
                == Array(2..<spec.shape.count)
        else { return [] }
        return [LayoutOffer(inputs: [.channelBlocks, .plain], outputs: [.plain])]
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let spec = try context.input(0)
        let axes = try ReductionAxes.resolve(context.integers(1), rank: spec.shape.count, context.node)
        let layout = ReductionLayout(spec.storedShape, reducing: axes)
        var kernel: Kernel
        if layout.reducedCount == 1, keepsSingleElements {
            kernel = .view
        } else if spec.dataType == .float, layout.outputCount * layout.reducedCount > 0 {
            kernel = floatKernel(layout)
        } else if spec.dataType.isInteger || spec.dataType == .bool {
            kernel = try integerKernel(layout, spec.dataType)
        } else {
            kernel = try spec.dataType.visitReal(RealReduction<Self>(layout: layout))
        }
        kernel.absorbedInputs = [1]
        return kernel
    }

    private static func floatKernel(_ layout: ReductionLayout) -> Kernel {
        if let (outer, axis, inner) = layout.middle {
            let op = pass(0, of: 1)
            return Kernel { frame in
                sdx_reduce_f32(frame.pool, op, frame.input(0), frame.output(0), Int64(outer), Int64(axis), Int64(inner))
            }
        }
        let passes = ReductionPass.passes(layout, pass)
        var kernel = Kernel { frame in
            var source: UnsafePointer<Float> = frame.input(0)
            for pass in passes {
                let target =
                    pass.workspaceOffset.flatMap {
                        frame.workspace?.advanced(by: $0).assumingMemoryBound(to: Float.self)
                    }
                    ?? frame.output(0)
                sdx_reduce_f32(frame.pool, pass.op, source, target, pass.outer, pass.axis, pass.inner)
                source = UnsafePointer(target)
            }
        }
        kernel.workspaceByteCount = passes.reduce(0) { $0 + $1.workspaceByteCount }
        return kernel
    }
}

/// One pass of a reduction of several runs of axes.
private struct ReductionPass: Sendable {
    let op: sdx_reduce_op
    let outer: Int64
    let axis: Int64
    let inner: Int64
    /// Where the pass writes; nil for the output.
    let workspaceOffset: Int?
    let workspaceByteCount: Int

    static func passes(_ layout: ReductionLayout, _ op: (Int, Int) -> sdx_reduce_op) -> [ReductionPass] {
        var runs = layout.runs
        let count = layout.reduced.count
        var result: [ReductionPass] = []
        var offset = 0
        while let position = runs.lastIndex(where: \.isReduced) {
            let (outer, inner) = (runs[..<position], runs[(position + 1)...])
            let size = (outer + inner).map(\.extent).elementCount
            let isLast = result.count == count - 1
            let byteCount = isLast ? 0 : (size * 4 + 63) / 64 * 64
            result.append(
                ReductionPass(
                    op: op(result.count, count), outer: Int64(outer.map(\.extent).elementCount),
                    axis: Int64(runs[position].extent), inner: Int64(inner.map(\.extent).elementCount),
                    workspaceOffset: isLast ? nil : offset, workspaceByteCount: byteCount))
            offset += byteCount
            runs.remove(at: position)
        }
        return result
    }
}

/// Elements that one output element takes at least, so that chunks are worth a thread.
private func grain(_ layout: ReductionLayout) -> Int { max(1, 16384 / max(1, layout.reducedCount)) }

/// Accumulates in double.
struct RealReduction<Op: Reduction>: NumberVisitor, RealVisitor {
    let layout: ReductionLayout

    func visit<T: Number>(_ type: T.Type) throws -> Kernel {
        let (layout, kept, reduced) = (layout, layout.kept, layout.reduced)
        return Kernel { frame in
            Work<T>(x: frame.input(0), y: frame.output(0), kept: kept, reduced: reduced, count: layout.reducedCount)
                .run(count: layout.outputCount, grain: grain(layout), on: frame.pool)
        }
    }

    private struct Work<T: Number>: ChunkedWork {
        let x: UnsafePointer<T>
        let y: UnsafeMutablePointer<T>
        let kept: [ReductionLayout.Run]
        let reduced: [ReductionLayout.Run]
        let count: Int

        func run(_ range: Range<Int>) {
            kept.forEachOffset(in: range) { position, base in
                var accumulator = Op.start
                reduced.forEachOffset(in: 0..<count) { _, offset in
                    Op.add(x[base + offset].double, to: &accumulator)
                }
                y[position] = T.casting(Op.result(accumulator, count: count))
            }
        }
    }
}

/// A reduction that is exact on integers, which wrap around.
protocol IntegerReduction: Reduction {
    static func integerStart<T: Number & FixedWidthInteger>(_ type: T.Type) -> T
    static func add<T: Number & FixedWidthInteger>(_ x: T, to accumulator: inout T)
    static func result<T: Number & FixedWidthInteger>(_ accumulator: T, count: Int) -> T
}

extension IntegerReduction {
    @inline(__always)
    static func result<T: Number & FixedWidthInteger>(_ accumulator: T, count: Int) -> T { accumulator }

    static func integerKernel(_ layout: ReductionLayout, _ type: DataType) throws -> Kernel {
        // Truth values are the bytes 0 and 1 here.
        try (type == .bool ? .uint8 : type).visitInteger(WrappingReduction<Self>(layout: layout, isBool: type == .bool))
    }
}

private struct WrappingReduction<Op: IntegerReduction>: IntegerVisitor {
    let layout: ReductionLayout
    let isBool: Bool

    func visit<T: Number & FixedWidthInteger>(_ type: T.Type) throws -> Kernel {
        let (layout, kept, reduced) = (layout, layout.kept, layout.reduced)
        let mask: T = isBool ? 1 : ~0
        return Kernel { frame in
            Work<T>(
                x: frame.input(0), y: frame.output(0), kept: kept, reduced: reduced, count: layout.reducedCount,
                mask: mask
            ).run(count: layout.outputCount, grain: grain(layout), on: frame.pool)
        }
    }

    private struct Work<T: Number & FixedWidthInteger>: ChunkedWork {
        let x: UnsafePointer<T>
        let y: UnsafeMutablePointer<T>
        let kept: [ReductionLayout.Run]
        let reduced: [ReductionLayout.Run]
        let count: Int
        /// The bits that a result may have.
        let mask: T

        func run(_ range: Range<Int>) {
            kept.forEachOffset(in: range) { position, base in
                var accumulator = Op.integerStart(T.self) & mask
                reduced.forEachOffset(in: 0..<count) { _, offset in
                    Op.add(x[base + offset], to: &accumulator)
                }
                y[position] = Op.result(accumulator, count: count)
            }
        }
    }
}
