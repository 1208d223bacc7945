import Synchronization

/// The programs of a session: of the model, of its subgraphs, and of those where defaults are inputs.
final class ProgramList: Sendable {
    private struct Entry {
        weak var program: Program?
    }

    private let entries = Mutex<[Entry]>([])

    func add(_ program: Program) {
        entries.withLock { entries in
            entries.removeAll { $0.program == nil }
            entries.append(Entry(program: program))
        }
    }

    /// Lets one program's oldest plan go; false when no program has one.
    func evictPlan() -> Bool {
        // Plans hold programs, so that none may go while the list is locked.
        let programs = entries.withLock { $0.compactMap(\.program) }
        return programs.contains { $0.evictPlan() }
    }
}
