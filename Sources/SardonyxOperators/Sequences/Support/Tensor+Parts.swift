import SardonyxGraph

// A tensor seen along one axis: the axes before it are `outer` rows of `extent` times `inner` elements.
extension Tensor {
    private func extents(around axis: Int) -> (outer: Int, inner: Int) {
        (shape[..<axis].reduce(1, *), shape[(axis + 1)...].reduce(1, *))
    }

    /// x[…, range, …] along an axis.
    func part(_ range: Range<Int>, axis: Int, in environment: any EvaluationEnvironment) throws -> Tensor {
        let (outer, inner) = extents(around: axis)
        var partShape = shape
        partShape[axis] = range.count
        if dataType == .string {
            let row = shape[axis] * inner
            let strings = (0..<outer).flatMap {
                self.strings[$0 * row + range.lowerBound * inner..<$0 * row + range.upperBound * inner]
            }
            return Tensor(shape: partShape, strings: strings)
        }
        let source = try aligned()
        let result = try environment.allocate(dataType, partShape)
        let copy = try StridedCopy(
            shape: [outer, range.count * inner], from: [shape[axis] * inner, 1], elementSize: dataType.byteCount,
            sourceOffset: range.lowerBound * inner)
        withExtendedLifetime(source) {
            copy.run(source.storage.base, result.storage.base, pool: environment.pool)
        }
        return result
    }

    /// Tensors one after the other along an axis.
    /// - Throws: `SardonyxError` (`invalidValue`) when there is none, or when they differ in type or along other axes.
    static func joined(
        _ parts: [Tensor], axis: Int, in environment: any EvaluationEnvironment
    ) throws -> Tensor {
        guard let first = parts.first else {
            throw SardonyxError(.invalidValue, "there is no tensor to concatenate: the sequence is empty")
        }
        var shape = first.shape
        var total = 0
        for part in parts {
            shape[axis] = part.shape.count == shape.count ? part.shape[axis] : 0
            guard part.dataType == first.dataType, part.shape == shape else {
                throw SardonyxError(
                    .invalidValue,
                    "\(first.spec.text) and \(part.spec.text) cannot be concatenated along axis \(axis)")
            }
            let (sum, overflow) = total.addingReportingOverflow(part.shape[axis])
            if overflow { throw SardonyxError(.invalidValue, "the concatenated extent overflows") }
            total = sum
        }
        shape[axis] = total
        let (outer, inner) = first.extents(around: axis)
        if first.dataType == .string {
            let strings = (0..<outer).flatMap { row in
                parts.flatMap { part in
                    let length = part.shape[axis] * inner
                    return part.strings[row * length..<(row + 1) * length]
                }
            }
            return Tensor(shape: shape, strings: strings)
        }
        let result = try environment.allocate(first.dataType, shape)
        var begin = 0
        for part in parts {
            let source = try part.aligned()
            let length = part.shape[axis] * inner
            let copy = try StridedCopy(
                shape: [outer, length], from: [length, 1], to: [total * inner, 1],
                elementSize: first.dataType.byteCount, targetOffset: begin)
            withExtendedLifetime(source) {
                copy.run(source.storage.base, result.storage.base, pool: environment.pool)
            }
            begin += length
        }
        return result
    }
}
