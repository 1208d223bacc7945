import CKernels
import SardonyxGraph

/// y[…, i + begin, …] = x[…, i, …], and around it a constant, the mirror image, the edge or the other end.
///
/// `pads` holds the begins of `axes` and then their ends; negative ones crop. In the modes other than `constant`, what is
/// left after cropping is extended, as often as it takes.
///
/// <https://onnx.ai/onnx/operators/onnx__Pad.html>
enum Pad: Operator {
    static let schema = Schema(
        "Pad", versions: [1, 2, 11, 13, 18, 19, 21, 23, 24, 25],
        inputs: [
            Parameter("data", "T", .all), Parameter("pads", "tensor(int64)", [.int64]),
            Parameter("constant_value", "T", .all, .optional), Parameter("axes", "Tind", .indices, .optional),
        ],
        outputs: [Parameter("output", "T", .all)],
        attributes: [AttributeSpec("mode", .string)])

    static let execution = Execution.movesElements

    /// Through opset 10 pads and value are attributes; in opset 1 the pads are called `paddings`.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        guard opset < 11 else { return }
        if let pads = node.attributes.removeValue(forKey: "paddings") { node.attributes["pads"] = pads }
        lifting.moveToInput("pads", of: &node, at: 1)
        if let value = node.float("value"), value != 0 {
            let constant = lifting.add(Tensor(value), "\(node.displayName).value")
            node.setInput(2, lifting.insertBefore("CastLike", [constant, node.inputs[0]], for: node))
        }
        node.attributes["value"] = nil
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        let mode = try mode(context.node)
        if let count = context.shape(2)?.fixed?.elementCount, count != 1 {
            throw SardonyxError(
                .invalidModel, "constant_value must be one element; it has the shape \(context.shape(2)!.text)")
        }
        guard let shape = context.shape(0) else { return context.set(0, type, nil) }
        let axes = context.knownIntegers(3)
        guard let pads = context.elements(1), axes != nil || !context.has(3) else {
            return context.set(0, type, context.unknownShape(shape.count))
        }
        if let pads = pads.fixed {
            let (begins, ends) = try amounts(pads, axes: axes, rank: shape.count)
            return context.set(0, type, try Padding.shape(shape, begins, ends, mode))
        }
        let named = try axes.map { try normalizedAxes($0, rank: shape.count) } ?? Array(shape.indices)
        guard pads.count == 2 * named.count else { throw mismatch(pads.text, named.count) }
        var result = shape
        for (index, axis) in named.enumerated() { result[axis] = shape[axis] + pads[index] + pads[index + named.count] }
        context.set(0, type, result)
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        let (input, output) = (try context.input(0).shape, try context.output(0).shape)
        guard input.count > 1, let pads = try context.integers(1) else { return [] }
        let (begins, ends) = try amounts(pads, axes: context.integers(3), rank: input.count)
        // The modes that look at x want what is left of it after cropping, which is x itself where nothing is cropped.
        guard try mode(context.node) == .constant || (begins + ends).allSatisfy({ $0 >= 0 }) else { return [] }
        return begins[0] == 0 && begins[1] == 0 && input.prefix(2) == output.prefix(2)
            ? try context.channelBlocks() : []
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let (begins, ends) = try amounts(
            context.integers(1) ?? [], axes: context.integers(3), rank: input.shape.count)
        if begins.allSatisfy({ $0 == 0 }), ends.allSatisfy({ $0 == 0 }) {
            var kernel = Kernel.view
            kernel.absorbedInputs = [1, 2, 3]
            return kernel
        }
        if input.layout == .channelBlocks { return try blockedKernel(context, begins) }
        let padding = try Padding(
            input.shape, begins: begins, ends: ends, elementSize: input.dataType.byteCount,
            mode: mode(context.node))
        let hasValue = context.has(2)
        var kernel = Kernel { frame in
            padding.run(
                frame.input(0, as: UInt8.self), frame.output(0, as: UInt8.self),
                value: hasValue ? frame.inputs[2] : nil,
                pool: frame.pool)
        }
        kernel.absorbedInputs = [1, 3]
        return kernel
    }

    /// The spatial axes of a tensor with its channels in blocks.
    private static func blockedKernel(_ context: PreparationContext, _ begins: [Int]) throws -> Kernel {
        let shapes = [try context.input(0).shape, try context.output(0).shape]
        func spatial(_ extents: [Int], _ filler: Int64) -> (Int64, Int64, Int64) {
            let all = [Int64](repeating: filler, count: 5 - extents.count) + extents.dropFirst(2).map(Int64.init)
            return (all[0], all[1], all[2])
        }
        let (input, output, begin) = (spatial(shapes[0], 1), spatial(shapes[1], 1), spatial(begins, 0))
        let (batch, channels) = (Int64(shapes[0][0]), Int64(shapes[0][1]))
        let mode = try mode(context.node).kernelForm
        let hasValue = context.has(2)
        var kernel = Kernel { frame in
            let value: Float = hasValue ? frame.input(2, as: Float.self)[0] : 0
            withUnsafePointer(to: (input, begin, output)) { axes in
                axes.withMemoryRebound(to: Int64.self, capacity: 9) {
                    sdx_pad_c8_f32(
                        frame.pool, batch, channels, $0, $0 + 3, $0 + 6, mode, value, frame.input(0), frame.output(0))
                }
            }
        }
        kernel.absorbedInputs = [1, 3]
        return kernel
    }

    private static func mode(_ node: Node) throws -> Padding.Mode {
        let name = node.string("mode", default: "constant")
        guard let mode = Padding.Mode(rawValue: name) else {
            throw SardonyxError(.invalidModel, "mode is '\(name)'; it must be constant, reflect, edge or wrap")
        }
        return mode
    }

    /// The elements added before and after, for every axis.
    private static func amounts(
        _ pads: [Int], axes: [Int]?, rank: Int
    ) throws(SardonyxError) -> (begins: [Int], ends: [Int]) {
        let axes = try normalizedAxes(axes ?? Array(0..<rank), rank: rank)
        guard pads.count == 2 * axes.count else { throw mismatch("\(pads)", axes.count) }
        var begins = [Int](repeating: 0, count: rank)
        var ends = begins
        for (index, axis) in axes.enumerated() {
            // Sums with any extent stay far from overflow.
            guard pads[index].magnitude <= 1 << 48, pads[index + axes.count].magnitude <= 1 << 48 else {
                throw SardonyxError(.invalidModel, "pads \(pads) are out of range")
            }
            begins[axis] = pads[index]
            ends[axis] = pads[index + axes.count]
        }
        return (begins, ends)
    }

    private static func mismatch(_ pads: String, _ count: Int) -> SardonyxError {
        SardonyxError(.invalidModel, "pads is \(pads); it must have two elements for each of \(count) axes")
    }

    static let derivative: Derivative? = Derivative { d in
        guard try mode(d.node) == .constant else { return try d.setMoved() }
        let (dy, axes) = (try d.dy(), d.optionalInput(3))
        let inside = try dy.apply("Pad", -d.x(1), nil, axes)
        d.set(0) { inside }
        try d.set(2) {
            let all = ["keepdims": Attribute.int(0)]
            return try (dy.apply("ReduceSum", with: all) - inside.apply("ReduceSum", with: all)).reshaped(like: d.x(2))
        }
    }

    static let examples = [
        Example(
            "zeros", inputs: [Tensor(shape: [2, 1], scalars: [1, 2] as [Float]), Tensor(integers: [0, 1, 1, 0])],
            outputs: [Tensor(shape: [3, 2], scalars: [0, 1, 0, 2, 0, 0] as [Float])]),
        Example(
            "a mirror", attributes: ["mode": .string("reflect")],
            inputs: [Tensor(shape: [3], scalars: [1, 2, 3] as [Float]), Tensor(integers: [3, 1])],
            outputs: [Tensor(shape: [7], scalars: [2, 3, 2, 1, 2, 3, 2] as [Float])]),
        Example(
            "a torus", attributes: ["mode": .string("wrap")],
            inputs: [
                Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Int32]), Tensor(integers: [1, 2]), nil,
                Tensor(shape: [1], scalars: [-1] as [Int32]),
            ],
            outputs: [Tensor(shape: [2, 5], scalars: [2, 1, 2, 1, 2, 4, 3, 4, 3, 4] as [Int32])]),
        Example(
            "cropped and extended", attributes: ["mode": .string("edge")],
            inputs: [Tensor(shape: [4], scalars: [1, 2, 3, 4] as [UInt8]), Tensor(integers: [-1, 2])],
            outputs: [Tensor(shape: [5], scalars: [2, 3, 4, 4, 4] as [UInt8])]),
    ]
}
