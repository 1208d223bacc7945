import Glibc
import SardonyxGraph
import Synchronization

/// The measured choices of a session, pinned in a file.
package final class PinnedChoices: KernelChoices {
    private struct State {
        var file: ChoiceFile
        /// Measured, and not in the file yet.
        var added: [(key: ChoiceFile.Key, entry: ChoiceFile.Entry)] = []
        /// What could not be measured for want of memory: not tried again.
        var refused: Set<String> = []
        var measured = 0
        /// Whether the file was read again since measuring began.
        var isFresh = false

        func knows(_ key: ChoiceFile.Key) -> Bool {
            file.entries[key] != nil || added.contains { $0.key == key }
        }

        /// Takes over the file as it is now. Choices that plans were made by stay, should the file have lost them.
        mutating func refresh(_ file: ChoiceFile) {
            let former = self.file
            self.file = file
            self.file.complete(with: former)
        }
    }

    private let path: String
    private let account: MemoryAccount
    private let state: Mutex<State>
    /// Held while kernels are measured: two at a time would measure each other.
    private static let measuring = Mutex(())

    /// - Parameters:
    ///   - account: what measuring is charged to.
    ///   - limit: the most bytes to measure with, whatever the account allows.
    /// - Throws: `SardonyxError` for a file that cannot be read.
    package init(path: String, account: MemoryAccount, limit: Int = MachineMemory.byteCount / 2) throws {
        self.path = path
        self.account = MemoryAccount(limit: limit, within: account)
        state = Mutex(State(file: try ChoiceFile(contentsOf: path)))
    }

    /// How many questions were answered by measuring.
    package var measuredCount: Int { state.withLock(\.measured) }

    package func answer(to question: String, possible: [String]) throws -> String? {
        let key = ChoiceFile.key(question)
        let (pinned, file) = state.withLock { state in
            (state.added.first { $0.key == key }?.entry ?? state.file.entries[key], state.file)
        }
        guard let pinned else { return nil }
        guard possible.contains(pinned.chosen) else {
            throw file.error(
                "\(file.place(of: key)): algorithm '\(pinned.chosen)' cannot compute this here; possible are "
                    + possible.map { "'\($0)'" }.joined(separator: ", "))
        }
        return pinned.chosen
    }

    package func measure(_ question: String, _ measure: (_ now: () -> UInt64) throws -> MeasuredChoice) throws {
        let key = ChoiceFile.key(question)
        let (isKnown, isFresh) = state.withLock { ($0.knows(key) || $0.refused.contains(question), $0.isFresh) }
        if isKnown { return }
        if !isFresh {
            // Another session may have measured it since the file was read.
            let file = try ChoiceFile(contentsOf: path)
            let isFound = state.withLock { state in
                state.refresh(file)
                state.isFresh = true
                return state.knows(key)
            }
            if isFound { return }
        }
        do {
            let found = try account.whileCurrent { try measure(Self.now) }
            let times = found.times.map { ($0.name, JSON.number($0.nanoseconds / 1000)) }
            state.withLock { state in
                state.added.append((key, ChoiceFile.Entry(chosen: found.chosen, times: .object(times))))
                state.measured += 1
            }
        } catch let error as SardonyxError where error.code == .memory {
            state.withLock { _ = $0.refused.insert(question) }
        }
    }

    package func pinning(_ body: () throws -> Void) throws {
        try Self.measuring.withLock { _ in
            state.withLock { $0.isFresh = false }
            try body()
            let added = state.withLock(\.added)
            if added.isEmpty { return }
            let file = try ChoiceFile.merge(added, into: path)
            state.withLock { state in
                state.refresh(file)
                state.added = []
            }
        }
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
