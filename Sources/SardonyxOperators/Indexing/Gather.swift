import Glibc
import SardonyxGraph

/// y[a…, i…, b…] = x[a…, indices[i…], b…]: the index takes the place of axis `axis`.
///
/// Indices may count from the axis's end.
///
/// <https://onnx.ai/onnx/operators/onnx__Gather.html>
enum Gather: Operator {
    static let schema = Schema(
        "Gather", versions: [1, 11, 13],
        inputs: [Parameter("data", "T", .movable), Parameter("indices", "Tind", .indices)],
        outputs: [Parameter("output", "T", .movable)],
        attributes: [AttributeSpec("axis", .int)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard let shape = context.shape(0) else { return context.set(0, type, nil) }
        try context.requireRank(0, 1...Int.max, "data")
        let axis = try context.axis(context.node.int("axis", default: 0), rank: shape.count)
        guard let indices = context.shape(1) else { return context.set(0, type, nil) }
        context.set(0, type, Array(shape[..<axis] + indices + shape[(axis + 1)...]))
        // Extents picked out of a shape.
        guard shape.count == 1, indices.count <= 1, let elements = context.elements(0),
            let places = context.knownIntegers(1)
        else { return }
        context.outputElements[0] = try places.map { elements[try checkedIndex($0, elements.count)] }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let indices = try context.input(1)
        let axis = try normalizedAxis(context.node.int("axis", default: 0), rank: input.shape.count)
        return try input.dataType.visitIndexed(
            by: indices.dataType,
            Lookup(
                outer: input.shape[..<axis].reduce(1, *), extent: input.shape[axis],
                inner: input.shape[(axis + 1)...].reduce(1, *), count: indices.elementCount))
    }

    private struct Lookup: IndexedVisitor {
        let outer: Int
        let extent: Int
        let inner: Int
        let count: Int

        func visit<I: IndexElement, T: BitwiseCopyable & Sendable>(_: I.Type, _: T.Type) throws -> Kernel {
            let (outer, extent, inner, count) = (outer, extent, inner, count)
            return Kernel { frame in
                let x = frame.input(0, as: T.self)
                let indices = frame.input(1, as: I.self)
                let y = frame.output(0, as: T.self)
                for a in 0..<outer {
                    let from = x + a * extent * inner
                    let to = y + a * count * inner
                    if inner == 1 {
                        for i in 0..<count { to[i] = from[try checkedIndex(Int(indices[i]), extent)] }
                    } else {
                        for i in 0..<count {
                            let place = try checkedIndex(Int(indices[i]), extent)
                            memcpy(to + i * inner, from + place * inner, inner * MemoryLayout<T>.stride)
                        }
                    }
                }
            }
        }
    }

    static let derivative: Derivative? = .movement

    static let examples = [
        Example(
            "rows",
            inputs: [Tensor(shape: [3, 2], scalars: [1, 2, 3, 4, 5, 6] as [Float]), Tensor(integers: [2, 0])],
            outputs: [Tensor(shape: [2, 2], scalars: [5, 6, 1, 2] as [Float])]),
        Example(
            "the last column", attributes: ["axis": .int(1)],
            inputs: [Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [UInt8]), Tensor(Int32(-1))],
            outputs: [Tensor(shape: [2], scalars: [2, 4] as [UInt8])]),
        Example(
            "strings", inputs: [Tensor(shape: [2], strings: ["a", "b"]), Tensor(integers: [1, 1, 0])],
            outputs: [Tensor(shape: [3], strings: ["b", "b", "a"])]),
    ]
}
