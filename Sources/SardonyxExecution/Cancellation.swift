import SardonyxGraph
import Synchronization

/// A flag that ends a run at the next step, and how often the run's loops have gone round.
package final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)
    private let iterations = Atomic<Int>(0)

    package init() {}
    package func cancel() { flag.store(true, ordering: .relaxed) }
    package var isCancelled: Bool { flag.load(ordering: .relaxed) }

    package func check() throws(SardonyxError) {
        if isCancelled { throw SardonyxError(.cancelled, "the run was cancelled") }
    }

    /// Counts an iteration of a loop, whichever of the run's loops it is of.
    package func beginIteration(limit: Int) throws(SardonyxError) {
        try check()
        guard iterations.wrappingAdd(1, ordering: .relaxed).newValue <= limit else {
            throw SardonyxError(
                .invalidValue,
                "the loop goes on after \(limit) iterations, those of the run's other loops included; the session's limit "
                    + "allows no more")
        }
    }
}
