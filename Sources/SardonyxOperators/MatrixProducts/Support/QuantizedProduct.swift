import SardonyxGraph

/// Parameters of quantisation along rows or columns: one number, one a row (column), or one a row (column) of each matrix.
struct QuantizationSteps: Sendable {
    private let perMatrix: Int
    private let perLine: Int

    /// - Parameter lines: the rows of a, or the columns of b.
    init(_ shape: [Int], lines: Int) {
        let count = shape.elementCount
        perLine = count == 1 ? 0 : 1
        perMatrix = count == 1 || shape.count == 1 ? 0 : lines
    }

    @inline(__always)
    func index(matrix: Int, line: Int) -> Int { matrix * perMatrix + line * perLine }
}

/// A product of 8-bit matrices in int32, the zero points subtracted: what MatMulInteger and QLinearMatMul share.
struct QuantizedProduct {
    let rows: Int
    let columns: Int
    private let depth: Int
    /// For each matrix of the result, the number of its matrix in a and in b.
    private let matrices: [(a: Int, b: Int)]
    private let inputs: (a: Int, b: Int)
    private let zeros: (a: Int?, b: Int?)
    private let zeroSteps: (a: QuantizationSteps, b: QuantizationSteps)
    private let isSigned: (a: Bool, b: Bool)

    init(_ context: PreparationContext, a: Int, b: Int, aZero: Int?, bZero: Int?) throws {
        let (aSpec, bSpec) = (try context.input(a), try context.input(b))
        let aShape = aSpec.shape.count == 1 ? [1] + aSpec.shape : aSpec.shape
        let bShape = bSpec.shape.count == 1 ? bSpec.shape + [1] : bSpec.shape
        rows = aShape[aShape.count - 2]
        depth = aShape[aShape.count - 1]
        columns = bShape[bShape.count - 1]
        matrices = Self.pairs(Array(aShape.dropLast(2)), Array(bShape.dropLast(2)))
        inputs = (a, b)
        zeros = (aZero, bZero)
        zeroSteps = (
            QuantizationSteps(try aZero.map { try context.input($0).shape } ?? [], lines: rows),
            QuantizationSteps(try bZero.map { try context.input($0).shape } ?? [], lines: columns)
        )
        isSigned = (aSpec.dataType == .int8, bSpec.dataType == .int8)
    }

    private static func pairs(_ a: [Int], _ b: [Int]) -> [(a: Int, b: Int)] {
        let rank = max(a.count, b.count)
        let aAligned = [Int](repeating: 1, count: rank - a.count) + a
        let bAligned = [Int](repeating: 1, count: rank - b.count) + b
        var result = [(a: 0, b: 0)]
        for axis in 0..<rank {
            let extent = aAligned[axis] == 1 ? bAligned[axis] : aAligned[axis]
            result = result.flatMap { pair in
                (0..<extent).map { i in
                    (
                        a: pair.a * aAligned[axis] + (aAligned[axis] == 1 ? 0 : i),
                        b: pair.b * bAligned[axis] + (bAligned[axis] == 1 ? 0 : i)
                    )
                }
            }
        }
        return result
    }

    /// What gets each sum, its position in the result, and the lines by which parameters vary.
    typealias FinishSum<Sum> =
        @Sendable (
            _ frame: Frame, _ sum: Sum, _ position: Int, _ row: (matrix: Int, line: Int),
            _ column: (matrix: Int, line: Int)
        ) -> Void
    typealias Finish = FinishSum<Int32>

    func kernel(_ finish: @escaping Finish) -> Kernel {
        switch isSigned {
        case (false, false): kernel(UInt8.self, UInt8.self, finish)
        case (false, true): kernel(UInt8.self, Int8.self, finish)
        case (true, false): kernel(Int8.self, UInt8.self, finish)
        case (true, true): kernel(Int8.self, Int8.self, finish)
        }
    }

    private func kernel<A: FixedWidthInteger & Sendable, B: FixedWidthInteger & Sendable>(
        _ a: A.Type, _ b: B.Type, _ finish: @escaping Finish
    ) -> Kernel {
        let (zeros, steps, inputs) = (zeros, zeroSteps, inputs)
        return loops(
            from: 0 as Int32,
            left: { frame, index, pair, line in
                let zero = frame.input(slot: zeros.a, as: A.self)?[steps.a.index(matrix: pair, line: line)] ?? 0
                return Int32(frame.input(inputs.a, as: A.self)[index]) - Int32(zero)
            },
            right: { frame, index, pair, line in
                let zero = frame.input(slot: zeros.b, as: B.self)?[steps.b.index(matrix: pair, line: line)] ?? 0
                return Int32(frame.input(inputs.b, as: B.self)[index]) - Int32(zero)
            },
            multiplyAdd: { $0 &+ $1 &* $2 }, finish)
    }

