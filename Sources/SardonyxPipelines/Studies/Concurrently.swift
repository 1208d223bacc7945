import Dispatch
import Synchronization

/// Does independent pieces of work at once and waits for all of them.
///
/// - Throws: the first piece's error that has one.
func concurrently(_ pieces: [() throws -> Void]) throws {
    // Each piece is called once, on one thread, and all are done before this returns.
    struct Unchecked: @unchecked Sendable {
        let pieces: [() throws -> Void]
    }
    let work = Unchecked(pieces: pieces)
    let failures = Mutex<[(Int, any Error)]>([])
    DispatchQueue.concurrentPerform(iterations: pieces.count) { index in
        do { try work.pieces[index]() } catch { failures.withLock { $0.append((index, error)) } }
    }
    if let first = failures.withLock({ $0.min { $0.0 < $1.0 } }) { throw first.1 }
}
