import SardonyxGraph

/// y[…, i, …] = x[…, i mod extent, …]: x repeated `repeats[k]` times along axis k.
///
/// <https://onnx.ai/onnx/operators/onnx__Tile.html>
enum Tile: Operator {
    static let schema = Schema(
        "Tile", versions: [1, 6, 13],
        inputs: [Parameter("input", "T", .movable), Parameter("repeats", "T1", [.int64])],
        outputs: [Parameter("output", "T", .movable)])

    static let execution = Execution.movesElements

    /// Through opset 5 the inputs are a number of tiles and the one axis to repeat, both of x's type.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        guard opset < 6, node.inputs.count == 3, let data = node.inputs[0] else { return }
        let name = node.displayName
        let one = lifting.add([1], "\(name).one")
        func vector(_ input: ValueID?) -> ValueID {
            let integer = lifting.insertBefore("Cast", [input], ["to": .int(7)], for: node)
            return lifting.insertBefore("Reshape", [integer, one], for: node)
        }
        let shape = lifting.insertBefore("Shape", [data], for: node)
        let rank = lifting.insertBefore("Shape", [shape], for: node)
        let ones = lifting.insertBefore("Expand", [one, rank], for: node)
        let tiles = vector(node.inputs[1])
        let axis = vector(node.inputs[2])
        node.inputs = [data, lifting.insertBefore("ScatterElements", [ones, axis, tiles], for: node)]
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard let shape = context.shape(0) else {
            return context.set(0, type, context.unknownShape(context.shape(1)?.first?.value))
        }
        guard let repeats = context.elements(1) else { return context.set(0, type, context.unknownShape(shape.count)) }
        guard repeats.count == shape.count, repeats.allSatisfy({ $0.value ?? 0 >= 0 }) else {
            throw SardonyxError(
                .invalidModel,
                "repeats is \(repeats.text); it must be a number that is not negative for each axis of \(shape.text)")
        }
        context.set(0, type, zip(shape, repeats).map { $0 * $1 })
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let output = try context.output(0)
        // Each axis becomes two: which repetition, and where in it.
        var shape: [Int] = []
        var strides: [Int] = []
        for (axis, stride) in input.shape.rowMajorStrides.enumerated() {
            let extent = input.shape[axis]
            shape += [extent == 0 ? 0 : output.shape[axis] / extent, extent]
            strides += [0, stride]
        }
        var kernel = try StridedCopy(shape: shape, from: strides, elementSize: input.dataType.byteCount)
            .kernel(inputCount: input.elementCount)
        kernel.absorbedInputs = [1]
        return kernel
    }

    static let derivative: Derivative? = .movement

    static let examples = [
        Example(
            "twice along both axes",
            inputs: [Tensor(shape: [1, 2], scalars: [1, 2] as [Float]), Tensor(integers: [2, 2])],
            outputs: [Tensor(shape: [2, 4], scalars: [1, 2, 1, 2, 1, 2, 1, 2] as [Float])])
    ]
}