    /// Sums in float of 8-bit codes that stand for these numbers.
    func kernel(_ aValues: [Float], _ bValues: [Float], _ finish: @escaping FinishSum<Float>) -> Kernel {
        let (zeros, steps, inputs) = (zeros, zeroSteps, inputs)
        return loops(
            from: 0 as Float,
            left: { frame, index, pair, line in
                let zero = frame.input(slot: zeros.a, as: UInt8.self)?[steps.a.index(matrix: pair, line: line)]
                return aValues[Int(frame.input(inputs.a, as: UInt8.self)[index])] - (zero.map { aValues[Int($0)] } ?? 0)
            },
            right: { frame, index, pair, line in
                let zero = frame.input(slot: zeros.b, as: UInt8.self)?[steps.b.index(matrix: pair, line: line)]
                return bValues[Int(frame.input(inputs.b, as: UInt8.self)[index])] - (zero.map { bValues[Int($0)] } ?? 0)
            },
            multiplyAdd: { $0 + $1 * $2 }, finish)
    }

    /// Reads an element: its position, and the matrix and line it stands in.
    private typealias Read<Value> = @Sendable (_ frame: Frame, _ index: Int, _ matrix: Int, _ line: Int) -> Value

    @inline(__always)
    private func loops<Sum: Sendable & BitwiseCopyable>(
        from initial: Sum, left: @escaping Read<Sum>, right: @escaping Read<Sum>,
        multiplyAdd: @escaping @Sendable (Sum, Sum, Sum) -> Sum, _ finish: @escaping FinishSum<Sum>
    ) -> Kernel {
        let (m, n, k, matrices) = (rows, columns, depth, matrices)
        let width = 64
        var kernel = Kernel.parallel(chunks: matrices.count * m) { frame, chunk, _ in
            let (matrix, i) = (chunk / m, chunk % m)
            let pair = matrices[matrix]
            // SAFETY: every access is below `width`.
            withUnsafeTemporaryAllocation(of: Sum.self, capacity: width) { sums in
                for first in stride(from: 0, to: n, by: width) {
                    let count = min(width, n - first)
                    for j in 0..<count { sums[j] = initial }
                    for p in 0..<k {
                        let factor = left(frame, (pair.a * m + i) * k + p, pair.a, i)
                        let row = (pair.b * k + p) * n + first
                        for j in 0..<count {
                            sums[j] = multiplyAdd(sums[j], factor, right(frame, row + j, pair.b, first + j))
                        }
                    }
                    for j in 0..<count {
                        finish(frame, sums[j], chunk * n + first + j, (pair.a, i), (pair.b, first + j))
                    }
                }
            }
        }
        kernel.multiplyAdds = matrices.count &* m &* n &* k
        return kernel
    }

    static func infer(_ context: inout InferenceContext, a: Int, b: Int, output type: DataType) throws {
        guard let aShape = context.shape(a), let bShape = context.shape(b) else { return context.set(0, type, nil) }
        context.set(0, type, try BatchedProduct.output(aShape, bShape))
    }

    /// Refuses parameters that are neither one number nor one for each row of a (column of b).
    static func check(
        _ context: InferenceContext, _ index: Int, _ name: String, of operand: Int, isRow: Bool
    ) throws(SardonyxError) {
        guard let shape = context.shape(index)?.fixed, let count = shape.checkedElementCount, count != 1 else { return }
        guard let whole = context.shape(operand)?.fixed, let size = whole.checkedElementCount else { return }
        guard let last = whole.last else {
            throw SardonyxError(.invalidModel, "input \(operand) is a scalar; a product takes vectors and matrices")
        }
        let lines = whole.count < 2 ? 1 : isRow ? whole[whole.count - 2] : last
        let depth = isRow ? last : whole[max(whole.count - 2, 0)]
        guard shape.count == 1 ? count == lines : depth > 0 && count == size / depth else {
            throw SardonyxError(
                .invalidModel,
                "\(name) has the shape \(shape); it must be one number or one for each \(isRow ? "row" : "column") of \(whole)"
            )
        }
    }
}
