import SardonyxGraph

/// y[I[i]] = x[i], zero elsewhere: the partial inverse of MaxPool with its indices. Indices count in the shape that the
/// attributes give; a larger `output_shape` is filled up with zeros at the ends.
///
/// <https://onnx.ai/onnx/operators/onnx__MaxUnpool.html>
enum MaxUnpool: Operator {
    static let schema = Schema(
        "MaxUnpool", versions: [9, 11, 22],
        inputs: [
            Parameter("X", "T1", .floats), Parameter("I", "T2", [.int64]),
            Parameter("output_shape", "T2", [.int64], .optional),
        ],
        outputs: [Parameter("output", "T1", .floats)],
        attributes: [
            AttributeSpec("kernel_shape", .ints, required: true), AttributeSpec("pads", .ints),
            AttributeSpec("strides", .ints),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        let natural = try context.shape(0).map { try naturalShape(context.node, $0) }
        if let x = context.shape(0)?.fixed, let i = context.shape(1)?.fixed, x != i {
            throw SardonyxError(.invalidModel, "X has the shape \(x) and I has \(i); they must be the same")
        }
        guard context.has(2) else { return context.set(0, type, natural) }
        guard let wanted = context.elements(2) else {
            return context.set(0, type, context.shape(0).map { SymbolicShape(repeating: .unknown, count: $0.count) })
        }
        if let natural {
            guard wanted.count == natural.count,
                zip(wanted, natural).allSatisfy({ ($0.value ?? .max) >= $1.value ?? 0 })
            else {
                throw SardonyxError(
                    .invalidModel, "output_shape is \(wanted.text); it must be at least \(natural.text)")
            }
        }
        context.set(0, type, wanted)
    }

    private static func naturalShape(_ node: Node, _ input: SymbolicShape) throws(SardonyxError) -> SymbolicShape {
        let kernel = node.ints("kernel_shape") ?? []
        guard input.count == kernel.count + 2 else {
            throw SardonyxError(
                .invalidModel, "the input \(input.text) must have batch, channels and \(kernel.count) spatial axes")
        }
        let window = try TransposedWindow(node, kernel: kernel)
        var shape = Array(input[..<2])
        for axis in kernel.indices { shape.append(try window.output(axis, of: input[axis + 2])) }
        return shape
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let output = try context.output(0)
        let natural = try naturalShape(context.node, SymbolicShape(input.shape)).fixed ?? output.shape
        var kernel = try input.dataType.visitElement(
            Scatter(count: input.elementCount, natural: natural, output: output.shape))
        if context.has(2) { kernel.absorbedInputs = [2] }
        return kernel
    }

    private struct Scatter: ElementVisitor {
        let count: Int
        let natural: [Int]
        let output: [Int]

        func visit<T: BitwiseCopyable & Sendable>(_ type: T.Type) throws -> Kernel {
            let (count, natural, output) = (count, natural, output)
            let total = natural.elementCount
            let bytes = output.elementCount * MemoryLayout<T>.stride
            let isSame = natural == output
            let (from, to) = (natural.rowMajorStrides, output.rowMajorStrides)
            return Kernel { frame in
                let x = frame.input(0, as: T.self)
                let indices = frame.input(1, as: Int64.self)
                let y = frame.output(0, as: T.self)
                UnsafeMutableRawPointer(y).initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
                for i in 0..<count {
                    let index = Int(indices[i])
                    guard index >= 0, index < total else {
                        throw SardonyxError(.invalidValue, "I holds \(index), which is outside 0 ..< \(total)")
                    }
                    var target = index
                    if !isSame {
                        target = 0
                        for axis in natural.indices { target += index / from[axis] % natural[axis] * to[axis] }
                    }
                    y[target] = x[i]
                }
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        try d.set(0) {
            if let shape = d.optionalInput(2) {
                // Numbers that the operator moves tell where each element went; it takes floating point only.
                let x = try d.x()
                let double = ["to": Attribute.int(Int64(DataType.double.rawValue))]
                let numbers = try (x.apply("Size").indices() + x.scalar(1)).apply("Cast", with: double).reshaped(
                    like: x)
                let moved = try numbers.apply("MaxUnpool", d.x(1), shape, with: d.node.attributes)
                let places = try moved.converted(to: shape) - x.scalar(1)
                return try d.dy().scattered(to: places, like: x, leavesGaps: true)
            }
            let flat = try d.x().integers([-1])
            let places = try d.x(1).reshaped(to: flat)
            return try d.dy().reshaped(to: flat).apply("GatherElements", places).reshaped(like: d.x())
        }
    }

    static let examples = [
        Example(
            "puts maxima back",
            attributes: ["kernel_shape": .ints([2]), "strides": .ints([2])],
            inputs: [
                Tensor(shape: [1, 1, 2], scalars: [5, 7] as [Float]),
                Tensor(shape: [1, 1, 2], scalars: [1, 2] as [Int64]),
            ],
            outputs: [Tensor(shape: [1, 1, 4], scalars: [0, 5, 7, 0] as [Float])])
    ]
}
