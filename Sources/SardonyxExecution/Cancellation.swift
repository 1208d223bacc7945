import SardonyxGraph
import Synchronization

/// A flag that ends a run at the next step.
package final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    package init() {}
    package func cancel() { flag.store(true, ordering: .relaxed) }
    package var isCancelled: Bool { flag.load(ordering: .relaxed) }

    package func check() throws(SardonyxError) {
        if isCancelled { throw SardonyxError(.cancelled, "the run was cancelled") }
    }
}
