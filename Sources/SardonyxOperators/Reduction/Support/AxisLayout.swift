import SardonyxGraph

/// A shape as [outer, axis, inner] around one axis.
struct AxisLayout: Sendable {
    let outer: Int
    let axis: Int
    let inner: Int

    init(_ shape: [Int], axis: Int) {
        outer = shape[..<axis].elementCount
        self.axis = shape[axis]
        inner = shape[(axis + 1)...].elementCount
    }

    /// Slices along the axis.
    var slices: Int { outer * inner }

    /// Where a slice starts; its elements are `inner` apart.
    @inline(__always) func offset(ofSlice slice: Int) -> Int { slice / inner * axis * inner + slice % inner }

    /// Slices that make a chunk worth a thread.
    var grain: Int { max(1, 16384 / max(1, axis)) }
}

extension ArraySlice where Element == Int {
    /// The product of extents that were checked when their tensor was made.
    var elementCount: Int { reduce(1, *) }
}

extension InferenceContext {
    /// Refuses a value of `axis` that the first input does not have.
    func checkAxis(default value: Int) throws {
        if let rank = rank(0) { _ = try axis(node.int("axis", default: value), rank: rank, "attribute 'axis'") }
    }
}

extension PreparationContext {
    /// The first input around the axis that the attribute `axis` names.
    func axisLayout(default value: Int) throws -> AxisLayout {
        let shape = try input(0).shape
        return AxisLayout(
            shape, axis: try normalizedAxis(node.int("axis", default: value), rank: shape.count, "attribute 'axis'"))
    }
}
