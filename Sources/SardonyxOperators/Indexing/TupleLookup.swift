import SardonyxGraph

/// Where the tuples of `GatherND` and `ScatterND` lead: each index tensor row [i₀, …, iₖ₋₁] names a slice of the data.
struct TupleLookup: Sendable {
    let batches: Int
    /// Tuples in each batch.
    let tuples: Int
    /// Elements of the data in each batch.
    let batchStride: Int
    /// Elements of a slice.
    let slice: Int
    private let axes: [(extent: Int, stride: Int)]

    init(data: [Int], indices: [Int], batchAxes: Int = 0) {
        let width = indices[indices.count - 1]
        let strides = data.rowMajorStrides
        batches = data[..<batchAxes].reduce(1, *)
        batchStride = data[batchAxes...].reduce(1, *)
        tuples = indices[batchAxes..<(indices.count - 1)].reduce(1, *)
        slice = data[(batchAxes + width)...].reduce(1, *)
        axes = (batchAxes..<(batchAxes + width)).map { (extent: data[$0], stride: strides[$0]) }
    }

    /// The first element of the slice that tuple `tuple` of `batch` names.
    @inline(__always)
    func place(_ indices: UnsafePointer<Int64>, _ batch: Int, _ tuple: Int) throws(SardonyxError) -> Int {
        let row = indices + (batch * tuples + tuple) * axes.count
        var place = batch * batchStride
        for k in axes.indices { place += try checkedIndex(Int(row[k]), axes[k].extent) * axes[k].stride }
        return place
    }
}

extension InferenceContext {
    /// How many axes each tuple of `indices` names, when that is known.
    /// - Throws: when it is more than the data has after its batch axes.
    func tupleWidth(_ input: Int, data: Int, batchAxes: Int = 0) throws -> Int? {
        try requireRank(data, max(1, batchAxes + 1)...Int.max, "data")
        try requireRank(input, max(1, batchAxes + 1)...Int.max, "indices")
        guard let width = shape(input)?.last?.value else { return nil }
        if let rank = rank(data), width > rank - batchAxes {
            throw SardonyxError(
                .invalidModel, "the last axis of indices is \(width); the data has \(rank - batchAxes) axes to name")
        }
        return width
    }
}
