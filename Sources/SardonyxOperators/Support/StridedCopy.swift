import CKernels
import SardonyxGraph

/// target[Σ iₖ·to[k]] = source[Σ iₖ·from[k]] for all i in a box: how operators move elements, whatever their type.
struct StridedCopy: Sendable {
    private var extents: [Int64] = []
    private var sourceStrides: [Int64] = []
    private var targetStrides: [Int64] = []
    /// In bytes.
    private let sourceOffset: Int
    private let targetOffset: Int
    private let elementSize: Int32
    private let count: Int

    /// - Parameters:
    ///   - shape: the box.
    ///   - from: strides of the source in elements, 0 to repeat, negative to reverse.
    ///   - to: strides of the target in elements; no two elements of the box may share a place.
    ///   - elementSize: 1, 2, 4, 8 or 16 bytes.
    ///   - sourceOffset: where the box begins in the source, in elements.
    init(
        shape: [Int], from: [Int], to: [Int], elementSize: Int, sourceOffset: Int = 0, targetOffset: Int = 0
    ) throws(SardonyxError) {
        self.elementSize = Int32(elementSize)
        self.sourceOffset = sourceOffset * elementSize
        self.targetOffset = targetOffset * elementSize
        count = shape.elementCount
        if count > 0 {
            for axis in shape.indices where shape[axis] != 1 {
                if let last = extents.last, Int64(from[axis] * shape[axis]) == sourceStrides.last,
                    Int64(to[axis] * shape[axis]) == targetStrides.last
                {
                    extents[extents.count - 1] = last * Int64(shape[axis])
                    sourceStrides[extents.count - 1] = Int64(from[axis])
                    targetStrides[extents.count - 1] = Int64(to[axis])
                } else {
                    extents.append(Int64(shape[axis]))
                    sourceStrides.append(Int64(from[axis]))
                    targetStrides.append(Int64(to[axis]))
                }
            }
        }
        guard extents.count <= 32 else {
            throw SardonyxError(.unsupported, "moving elements along \(extents.count) axes at once is not supported")
        }
        if extents.isEmpty { (extents, sourceStrides, targetStrides) = ([1], [1], [1]) }
    }

    /// Into a dense row-major target.
    init(shape: [Int], from: [Int], elementSize: Int, sourceOffset: Int = 0) throws(SardonyxError) {
        try self.init(
            shape: shape, from: from, to: shape.rowMajorStrides, elementSize: elementSize, sourceOffset: sourceOffset)
    }

    func run(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, pool: OpaquePointer?) {
        if count == 0 { return }
        extents.withUnsafeBufferPointer { extents in
            sourceStrides.withUnsafeBufferPointer { sourceStrides in
                targetStrides.withUnsafeBufferPointer { targetStrides in
                    // SAFETY: the arrays are never empty; the caller's memory covers the box.
                    sdx_copy_strided(
                        pool, elementSize, source + sourceOffset, sourceStrides.baseAddress.unsafelyUnwrapped,
                        target + targetOffset, targetStrides.baseAddress.unsafelyUnwrapped,
                        extents.baseAddress.unsafelyUnwrapped, Int32(extents.count))
                }
            }
        }
    }

    /// A kernel that does only this copy, from input 0 to output 0; a view when all of the input stays in place.
    func kernel(inputCount: Int) -> Kernel {
        if count == inputCount, sourceOffset == 0, targetOffset == 0, extents.count == 1,
            extents[0] == 1 || sourceStrides[0] == 1 && targetStrides[0] == 1
        {
            return .view
        }
        let copy = self
        return Kernel { frame in
            copy.run(frame.input(0, as: UInt8.self), frame.output(0, as: UInt8.self), pool: frame.pool)
        }
    }
}

extension Array where Element == Int {
    /// Row-major strides of this shape as it broadcasts to another: 0 along the axes that repeat.
    func broadcastStrides(to shape: [Int]) -> [Int] {
        let added = shape.count - count
        let strides = rowMajorStrides
        return shape.indices.map { axis in
            axis < added || self[axis - added] == 1 ? 0 : strides[axis - added]
        }
    }
}
