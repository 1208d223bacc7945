import SardonyxExecution
import Synchronization

/// Does independent pieces of work on a pool's threads and waits for all of them.
///
/// - Throws: the first piece's error that has one.
func concurrently(_ pool: WorkerPool, _ pieces: [() throws -> Void]) throws {
    // Each piece is called once, on one thread, and all are done before this returns.
    final class Work: @unchecked Sendable {
        let pieces: [() throws -> Void]
        let failures = Mutex<[(Int, any Error)]>([])

        init(_ pieces: [() throws -> Void]) { self.pieces = pieces }
    }
    let work = Work(pieces)
    pool.forEach(pieces.count) { index in
        do { try work.pieces[index]() } catch { work.failures.withLock { $0.append((index, error)) } }
    }
    if let first = work.failures.withLock({ $0.min { $0.0 < $1.0 } }) { throw first.1 }
}
