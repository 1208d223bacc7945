import SardonyxGraph

/// Reads a plane of any number of axes between its elements, by multilinear interpolation; outside it is 0.
struct LinearSampler: Sendable {
    private let extents: [Int]
    private let strides: [Int]

    init(_ extents: [Int]) {
        self.extents = extents
        strides = extents.rowMajorStrides
    }

    @inline(__always)
    func sample<T: Real>(_ plane: UnsafePointer<T>, _ point: UnsafePointer<T.Wide>) -> T.Wide {
        var sum = T.Wide.zero
        for corner in 0..<(1 << extents.count) {
            var weight: T.Wide = 1
            var position = 0
            var isInside = true
            for axis in extents.indices {
                let low = point[axis].rounded(.down)
                let isUpper = corner >> axis & 1 == 1
                let coordinate = isUpper ? low + 1 : low
                // Also false for a NaN.
                guard coordinate >= 0, coordinate < T.Wide(extents[axis]) else {
                    isInside = false
                    break
                }
                let fraction = point[axis] - low
                weight *= isUpper ? fraction : 1 - fraction
                position += Int(coordinate) * strides[axis]
            }
            if isInside && weight != 0 { sum += weight * plane[position].wide }
        }
        return sum
    }
}
