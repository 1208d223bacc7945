import CKernels
import SardonyxGraph

/// An operator that maps each slice along the attribute `axis` to a slice of the same length, in floating point.
protocol SliceFunction: Operator {
    /// y = f(x) for one slice, whose elements are `stride` apart. y may be x.
    static func apply<T: Real>(
        _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, count: Int, stride: Int, parameter: Int)
    /// The C kernel for float, when there is one.
    static func floatKernel(_ layout: AxisLayout, parameter: Int) -> Kernel?
    /// The C kernel along the channels of a tensor that has them in blocks, when there is one.
    static var blockedKernel: BlockedFunction? { get }
    /// What an attribute says besides the axis.
    static func parameter(of node: Node) throws -> Int
    static var defaultAxis: Int { get }
}

/// y from x of so many images, channels and pixels, both with their channels in blocks.
typealias BlockedFunction =
    @convention(c) (OpaquePointer?, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int64, Int64, Int64) -> Void

extension SliceFunction {
    static var blockedKernel: BlockedFunction? { nil }
    static var defaultAxis: Int { -1 }
    static func parameter(of node: Node) -> Int { 0 }
    static func floatKernel(_ layout: AxisLayout, parameter: Int) -> Kernel? { nil }

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        try context.checkAxis(default: defaultAxis)
        _ = try parameter(of: context.node)
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        let axis = try normalizedAxis(
            context.node.int("axis", default: defaultAxis), rank: context.input(0).shape.count)
        return axis == 1 && blockedKernel != nil ? try context.channelBlocks() : []
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        if context.isBlocked, let run = blockedKernel {
            let shape = try context.input(0).shape
            let pixels = Int64(shape.dropFirst(2).reduce(1, *))
            var kernel = Kernel { frame in
                run(frame.pool, frame.input(0), frame.output(0), Int64(shape[0]), Int64(shape[1]), pixels)
            }
            kernel.inPlace = [0: [0]]
            return kernel
        }
        let layout = try context.axisLayout(default: defaultAxis)
        let type = try context.input(0).dataType
        let parameter = try parameter(of: context.node)
        let fast = type == .float && layout.axis > 0 ? floatKernel(layout, parameter: parameter) : nil
        var kernel = try fast ?? type.visitReal(SliceVisitor<Self>(layout: layout, parameter: parameter))
        kernel.inPlace = [0: [0]]
        return kernel
    }
}

private struct SliceVisitor<Op: SliceFunction>: RealVisitor {
    let layout: AxisLayout
    let parameter: Int

    func visit<T: Real>(_ type: T.Type) throws -> Kernel {
        let (layout, parameter) = (layout, parameter)
        return Kernel { frame in
            Work<T>(x: frame.input(0), y: frame.output(0), layout: layout, parameter: parameter)
                .run(count: layout.axis > 0 ? layout.slices : 0, grain: layout.grain, on: frame.pool)
        }
    }

    private struct Work<T: Real>: ChunkedWork {
        let x: UnsafePointer<T>
        let y: UnsafeMutablePointer<T>
        let layout: AxisLayout
        let parameter: Int

        func run(_ range: Range<Int>) {
            for slice in range {
                let offset = layout.offset(ofSlice: slice)
                Op.apply(x + offset, y + offset, count: layout.axis, stride: layout.inner, parameter: parameter)
            }
        }
    }
}

extension Node {
    /// Through opset 12 the axes from `axis` (1 when absent) on count as one.
    mutating func liftMergedAxes(opset: Int, in lifting: inout Lifting) {
        guard opset < 13 else { return }
        let axis = int("axis", default: 1)
        let rank = lifting.type(inputs.first.flatMap { $0 }).shape?.count
        attributes["axis"] = .int(-1)
        if axis == -1 || rank.map({ axis == $0 - 1 }) ?? false { return }
        guard let input = inputs.first, let output = outputs.first else { return }
        let shape = lifting.insertBefore("Shape", [input], for: self)
        inputs[0] = lifting.insertBefore("Flatten", [input], ["axis": .int(Int64(axis))], for: self)
        let flat = lifting.addValue("\(displayName).flat")
        outputs[0] = flat
        lifting.insertAfter("Reshape", [flat, shape], output: output, for: self)
    }
}
