import SardonyxGraph

/// Which scale and zero point belong to an element: one for the tensor, one for each index of an axis, or one for each
/// block along an axis.
///
/// The tensor is cut into rows: along a row the index of the scale stays, or goes on by one.
struct QuantizationLayout: Sendable {
    let count: Int
    let scaleCount: Int
    private let rowLength: Int
    /// How far the scale's index goes on from one element to the next: 0 or 1.
    private let step: Int
    private let extent: Int
    private let block: Int
    private let blocks: Int
    private let inner: Int

    /// - Precondition: `check` has accepted the shapes.
    init(_ node: Node, shape: [Int], scale: [Int]) throws {
        count = shape.elementCount
        scaleCount = scale.elementCount
        guard scaleCount != 1 || scale.count > 1 && node.int("block_size", default: 0) > 0 else {
            (rowLength, step, extent, block, blocks, inner) = (count, 0, 1, 1, 1, 0)
            return
        }
        let axis = try normalizedAxis(node.int("axis", default: 1), rank: shape.count)
        let behind = shape[(axis + 1)...].elementCount
        if scale.count > 1 {
            (extent, blocks, block) = (shape[axis], scale[axis], max(node.int("block_size", default: 0), 1))
            (rowLength, step, inner) = (behind, 1, behind)
        } else if behind == 1 {
            (rowLength, step, extent, block, blocks, inner) = (shape[axis], 1, 1, 1, 1, 0)
        } else {
            (extent, blocks, block) = (shape[axis], shape[axis], 1)
            (rowLength, step, inner) = (behind, 0, 1)
        }
    }

    /// Whether one scale serves the whole tensor.
    var isPerTensor: Bool { scaleCount == 1 && step == 0 && extent == 1 }

    /// Calls `body` for every stretch of a row within a range of elements, with the first one's scale index.
    @inline(__always)
    func forEachStretch(
        in range: Range<Int>, _ body: (_ elements: Range<Int>, _ scale: Int, _ step: Int) -> Void
    ) {
        var position = range.lowerBound
        while position < range.upperBound {
            let (row, place) = position.quotientAndRemainder(dividingBy: rowLength)
            let end = min(range.upperBound, position + rowLength - place)
            let (outer, index) = row.quotientAndRemainder(dividingBy: extent)
            // Without blocks the scales repeat for every outer index.
            let first = isBlocked ? (outer * blocks + index / block) * inner : index * inner
            body(position..<end, first + place * step, step)
            position = end
        }
    }

    private var isBlocked: Bool { step == 1 && inner > 0 }

    /// Refuses scales and zero points of shapes that do not fit x. Inputs are x, scale and zero point.
    static func check(_ context: InferenceContext) throws {
        let blockSize = context.node.int("block_size", default: 0)
        guard blockSize >= 0 else {
            throw SardonyxError(.invalidModel, "block_size is \(blockSize); it must not be negative")
        }
        guard let scale = context.shape(1) else { return }
        if let zero = context.shape(2), !scale.mayEqual(zero), !(isOne(scale) && isOne(zero)) {
            throw SardonyxError(
                .invalidModel, "the scale has the shape \(scale.text) and the zero point \(zero.text); they must agree")
        }
        guard let x = context.shape(0), !isOne(scale) || blockSize > 0 && scale.count > 1 else { return }
        guard scale.count == 1 || blockSize > 0 && scale.count == x.count else {
            let expected = blockSize > 0 ? "0, 1 or \(x.count)" : "0 or 1"
            throw SardonyxError(.invalidModel, "the scale has the shape \(scale.text); it must have \(expected) axes")
        }
        // A vector of unknown length may hold one scale for the tensor.
        if scale.count == 1, scale[0].value == nil { return }
        let axis = try context.axis(context.node.int("axis", default: 1), rank: x.count)
        var expected = scale.count == 1 ? [x[axis]] : x
        if scale.count > 1 {
            expected[axis] = x[axis].value.map { .fixed($0 / blockSize + ($0 % blockSize == 0 ? 0 : 1)) } ?? .unknown
        }
        guard scale.mayEqual(expected) else {
            throw SardonyxError(
                .invalidModel, "the scale has the shape \(scale.text); it must be \(expected.text) for x \(x.text)")
        }
    }

    private static func isOne(_ shape: SymbolicShape) -> Bool { shape.allSatisfy { $0 == .fixed(1) } }
}

extension Array where Element == Dimension {
    /// Whether no known extent tells the shapes apart.
    fileprivate func mayEqual(_ other: SymbolicShape) -> Bool {
        count == other.count
            && zip(self, other).allSatisfy { mine, theirs in
                guard let mine = mine.value, let theirs = theirs.value else { return true }
                return mine == theirs
            }
    }
}
