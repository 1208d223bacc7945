import SardonyxGraph

/// The axes that a reduction's second input names, and the shape that is left.
enum ReductionAxes {
    /// Non-negative axes, from ones that may count from the end; all axes when there are none, unless
    /// `noop_with_empty_axes` is set.
    static func resolve(_ axes: [Int]?, rank: Int, _ node: Node) throws(SardonyxError) -> Set<Int> {
        guard let axes, !axes.isEmpty else {
            return node.flag("noop_with_empty_axes") ? [] : Set(0..<rank)
        }
        var result = Set<Int>()
        for axis in axes {
            guard result.insert(try normalizedAxis(axis, rank: rank, "an element of 'axes'")).inserted else {
                throw SardonyxError(.invalidModel, "'axes' names axis \(axis) twice: \(axes)")
            }
        }
        return result
    }

    /// The axes when they are known: a constant, or none at all.
    static func known(_ context: InferenceContext) -> [Int]? {
        context.has(1) ? context.integers(1) : []
    }

    static func shape(_ shape: SymbolicShape, reducing axes: Set<Int>, keeping: Bool) -> SymbolicShape {
        if keeping { return shape.indices.map { axes.contains($0) ? .fixed(1) : shape[$0] } }
        return shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
    }

    static func infer(_ context: InferenceContext) throws -> SymbolicShape? {
        guard let shape = context.shape(0) else { return nil }
        let keeping = context.node.flag("keepdims", default: true)
        if let axes = known(context) {
            let reduced = try resolve(axes, rank: shape.count, context.node)
            return Self.shape(shape, reducing: reduced, keeping: keeping)
        }
        if keeping { return shape.map { _ in .unknown } }
        guard case .fixed(let number)? = context.shape(1)?.first, number > 0, number <= shape.count else { return nil }
        return SymbolicShape(repeating: .unknown, count: shape.count - number)
    }
}
