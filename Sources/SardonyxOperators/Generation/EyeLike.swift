import SardonyxGraph

/// y[i, i + k] = 1, and 0 elsewhere: a matrix of x's shape with ones on one diagonal.
///
/// <https://onnx.ai/onnx/operators/onnx__EyeLike.html>
enum EyeLike: Operator {
    private static let types: TypeSet = .numbers + [.bool]

    static let schema = Schema(
        "EyeLike", versions: [9, 22], inputs: [Parameter("input", "T1", types)],
        outputs: [Parameter("output", "T2", types)],
        attributes: [AttributeSpec("dtype", .int), AttributeSpec("k", .int)])

    static func infer(_ context: inout InferenceContext) throws {
        try context.requireRank(0, 2...2, "the input")
        let type = try context.node.dataType("dtype") ?? context.dataType(0)
        guard types.contains(type) else {
            throw SardonyxError(.invalidModel, "'dtype' is \(type.name); a matrix of numbers is wanted")
        }
        context.set(0, type, context.shape(0) ?? context.unknownShape(2))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let output = try context.output(0)
        let (rows, columns) = (output.shape[0], output.shape[1])
        let k = context.node.int("k", default: 0)
        // A diagonal beyond the corners has no elements; k may be any number.
        let diagonal = k > -rows && k < columns ? max(0, -k)..<max(0, -k, min(rows, columns - k)) : 0..<0
        if output.dataType == .bool {
            return Kernel { fill($0, one: 1 as UInt8, rows: rows, columns: columns, k: k, diagonal: diagonal) }
        }
        return try output.dataType.visitNumber(Visitor(rows: rows, columns: columns, k: k, diagonal: diagonal))
    }

    private struct Visitor: NumberVisitor {
        let rows: Int
        let columns: Int
        let k: Int
        let diagonal: Range<Int>

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let (rows, columns, k, diagonal) = (rows, columns, k, diagonal)
            return Kernel { fill($0, one: T.one, rows: rows, columns: columns, k: k, diagonal: diagonal) }
        }
    }

    private static func fill<T: BitwiseCopyable>(
        _ frame: Frame, one: T, rows: Int, columns: Int, k: Int, diagonal: Range<Int>
    ) {
        let bytes = rows * columns * MemoryLayout<T>.stride
        frame.output(0, as: UInt8.self).update(repeating: 0, count: bytes)
        let y = frame.output(0, as: T.self)
        for row in diagonal { y[row * columns + row + k] = one }
    }

    static let derivative: Derivative? = .zero

    static let examples = [
        Example(
            "above the main diagonal", attributes: ["k": .int(1), "dtype": .int(1)],
            inputs: [Tensor(shape: [2, 3], scalars: [0, 0, 0, 0, 0, 0] as [Int32])],
            outputs: [Tensor(shape: [2, 3], scalars: [0, 1, 0, 0, 0, 1] as [Float])]),
        Example(
            "below it", attributes: ["k": .int(-1)],
            inputs: [Tensor(shape: [2, 2], scalars: [5, 6, 7, 8] as [Int64])],
            outputs: [Tensor(shape: [2, 2], scalars: [0, 0, 1, 0] as [Int64])]),
    ]
}
