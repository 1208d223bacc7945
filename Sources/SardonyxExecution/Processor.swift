import CKernels

/// The processor that kernels run on.
package enum Processor {
    /// The instruction set that kernels use here: `avx512`, say.
    package static var instructionSet: String { String(cString: sdx_isa_name(sdx_isa_current())) }

    /// What this many threads can do at most, in GFLOP/s, two a multiply-add: one thread's best during `seconds`, for
    /// as many as there are CPUs for.
    package static func peakGigaflops(threads: Int, seconds: Double) -> Double {
        sdx_peak_gflops(seconds) * Double(max(1, min(threads, WorkerPool.availableThreads)))
    }
}
