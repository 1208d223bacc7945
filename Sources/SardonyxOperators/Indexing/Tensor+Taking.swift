import Glibc
import SardonyxGraph

extension Tensor {
    /// The slices at `indices` along `axis`, in that order, for operators whose sizes depend on data.
    /// - Precondition: the indices are places on the axis.
    func taking(_ indices: [Int], axis: Int, in environment: any EvaluationEnvironment) throws -> Tensor {
        var shape = self.shape
        let extent = shape[axis]
        shape[axis] = indices.count
        // Beside the zero an extent may be of any size.
        if shape.contains(0) {
            return dataType == .string ? Tensor(shape: shape, strings: []) : try environment.allocate(dataType, shape)
        }
        let outer = shape[..<axis].reduce(1, *)
        let inner = shape[(axis + 1)...].reduce(1, *)
        if dataType == .string {
            var strings: [String] = []
            strings.reserveCapacity(outer * indices.count * inner)
            for a in 0..<outer {
                for index in indices {
                    let start = (a * extent + index) * inner
                    strings += self.strings[start..<(start + inner)]
                }
            }
            return Tensor(shape: shape, strings: strings)
        }
        var result = try environment.allocate(dataType, shape)
        let row = inner * dataType.byteCount
        try result.withUnsafeMutableBytes { to in
            withUnsafeBytes { from in
                guard var target = to.baseAddress, let source = from.baseAddress, row > 0 else { return }
                for a in 0..<outer {
                    for index in indices {
                        memcpy(target, source + (a * extent + index) * row, row)
                        target += row
                    }
                }
            }
        }
        return result
    }
}
