import CKernels
import SardonyxGraph

/// y = min(max(x, min), max); `max` where min > max, and a NaN stays.
///
/// <https://onnx.ai/onnx/operators/onnx__Clip.html>
enum Clip: ElementwiseOperator {
    static let schema = Schema(
        "Clip", versions: [1, 6, 11, 12, 13],
        inputs: [
            Parameter("input", "T", .numbers), Parameter("min", "B", .numbers, .optional),
            Parameter("max", "B", .numbers, .optional),
        ],
        outputs: [Parameter("output", "T", .numbers)])

    /// Through opset 10 the bounds are attributes.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        guard opset < 11 else { return }
        guard node.inputs.dropFirst().allSatisfy({ $0 == nil }) else {
            throw SardonyxError(.invalidModel, "the bounds are attributes in opset \(opset), and the node gives inputs")
        }
        node.removeConsumedInputs(opset: opset)
        for (position, name) in ["min", "max"].enumerated() {
            let bound = node.float(name)
            node.attributes[name] = nil
            while node.inputs.count <= position + 1 { node.inputs.append(nil) }
            node.inputs[position + 1] = bound.map { lifting.add(Tensor($0), "\(node.displayName).\(name)") }
        }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        for (input, name) in [(1, "min"), (2, "max")] {
            if let shape = context.shape(input), shape.contains(where: { $0.value.map { $0 != 1 } ?? false }) {
                throw SardonyxError(.invalidModel, "'\(name)' must be a scalar; its shape is \(shape.text)")
            }
            // Attributes of old opsets are float, whatever the input is.
            if let bound = context.knownDataType(input), bound != type, context.node.opset >= 11 || bound != .float {
                throw SardonyxError(.invalidModel, "'\(name)' is \(bound.name) and the input \(type.name)")
            }
        }
        try context.passThrough()
    }

    static func function(of node: Node, constant: (Int) -> Tensor?) -> ElementwiseFunction? {
        var bounds: [Float] = [-.infinity, .infinity]
        for index in 1..<3 where index < node.inputs.count && node.inputs[index] != nil {
            guard let bound = constant(index), bound.dataType == .float, bound.count == 1 else { return nil }
            bounds[index - 1] = bound.scalars(Float.self)[0]
        }
        return .unary(SDX_UNARY_CLIP, a: bounds[0], b: bounds[1])
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] { try context.channelBlocks() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let spec = try context.input(0)
        let bounds = [1, 2].map(context.inputSlot)
        var kernel =
            if spec.dataType == .float {
                floatKernel(count: spec.elementCount, bounds)
            } else {
                try spec.dataType.visitNumber(
                    Clipping(
                        count: spec.elementCount, bounds: bounds,
                        types: bounds.map { $0.flatMap { context.inputs[$0]?.dataType } }))
            }
        kernel.inPlace = [0: [0]]
        return kernel
    }

    private static func floatKernel(count: Int, _ bounds: [Int?]) -> Kernel {
        Kernel { [low = bounds[0], high = bounds[1]] frame in
            let low = frame.scalar(slot: low) ?? -Float.infinity
            let high = frame.scalar(slot: high) ?? Float.infinity
            sdx_unary_f32(frame.pool, SDX_UNARY_CLIP, frame.input(0), frame.output(0), Int64(count), low, high)
        }
    }

    private struct Clipping: NumberVisitor {
        let count: Int
        let bounds: [Int?]
        let types: [DataType?]

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let (count, low, high) = (count, bound(0, T.self), bound(1, T.self))
            return Kernel { frame in
                let (low, high) = (low(frame), high(frame))
                Work<T>(x: frame.input(0), y: frame.output(0), low: low, high: high).run(count: count, on: frame.pool)
            }
        }

        private func bound<T: Number>(_ index: Int, _ type: T.Type) -> @Sendable (Frame) -> T? {
            let slot = bounds[index]
            // A float bound of an old opset; `T` is another type here.
            if types[index] == .float { return { $0.scalar(slot: slot, as: Float.self).map { T.casting($0) } } }
            return { $0.scalar(slot: slot) }
        }
    }

    private struct Work<T: Number>: ChunkedWork {
        let x: UnsafePointer<T>
        let y: UnsafeMutablePointer<T>
        let low: T?
        let high: T?

        func run(_ range: Range<Int>) {
            for i in range {
                var value = x[i]
                if let low { value = Max.apply(value, low) }
                if let high { value = Min.apply(value, high) }
                y[i] = value
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        let (x, dy) = (try d.x(), try d.dy())
        let bounds = try (1...2).map { try d.optionalInput($0)?.converted(to: x) }
        let isBelow = try bounds[0].map { try x.isLess(than: $0) }
        // The upper bound has the last word, also where it is below the lower one.
        let raised = try isBelow.map { try $0.choose(bounds[0] ?? x, else: x) } ?? x
        let isAbove = try bounds[1].map { try raised.isGreater(than: $0) }
        let underHigh = try isAbove.map { try $0.choose(dy.number(0), else: dy) } ?? dy
        let inside = try isBelow.map { try $0.choose(dy.number(0), else: underHigh) } ?? underHigh
        d.set(0) { inside }
        if let isBelow { try d.setSummed(1) { try underHigh.kept(where: isBelow).converted(to: d.x(1)) } }
        if let isAbove { try d.setSummed(2) { try dy.kept(where: isAbove).converted(to: d.x(2)) } }
    }

    static let examples = [
        Example(
            "between two bounds",
            inputs: [Tensor(shape: [3], scalars: [-2, 0, 2] as [Float]), Tensor(-1 as Float), Tensor(1 as Float)],
            outputs: [Tensor(shape: [3], scalars: [-1, 0, 1] as [Float])]),
        Example(
            "no lower bound", inputs: [Tensor(shape: [3], scalars: [-2, 0, 2] as [Int8]), nil, Tensor(1 as Int8)],
            outputs: [Tensor(shape: [3], scalars: [-2, 0, 1] as [Int8])]),
        Example(
            "no upper bound", inputs: [Tensor(shape: [3], scalars: [-2, 0, 2] as [Float]), Tensor(-1 as Float)],
            outputs: [Tensor(shape: [3], scalars: [-1, 0, 2] as [Float])]),
    ]
}
