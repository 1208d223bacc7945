import CKernels
import SardonyxGraph

extension Kernel {
    /// A kernel that runs `body` once for every chunk on the pool's threads, with the worker's number below `workers`.
    ///
    /// Chunks must be cut by shape alone, so that results do not depend on the number of threads.
    public static func parallel(
        chunks: Int, _ body: @escaping @Sendable (_ frame: Frame, _ chunk: Int, _ worker: Int) -> Void
    ) -> Kernel {
        let loop = ParallelLoop(chunks: chunks, body: body)
        return Kernel { loop.run($0) }
    }

    /// The same over ranges of at most `grain` elements.
    public static func parallel(
        count: Int, grain: Int, _ body: @escaping @Sendable (_ frame: Frame, _ range: Range<Int>) -> Void
    ) -> Kernel {
        let loop = ParallelLoop(count: count, grain: grain, body: body)
        return Kernel { loop.run($0) }
    }
}

/// A loop whose turns may run on several threads; made in `prepare`, so that a run allocates nothing.
struct ParallelLoop: Sendable {
    private let chunks: Int
    private let body: @Sendable (Frame, Int, Int) -> Void

    init(chunks: Int, body: @escaping @Sendable (_ frame: Frame, _ chunk: Int, _ worker: Int) -> Void) {
        self.chunks = chunks
        self.body = body
    }

    init(count: Int, grain: Int, body: @escaping @Sendable (_ frame: Frame, _ range: Range<Int>) -> Void) {
        let grain = max(grain, 1)
        self.init(chunks: (count + grain - 1) / grain) { frame, chunk, _ in
            body(frame, chunk * grain..<min((chunk + 1) * grain, count))
        }
    }

    private struct Call {
        let frame: Frame
        let body: @Sendable (Frame, Int, Int) -> Void
    }

    func run(_ frame: Frame) {
        withUnsafePointer(to: Call(frame: frame, body: body)) { call in
            // SAFETY: `call` outlives the loop, which returns when all chunks are done.
            sdx_parallel_for(
                frame.pool, Int64(chunks),
                { context, chunk, worker in
                    let call = context.unsafelyUnwrapped.assumingMemoryBound(to: Call.self)
                    call.pointee.body(call.pointee.frame, Int(chunk), Int(worker))
                }, UnsafeMutableRawPointer(mutating: call))
        }
    }
}
