import SardonyxGraph

/// How up to three operands are read for every element of an output that they broadcast to.
///
/// Neighbouring axes that all operands walk through alike are merged, so that most cases have one or two axes. The
/// innermost stride of each operand that broadcasts is 0 or 1.
struct Broadcast: Sendable {
    /// Merged extents; never empty.
    let shape: [Int]
    /// Strides in elements, an array an operand; 0 where the operand repeats.
    let strides: [[Int]]
    let count: Int

    /// - Precondition: every shape broadcasts to `output`.
    init(_ operands: [[Int]], to output: [Int]) {
        count = output.elementCount
        var shape: [Int] = []
        var strides = [[Int]](repeating: [], count: operands.count)
        let own = operands.map { operand in
            let padding = [Int](repeating: 0, count: output.count - operand.count)
            return padding + zip(operand, operand.rowMajorStrides).map { $0 == 1 ? 0 : $1 }
        }
        for axis in output.indices where output[axis] != 1 {
            let extent = output[axis]
            let merges = !shape.isEmpty && own.indices.allSatisfy { strides[$0].last == own[$0][axis] * extent }
            if merges {
                shape[shape.count - 1] *= extent
                for operand in own.indices { strides[operand][shape.count - 1] = own[operand][axis] }
            } else {
                shape.append(extent)
                for operand in own.indices { strides[operand].append(own[operand][axis]) }
            }
        }
        if shape.isEmpty {
            shape = [1]
            strides = strides.map { _ in [0] }
        }
        self.shape = shape
        self.strides = strides
    }

    /// Operands that are read with any strides; a scalar has no extents.
    init(shape: [Int], strides: [[Int]]) {
        count = shape.elementCount
        self.shape = shape.isEmpty ? [1] : shape
        self.strides = strides.map { shape.isEmpty ? [0] : $0 }
    }

    /// Calls `body` for every stretch of one row within a range of output positions, with the operands' offsets.
    /// Operands that are not there have the offset 0.
    @inline(__always)
    func forEachStretch(
        in range: Range<Int>, _ body: (_ output: Int, _ offsets: (Int, Int, Int), _ count: Int) -> Void
    ) {
        if range.isEmpty { return }
        let last = shape.count - 1
        let operands = strides.count
        withUnsafeTemporaryAllocation(of: Int.self, capacity: shape.count) { index in
            var offsets = (0, 0, 0)
            var rest = range.lowerBound
            for axis in stride(from: last, through: 0, by: -1) {
                index[axis] = rest % shape[axis]
                rest /= shape[axis]
                offsets.0 += index[axis] * strides[0][axis]
                if operands > 1 { offsets.1 += index[axis] * strides[1][axis] }
                if operands > 2 { offsets.2 += index[axis] * strides[2][axis] }
            }
            var position = range.lowerBound
            while position < range.upperBound {
                let count = min(shape[last] - index[last], range.upperBound - position)
                body(position, offsets, count)
                position += count
                index[last] += count
                advance(&offsets, axis: last, by: count)
                var axis = last
                while axis > 0, index[axis] == shape[axis] {
                    advance(&offsets, axis: axis, by: -index[axis])
                    index[axis] = 0
                    axis -= 1
                    index[axis] += 1
                    advance(&offsets, axis: axis, by: 1)
                }
            }
        }
    }

    @inline(__always)
    private func advance(_ offsets: inout (Int, Int, Int), axis: Int, by count: Int) {
        offsets.0 += strides[0][axis] * count
        if strides.count > 1 { offsets.1 += strides[1][axis] * count }
        if strides.count > 2 { offsets.2 += strides[2][axis] * count }
    }

    /// Whether an operand's offset moves along a row.
    func moves(_ operand: Int) -> Bool { strides[operand][shape.count - 1] != 0 }
}
