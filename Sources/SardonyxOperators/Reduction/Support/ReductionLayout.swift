import SardonyxGraph

/// A shape as runs of axes that are reduced or kept: neighbours of one kind are merged, axes of extent 1 left out.
struct ReductionLayout: Sendable {
    struct Run: Sendable {
        var extent: Int
        let isReduced: Bool
        /// In elements, of the whole input.
        var stride: Int
    }

    private(set) var runs: [Run] = []
    let outputCount: Int
    /// Elements that make one output element.
    let reducedCount: Int

    init(_ shape: [Int], reducing axes: Set<Int>) {
        outputCount = shape.indices.filter { !axes.contains($0) }.map { shape[$0] }.elementCount
        reducedCount = shape.indices.filter(axes.contains).map { shape[$0] }.elementCount
        let strides = shape.rowMajorStrides
        for axis in shape.indices where shape[axis] != 1 {
            let isReduced = axes.contains(axis)
            if let last = runs.last, last.isReduced == isReduced {
                runs[runs.count - 1].extent = last.extent * shape[axis]
                runs[runs.count - 1].stride = strides[axis]
            } else {
                runs.append(Run(extent: shape[axis], isReduced: isReduced, stride: strides[axis]))
            }
        }
    }

    var reduced: [Run] { runs.filter(\.isReduced) }
    var kept: [Run] { runs.filter { !$0.isReduced } }

    /// The input as [outer, axis, inner] with `axis` reduced, when at most one run is reduced.
    var middle: (outer: Int, axis: Int, inner: Int)? {
        guard reduced.count <= 1 else { return nil }
        guard let position = runs.firstIndex(where: \.isReduced) else { return (1, reducedCount, outputCount) }
        return (
            runs[..<position].map(\.extent).elementCount, runs[position].extent,
            runs[(position + 1)...].map(\.extent).elementCount
        )
    }
}

extension [ReductionLayout.Run] {
    /// Calls `body` with the offset of every position of these runs within a range, outermost first.
    @inline(__always)
    func forEachOffset(in range: Range<Int>, _ body: (_ position: Int, _ offset: Int) -> Void) {
        guard count > 0, !range.isEmpty else {
            for position in range { body(position, 0) }
            return
        }
        withUnsafeTemporaryAllocation(of: Int.self, capacity: count) { index in
            var rest = range.lowerBound
            var offset = 0
            for axis in indices.reversed() {
                index[axis] = rest % self[axis].extent
                rest /= self[axis].extent
                offset += index[axis] * self[axis].stride
            }
            for position in range {
                body(position, offset)
                var axis = count - 1
                index[axis] += 1
                offset += self[axis].stride
                while axis > 0, index[axis] == self[axis].extent {
                    offset -= index[axis] * self[axis].stride
                    index[axis] = 0
                    axis -= 1
                    index[axis] += 1
                    offset += self[axis].stride
                }
            }
        }
    }
}
