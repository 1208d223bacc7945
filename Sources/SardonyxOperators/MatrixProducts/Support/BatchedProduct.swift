import SardonyxGraph

/// The extents of y[…, m, n] = Σₖ a[…, m, k] · b[…, k, n] with numpy's rules: leading axes broadcast, and an operand of one
/// axis is a row (a) or a column (b) whose axis the result lacks.
struct BatchedProduct: Sendable {
    private(set) var m: Int
    let n: Int
    let k: Int
    /// Products that follow each other with equal strides, in elements; a stride of 0 uses one matrix for all.
    private(set) var batch = 1
    private(set) var strideA = 0
    private(set) var strideB = 0
    /// Where each such group starts in a and b; the results of the groups follow each other.
    private(set) var groups: [(a: Int, b: Int)] = [(0, 0)]

    var multiplyAdds: Int { groups.count &* batch &* m &* n &* k }

    init(_ a: [Int], _ b: [Int]) {
        let a = a.count == 1 ? [1] + a : a
        let b = b.count == 1 ? b + [1] : b
        m = a[a.count - 2]
        k = a[a.count - 1]
        n = b[b.count - 1]
        let rank = max(a.count, b.count) - 2
        let (aBatch, bBatch) = (Self.aligned(a, rank), Self.aligned(b, rank))
        // Extent and strides of each batch axis; neighbours that step alike are merged.
        var axes: [(extent: Int, a: Int, b: Int)] = []
        var (aStep, bStep) = (m * k, k * n)
        for axis in (0..<rank).reversed() {
            let extent = aBatch[axis] == 1 ? bBatch[axis] : aBatch[axis]
            let strides = (aBatch[axis] == 1 ? 0 : aStep, bBatch[axis] == 1 ? 0 : bStep)
            aStep *= aBatch[axis]
            bStep *= bBatch[axis]
            if extent == 1 { continue }
            if let inner = axes.last, strides.0 == inner.a * inner.extent, strides.1 == inner.b * inner.extent {
                axes[axes.count - 1].extent *= extent
            } else {
                axes.append((extent, strides.0, strides.1))
            }
        }
        guard let inner = axes.first else { return }
        for axis in axes.dropFirst() {
            groups = (0..<axis.extent).flatMap { i in groups.map { ($0.a + i * axis.a, $0.b + i * axis.b) } }
        }
        if inner.b == 0 && inner.a == m * k {
            // One matrix b for all: the rows of all a's are one tall matrix.
            m *= inner.extent
        } else {
            (batch, strideA, strideB) = inner
        }
    }

    private static func aligned(_ shape: [Int], _ rank: Int) -> [Int] {
        [Int](repeating: 1, count: rank - (shape.count - 2)) + shape.dropLast(2)
    }

    /// The result's shape, as far as it is known.
    static func output(_ a: SymbolicShape, _ b: SymbolicShape) throws(SardonyxError) -> SymbolicShape {
        guard !a.isEmpty, !b.isEmpty else {
            throw SardonyxError(
                .invalidModel, "a product needs at least one axis; the shapes are \(a.text) and \(b.text)")
        }
        let rows = a.count == 1 ? [] : [a[a.count - 2]]
        let columns = b.count == 1 ? [] : [b[b.count - 1]]
        let inner = (a[a.count - 1], b.count == 1 ? b[0] : b[b.count - 2])
        if let x = inner.0.value, let y = inner.1.value, x != y {
            throw SardonyxError(
                .invalidModel, "the shapes \(a.text) and \(b.text) do not match: \(x) columns, \(y) rows")
        }
        return try broadcast(Array(a.dropLast(2)), Array(b.dropLast(2))) + rows + columns
    }
}
