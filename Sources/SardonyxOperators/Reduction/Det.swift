import SardonyxGraph

/// y = det x of the square matrices that x's last two axes hold.
///
/// <https://onnx.ai/onnx/operators/onnx__Det.html>
enum Det: Operator {
    static let schema = Schema.unary("Det", versions: [11, 22])

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard let shape = context.shape(0) else { return context.set(0, type, nil) }
        guard shape.count >= 2 else {
            throw SardonyxError(.invalidModel, "the input must have 2 axes or more; its shape is \(shape.text)")
        }
        if let rows = shape[shape.count - 2].value, let columns = shape[shape.count - 1].value, rows != columns {
            throw SardonyxError(.invalidModel, "the matrices must be square; they are \(rows) × \(columns)")
        }
        context.set(0, type, shape.dropLast(2))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let order = try context.input(0).shape.last ?? 0
        let count = try context.output(0).elementCount
        var kernel = try context.input(0).dataType.visitReal(Visitor(order: order, count: count))
        kernel.workspaceByteCount = order * order * 8
        return kernel
    }

    private struct Visitor: RealVisitor {
        let order: Int
        let count: Int

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let (order, count) = (order, count)
            return Kernel { frame in
                let x: UnsafePointer<T> = frame.input(0)
                let y: UnsafeMutablePointer<T> = frame.output(0)
                guard let matrix = frame.workspace?.assumingMemoryBound(to: Double.self) else {
                    // The determinant of the empty matrix.
                    for i in 0..<count { y[i] = T.one }
                    return
                }
                for i in 0..<count {
                    for j in 0..<order * order { matrix[j] = x[i * order * order + j].double }
                    y[i] = T.converting(determinant(matrix, order))
                }
            }
        }
    }

    /// By elimination with row exchanges; destroys the matrix.
    private static func determinant(_ matrix: UnsafeMutablePointer<Double>, _ order: Int) -> Double {
        var result = 1.0
        for column in 0..<order {
            var pivot = column
            for row in column..<order
            where matrix[row * order + column].magnitude > matrix[pivot * order + column].magnitude {
                pivot = row
            }
            if pivot != column {
                for i in column..<order {
                    (matrix[pivot * order + i], matrix[column * order + i]) = (
                        matrix[column * order + i], matrix[pivot * order + i]
                    )
                }
                result = -result
            }
            let divisor = matrix[column * order + column]
            result *= divisor
            if divisor == 0 { return 0 }
            for row in (column + 1)..<max(order, column + 1) {
                let factor = matrix[row * order + column] / divisor
                for i in column..<order { matrix[row * order + i] -= factor * matrix[column * order + i] }
            }
        }
        return result
    }

    /// The gradient of an element is its cofactor, which a singular matrix has too: the signed determinant of what is left
    /// without the element's row and column.
    static let derivative: Derivative? = Derivative { d in
        let x = try d.x()
        let rank = try x.rank()
        let (rows, columns) = (rank - 2, rank - 1)
        try d.set(0) {
            let order = try x.extents(rows..<columns)
            let all = try order.indices()
            // others[i, a]: the indices but i.
            let line = try all.unsqueezed([1])
            let short = try (order - x.integers([1])).indices()
            let others = try short + short.isLess(than: line).apply("Not").converted(to: line)
            let minors = try x.apply("Gather", others, with: ["axis": .int(Int64(rows))])
                .apply("Gather", others, with: ["axis": .int(Int64(rank))])
                .transposed(Array(0..<rows) + [rows, rows + 2, rows + 1, rows + 3]).apply("Det")
            let two = x.integers([2])
            let parity = try (line + all).apply("Mod", two).converted(to: x)
            return try minors * (1 - parity * 2) * d.dy().unsqueezed([rows, columns])
        }
    }

    static let examples = [
        Example(
            "one matrix", inputs: [Tensor(shape: [2, 2], scalars: [0, 1, 2, 3] as [Float])],
            outputs: [Tensor(-2 as Float)], tolerance: 1e-6),
        Example(
            "several", inputs: [Tensor(shape: [2, 2, 2], scalars: [1, 2, 3, 4, 1, 2, 2, 1] as [Float])],
            outputs: [Tensor(shape: [2], scalars: [-2, -3] as [Float])], tolerance: 1e-6),
    ]
}
