import SardonyxGraph

/// An element type of index tensors.
protocol IndexElement: FixedWidthInteger & Scalar {}
extension Int32: IndexElement {}
extension Int64: IndexElement {}

/// A computation that is compiled for every type of indices and every size of elements.
protocol IndexedVisitor {
    associatedtype Result
    func visit<I: IndexElement, T: BitwiseCopyable & Sendable>(_ index: I.Type, _ element: T.Type) throws -> Result
}

extension DataType {
    /// - Parameter indices: the index tensor's type, int32 or int64.
    func visitIndexed<V: IndexedVisitor>(by indices: DataType, _ visitor: V) throws -> V.Result {
        switch indices {
        case .int32: try visitElement(Fixed<V, Int32>(visitor: visitor))
        case .int64: try visitElement(Fixed<V, Int64>(visitor: visitor))
        default: throw indices.unsupported
        }
    }
}

/// A visitor whose type of indices is settled.
private struct Fixed<V: IndexedVisitor, I: IndexElement>: ElementVisitor {
    let visitor: V

    func visit<T: BitwiseCopyable & Sendable>(_ type: T.Type) throws -> V.Result {
        try visitor.visit(I.self, type)
    }
}

/// A place on an axis, from an index that may count from its end.
/// - Throws: `SardonyxError` (`invalidValue`) when it is out of range.
@inline(__always)
func checkedIndex(_ index: Int, _ extent: Int) throws(SardonyxError) -> Int {
    let place = index < 0 ? index + extent : index
    guard UInt(bitPattern: place) < UInt(bitPattern: extent) else { throw indexError(index, extent) }
    return place
}

@inline(never)
private func indexError(_ index: Int, _ extent: Int) -> SardonyxError {
    if extent == 0 { return SardonyxError(.invalidValue, "index \(index) is outside an empty axis") }
    return SardonyxError(.invalidValue, "index \(index) is outside [-\(extent), \(extent - 1)]")
}

/// Where an index tensor's elements lead: element i of the index tensor stands for the data's place at the same
/// coordinates, but for the one along `axis`, which the element gives.
struct AxisLookup: Sendable {
    /// The index tensor in rows along its last axis.
    let rows: Int
    let run: Int
    let extent: Int
    let axisStride: Int
    /// How far the place moves along a row; 0 where the row is the axis itself.
    let runStride: Int
    private let outer: [(extent: Int, stride: Int)]

    init(data: [Int], indices: [Int], axis: Int) {
        var strides = data.rowMajorStrides
        axisStride = strides[axis]
        extent = data[axis]
        strides[axis] = 0
        run = indices[indices.count - 1]
        runStride = strides[strides.count - 1]
        // Beside a zero an extent may be of any size.
        rows = run == 0 ? 0 : indices.dropLast().reduce(1, *)
        outer = zip(indices, strides).dropLast().map { (extent: $0, stride: $1) }
    }

    /// The data's place at the start of a row of indices, without what the index adds.
    @inline(__always)
    func base(_ row: Int) -> Int {
        var row = row
        var place = 0
        for axis in outer.indices.reversed() {
            let (extent, stride) = outer[axis]
            place += row % extent * stride
            row /= extent
        }
        return place
    }
}

extension InferenceContext {
    /// Refuses index tensors that reach beyond the data on an axis that is not looked up.
    func requireIndices(_ input: Int, within data: Int, axis: Int) throws {
        guard let shape = shape(data), let indices = shape.count > 0 ? self.shape(input) : nil else { return }
        guard indices.count == shape.count else {
            throw SardonyxError(
                .invalidModel, "indices must have \(shape.count) axes as the data; they have \(indices.count)")
        }
        for other in shape.indices where other != axis {
            if let extent = indices[other].value, let limit = shape[other].value, extent > limit {
                throw SardonyxError(
                    .invalidModel, "indices \(indices.text) reach beyond the data \(shape.text) on axis \(other)")
            }
        }
    }
}
