import CKernels
import SardonyxGraph

/// Threads that run kernels' chunks.
package final class WorkerPool: @unchecked Sendable {
    package let pointer: OpaquePointer?
    private let isOwned: Bool

    private init(_ pointer: OpaquePointer?, isOwned: Bool) {
        self.pointer = pointer
        self.isOwned = isOwned
    }

    deinit {
        if isOwned { sdx_pool_destroy(pointer) }
    }

    /// The process's pool, with a thread for every CPU that the process may use.
    package static let shared = WorkerPool(sdx_pool_shared(), isOwned: false)

    /// The CPUs that this process may use.
    package static var availableThreads: Int { Int(sdx_cpus_allowed()) }

    /// A pool of this many threads, the caller's among them.
    package static func make(threads: Int) throws(SardonyxError) -> WorkerPool {
        if threads == 1 { return WorkerPool(nil, isOwned: false) }
        guard threads > 0, threads <= Int(SDX_POOL_MAX_THREADS), let pointer = sdx_pool_create(Int32(threads)) else {
            throw SardonyxError(
                .invalidOption, "cannot have \(threads) threads; 1 to \(SDX_POOL_MAX_THREADS) are possible")
        }
        return WorkerPool(pointer, isOwned: true)
    }

    /// Calls `body` for every number below `count`, on the pool's threads.
    package func forEach(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        // SAFETY: the context outlives the call, which returns when all numbers are done.
        withUnsafePointer(to: body) { body in
            sdx_parallel_for(
                pointer, Int64(count),
                { context, number, _ in
                    context.unsafelyUnwrapped.assumingMemoryBound(to: (@Sendable (Int) -> Void).self)
                        .pointee(Int(number))
                }, UnsafeMutableRawPointer(mutating: body))
        }
    }

    package var threads: Int { pointer.map { Int(sdx_pool_threads($0)) } ?? 1 }
}
