import CKernels
import SardonyxExecution

/// Blocks of values in one order out of blocks in another.
enum Strided {
    /// to[Σ i · toStep] = from[Σ i · step] for i in 0 ..< count along x, y, z.
    ///
    /// SAFETY: the caller's places lie in both blocks, and no two of them are one.
    static func copy<Scalar: BitwiseCopyable>(
        _ from: UnsafePointer<Scalar>, _ step: SIMD3<Int>, _ to: UnsafeMutablePointer<Scalar>, _ toStep: SIMD3<Int>,
        _ count: SIMD3<Int>, _ pool: WorkerPool
    ) {
        // The kernel transposes well when the target's smallest step is the last.
        let order = [0, 1, 2].sorted { abs(toStep[$0]) > abs(toStep[$1]) }
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: 9) { numbers in
            for (index, axis) in order.enumerated() {
                numbers[index] = Int64(step[axis])
                numbers[3 + index] = Int64(toStep[axis])
                numbers[6 + index] = Int64(count[axis])
            }
            let base = numbers.baseAddress!
            sdx_copy_strided(
                pool.pointer, Int32(MemoryLayout<Scalar>.stride), from, base, to, base + 3, base + 6, 3)
        }
    }
}
