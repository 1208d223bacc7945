import SardonyxExecution

/// The most bytes that a run may hold: the caller's budget, or all that the machine has.
struct MemoryLimit: Sendable {
    private let budget: Int?
    private var byteCount: Int { min(budget ?? .max, MachineMemory.byteCount) }

    /// - Parameter budget: in bytes; `nil` for as much as there is.
    init(budget: Int? = nil) { self.budget = budget }

    /// - Parameter what: what takes the memory, as a clause.
    /// - Throws: `PipelineFailure` `.overBudget` with the figures.
    func check(_ bytes: Int, _ what: String) throws {
        if bytes <= byteCount { return }
        let isBudget = byteCount == budget
        throw PipelineFailure(
            .overBudget,
            "the run would hold \(Megabytes.text(bytes)) (\(what)), the \(isBudget ? "budget is" : "machine has") "
                + "\(Megabytes.text(byteCount)): smaller tiles or batches, or a coarser spacing, take less")
    }
}

/// Bytes for people.
package enum Megabytes {
    /// "512 MB": of 1,048,576 bytes, rounded up; "1000 bytes" below one.
    package static func text(_ bytes: Int) -> String {
        bytes < 1 << 20 ? "\(bytes) bytes" : "\(bytes >> 20 + (bytes & (1 << 20 - 1) > 0 ? 1 : 0)) MB"
    }
}
