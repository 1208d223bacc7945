import SardonyxGraph

extension Tensor {
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
        let (outer, inner) = (shape[..<axis].reduce(1, *), shape[(axis + 1)...].reduce(1, *))
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
