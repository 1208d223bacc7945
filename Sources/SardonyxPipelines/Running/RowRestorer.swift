import SardonyxExecution
import SardonyxImaging

/// Brings finished slices of a network's output back onto the source's voxels, one slice at a time.
final class RowRestorer {
    private let grid: WorkingGrid
    private let channels: Int
    private let pool: WorkerPool
    /// Whether slices are brought onto the source's x and y before they are mixed along z: cheaper where there are
    /// fewer.
    private let isPlaneFirst: Bool
    /// Whether slices go through as they are.
    private let isIdentity: Bool
    private let from: SIMD2<Int>
    private let to: SIMD2<Int>
    /// The last slices, each at its number modulo theirs.
    private var ring: [Float]
    private var scratch: [Float]
    private var mixed: [Float]
    private var row: [Float]
    private var next = 0

    private static func isIdentity(_ grid: WorkingGrid) -> Bool { grid.backward.allSatisfy(\.isIdentity) }

    private static func isPlaneFirst(_ grid: WorkingGrid) -> Bool {
        grid.backward[2].inputCount <= grid.backward[2].outputCount
    }

    private static func planes(_ grid: WorkingGrid) -> (from: SIMD2<Int>, to: SIMD2<Int>) {
        let (x, y) = (grid.backward[0], grid.backward[1])
        return (SIMD2(x.inputCount, y.inputCount), SIMD2(x.outputCount, y.outputCount))
    }

    /// Bytes that a restorer holds.
    static func byteCount(_ grid: WorkingGrid, channels: Int) -> Int {
        if isIdentity(grid) { return 0 }
        let (from, to) = planes(grid)
        let kept = isPlaneFirst(grid) ? to : from
        let scratch = to.x * from.y + (isPlaneFirst(grid) ? 0 : channels * from.x * from.y)
        return 4 * (grid.backward[2].taps * channels * kept.x * kept.y + scratch + channels * to.x * to.y)
    }

    init(_ grid: WorkingGrid, channels: Int, _ pool: WorkerPool) {
        self.grid = grid
        self.channels = channels
        self.pool = pool
        isPlaneFirst = RowRestorer.isPlaneFirst(grid)
        isIdentity = RowRestorer.isIdentity(grid)
        (from, to) = RowRestorer.planes(grid)
        let kept = isPlaneFirst ? to : from
        let share = isIdentity ? 0 : 1
        ring = [Float](repeating: 0, count: share * grid.backward[2].taps * channels * kept.x * kept.y)
        scratch = [Float](repeating: 0, count: share * to.x * from.y)
        mixed = [Float](repeating: 0, count: isPlaneFirst ? 0 : share * channels * from.x * from.y)
        row = [Float](repeating: 0, count: share * channels * to.x * to.y)
    }

    /// Takes slice z of the network's output, [channel][y][x]; z ascends from 0.
    ///
    /// - Parameter emit: takes each slice of the crop that is complete now, [channel][y][x].
    func take(
        _ z: Int, _ values: UnsafeMutableBufferPointer<Float>,
        emit: (_ row: Int, _ values: UnsafeMutableBufferPointer<Float>) throws -> Void
    ) throws {
        if isIdentity { return try emit(z, values) }
        let axis = grid.backward[2]
        ring.withUnsafeMutableBufferPointer { ring in
            let (size, number) = (ring.count / axis.taps, z % axis.taps)
            let slot = UnsafeMutableBufferPointer(rebasing: ring[number * size..<(number + 1) * size])
            if isPlaneFirst {
                resamplePlanes(UnsafeBufferPointer(values), into: slot)
            } else {
                _ = slot.update(fromContentsOf: values)
            }
        }
        while next < axis.outputCount, axis.first[next] + axis.taps - 1 <= z {
            mix(next)
            try row.withUnsafeMutableBufferPointer { try emit(next, $0) }
            next += 1
        }
    }

    private func resamplePlanes(_ values: UnsafeBufferPointer<Float>, into output: UnsafeMutableBufferPointer<Float>) {
        let (a, b) = (from.x * from.y, to.x * to.y)
        scratch.withUnsafeMutableBufferPointer { scratch in
            for channel in 0..<channels {
                Plane.resample(
                    UnsafeBufferPointer(rebasing: values[channel * a..<(channel + 1) * a]), width: from.x,
                    height: from.y,
                    grid.backward[0], grid.backward[1],
                    scratch: UnsafeMutableBufferPointer(rebasing: scratch[..<(to.x * from.y)]),
                    into: UnsafeMutableBufferPointer(rebasing: output[channel * b..<(channel + 1) * b]), pool)
            }
        }
    }

    private func mix(_ index: Int) {
        let axis = grid.backward[2]
        let first = axis.first[index]
        let weights = axis.weights[index * axis.taps..<(index + 1) * axis.taps]
        if isPlaneFirst {
            row.withUnsafeMutableBufferPointer { Taps.mix(ring, first: first, weights, into: $0, pool) }
            return
        }
        mixed.withUnsafeMutableBufferPointer { Taps.mix(ring, first: first, weights, into: $0, pool) }
        mixed.withUnsafeBufferPointer { values in
            row.withUnsafeMutableBufferPointer { resamplePlanes(values, into: $0) }
        }
    }
}
