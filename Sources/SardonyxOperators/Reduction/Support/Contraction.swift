import CKernels
import SardonyxGraph

/// A tensor as a contraction reads it: strides by label. Labels that it lacks, or has with extent 1, are absent.
struct LabeledOperand: Sendable {
    var strides: [EinsumEquation.Label: Int]
    /// The labels, outermost first.
    var labels: [EinsumEquation.Label]

    /// Repeated labels walk along a diagonal.
    init(_ labels: [EinsumEquation.Label], shape: [Int]) {
        strides = [:]
        self.labels = []
        for (label, (extent, stride)) in zip(labels, zip(shape, shape.rowMajorStrides)) where extent != 1 {
            if strides[label] == nil { self.labels.append(label) }
            strides[label, default: 0] += stride
        }
    }
}

/// result[r] = Σ x[…] · y[…] over the labels of x and y that are not in r.
struct Contraction: Sendable {
    let result: [EinsumEquation.Label]
    let resultShape: [Int]
    private let sum: [EinsumEquation.Label]
    private let x: LabeledOperand
    private let y: LabeledOperand
    private let extents: [EinsumEquation.Label: Int]
    let resultCount: Int
    let sumCount: Int

    init(
        _ x: LabeledOperand, _ y: LabeledOperand, result: [EinsumEquation.Label],
        extents: [EinsumEquation.Label: Int]
    ) throws(SardonyxError) {
        self.x = x
        self.y = y
        self.result = result
        self.extents = extents
        sum = (x.labels + y.labels.filter { x.strides[$0] == nil }).filter { !result.contains($0) }
        resultShape = result.map { extents[$0] ?? 1 }
        guard let resultCount = resultShape.checkedElementCount,
            let sumCount = sum.map({ extents[$0] ?? 1 }).checkedElementCount
        else { throw SardonyxError(.memory, "an intermediate result of the equation is too large") }
        self.resultCount = resultCount
        self.sumCount = sumCount
    }

    private func walk(_ labels: [EinsumEquation.Label]) -> Broadcast {
        Broadcast(
            shape: labels.map { extents[$0] ?? 1 },
            strides: [x, y].map { operand in labels.map { operand.strides[$0] ?? 0 } })
    }

    /// Loops over the result, and for each element over the sum, for any type of number.
    func loops<T: Number, A: Number>(_ type: T.Type, in accumulator: A.Type) -> Loops<T, A> {
        Loops(result: walk(result), sum: walk(sum))
    }

    struct Loops<T: Number, A: Number>: Sendable {
        let result: Broadcast
        let sum: Broadcast

        func run(_ pool: OpaquePointer?, _ x: UnsafePointer<T>, _ y: UnsafePointer<T>, _ z: UnsafeMutablePointer<T>) {
            Work(x: x, y: y, z: z, result: result, sum: sum)
                .run(count: result.count, grain: max(1, 16384 / max(1, sum.count)), on: pool)
        }

        private struct Work: ChunkedWork {
            let x: UnsafePointer<T>
            let y: UnsafePointer<T>
            let z: UnsafeMutablePointer<T>
            let result: Broadcast
            let sum: Broadcast

            func run(_ range: Range<Int>) {
                let steps = (result.innerStride(0), result.innerStride(1))
                let sumSteps = (sum.innerStride(0), sum.innerStride(1))
                result.forEachStretch(in: range) { position, offsets, count in
                    for i in 0..<count {
                        let (x, y) = (x + offsets.0 + i * steps.0, y + offsets.1 + i * steps.1)
                        var total = A.zero
                        sum.forEachStretch(in: 0..<sum.count) { _, offsets, count in
                            let (x, y) = (x + offsets.0, y + offsets.1)
                            for j in 0..<count {
                                let product = A.multiplying(
                                    A.casting(x[j * sumSteps.0]), A.casting(y[j * sumSteps.1]))
                                total = A.adding(total, product)
                            }
                        }
                        z[position + i] = T.casting(total)
                    }
                }
            }
        }
    }

    /// The contraction as a product of matrices, when it is large enough to be worth it; nil where one operand alone is
    /// summed over a label.
    func product() -> MatrixContraction? {
        let both = { (label: EinsumEquation.Label) in x.strides[label] != nil && y.strides[label] != nil }
        guard sum.allSatisfy(both), resultCount > 0, sumCount > 0, result.count + sum.count <= Int(SDX_MAX_RANK) else {
            return nil
        }
        let batch = result.filter(both)
        let rows = result.filter { x.strides[$0] != nil && y.strides[$0] == nil }
        let columns = result.filter { x.strides[$0] == nil && y.strides[$0] != nil }
        let size = { (labels: [EinsumEquation.Label]) in labels.map { extents[$0] ?? 1 }.elementCount }
        guard size(rows) * size(columns) >= 16, size(rows) * size(columns) * sumCount >= 4096 else { return nil }
        return MatrixContraction(
            batch: size(batch), m: size(rows), n: size(columns), k: sumCount,
            x: arranged(x, batch, rows, sum), y: arranged(y, batch, sum, columns),
            result: Arrangement(
                shape: resultShape, strides: strides(of: result, within: batch + rows + columns), isTransposed: false))
    }

    /// How an operand becomes [batch, rows, columns]; without a copy when it is that or its matrices' transposes.
    private func arranged(
        _ operand: LabeledOperand, _ batch: [EinsumEquation.Label], _ rows: [EinsumEquation.Label],
        _ columns: [EinsumEquation.Label]
    ) -> Arrangement {
        for (order, isTransposed) in [(batch + rows + columns, false), (batch + columns + rows, true)] {
            let shape = order.map { extents[$0] ?? 1 }
            if zip(order, shape.rowMajorStrides).allSatisfy({ operand.strides[$0] == $1 }) {
                return Arrangement(shape: shape, strides: nil, isTransposed: isTransposed)
            }
        }
        let order = batch + rows + columns
        return Arrangement(
            shape: order.map { extents[$0] ?? 1 }, strides: order.map { operand.strides[$0] ?? 0 }, isTransposed: false)
    }

    /// The strides that labels have in a dense tensor of another order; nil when it is the same order.
    private func strides(of labels: [EinsumEquation.Label], within order: [EinsumEquation.Label]) -> [Int]? {
        if labels == order { return nil }
        let dense = Dictionary(
            uniqueKeysWithValues: zip(order, order.map { extents[$0] ?? 1 }.rowMajorStrides))
        return labels.map { dense[$0] ?? 0 }
    }
}

/// How a dense tensor is made from another: by strides, or as it is.
struct Arrangement: Sendable {
    let shape: [Int]
    /// nil: nothing has to be moved.
    let strides: [Int]?
    /// Whether matrices stay stored as their transposes.
    let isTransposed: Bool
}

extension Broadcast {
    func innerStride(_ operand: Int) -> Int { strides[operand][shape.count - 1] }
}
