import CKernels

/// Work over 0 ..< count that threads may share, written as a value so that a run allocates nothing.
///
/// Chunks are cut by the count alone, so that results do not depend on the number of threads.
protocol ChunkedWork {
    func run(_ range: Range<Int>)
}

extension ChunkedWork {
    /// Runs the work in chunks of `grain`, on the pool's threads when there is more than one chunk.
    func run(count: Int, grain: Int = 16384, on pool: OpaquePointer?) {
        if count <= grain {
            if count > 0 { run(0..<count) }
            return
        }
        withUnsafePointer(to: self) { work in
            var job = ChunkedJob(
                work: work, body: { $0.assumingMemoryBound(to: Self.self).pointee.run($1) }, count: count, grain: grain)
            let chunks = Int64((count + grain - 1) / grain)
            withUnsafeMutablePointer(to: &job) { job in
                // SAFETY: `sdx_parallel_for` returns after the last chunk, so the job outlives its uses.
                sdx_parallel_for(
                    pool, chunks,
                    { context, chunk, _ in
                        guard let context else { return }
                        context.assumingMemoryBound(to: ChunkedJob.self).pointee.run(Int(chunk))
                    }, job)
            }
        }
    }
}

/// What a chunk needs to find its work. A C callback cannot be generic: `body` is the code for the work's own type. It
/// captures nothing, so that no memory is allocated for it.
private struct ChunkedJob {
    let work: UnsafeRawPointer
    let body: (UnsafeRawPointer, Range<Int>) -> Void
    let count: Int
    let grain: Int

    func run(_ chunk: Int) {
        let start = chunk * grain
        body(work, start..<min(start + grain, count))
    }
}
