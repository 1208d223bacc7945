import Glibc
import Synchronization

/// Bytes that a session holds: tensors that it makes while it runs, and weights and constants that its plans share.
///
/// While a thread is inside `whileCurrent`, every `TensorStorage` that it makes is charged here until it goes.
package final class MemoryAccount: Sendable {
    private struct State {
        var held = 0
        var peak = 0
        /// How many hold each of the shared storages.
        var holders: [ObjectIdentifier: Int] = [:]

        mutating func add(_ bytes: Int) {
            held += bytes
            peak = max(peak, held)
        }

        mutating func hold(_ storages: [TensorStorage]) {
            for storage in storages {
                let count = holders[ObjectIdentifier(storage), default: 0]
                if count == 0 { add(storage.byteCount) }
                holders[ObjectIdentifier(storage)] = count + 1
            }
        }

        func addition(_ storages: [TensorStorage]) -> Int {
            var seen = Set<ObjectIdentifier>()
            return storages.reduce(0) { sum, storage in
                let id = ObjectIdentifier(storage)
                return holders[id] == nil && seen.insert(id).inserted ? sum + storage.byteCount : sum
            }
        }
    }

    /// The most bytes that may be held at once; nil is as many as the machine gives.
    package let limit: Int?
    /// What the storages made here are charged to as well.
    private let parent: MemoryAccount?
    private let state = Mutex(State())

    package init(limit: Int? = nil, within parent: MemoryAccount? = nil) {
        self.limit = limit
        self.parent = parent
    }

    /// Bytes held now.
    package var held: Int { state.withLock(\.held) }
    /// The most bytes that were held at once.
    package var peak: Int { state.withLock(\.peak) }

    /// - Throws: `SardonyxError` (`memory`) where the limit would be passed.
    func charge(_ bytes: Int) throws(SardonyxError) {
        let refused = state.withLock { state -> Int? in
            let (sum, overflow) = state.held.addingReportingOverflow(bytes)
            if overflow || sum > limit ?? Int.max { return state.held }
            state.add(bytes)
            return nil
        }
        if let refused { throw tooMuch(bytes, held: refused) }
        do { try parent?.charge(bytes) } catch {
            state.withLock { $0.held -= bytes }
            throw error
        }
    }

    func release(_ bytes: Int) {
        state.withLock { $0.held -= bytes }
        parent?.release(bytes)
    }

    private func tooMuch(_ bytes: Int, held: Int) -> SardonyxError {
        SardonyxError(
            .memory,
            "\(bytes) bytes more are needed; \(held) are in use, of the memory budget of \(limit ?? Int.max) bytes")
    }

    // MARK: Shared storages

    /// Bytes that holding these storages would add; those that are held already add none.
    package func addition(_ storages: [TensorStorage]) -> Int { state.withLock { $0.addition(storages) } }

    /// Counts storages, each once however many hold it, for as long as the result lives.
    /// - Throws: `SardonyxError` (`memory`) where the limit would be passed.
    package func hold(_ storages: [TensorStorage]) throws(SardonyxError) -> Hold {
        let refused = state.withLock { state -> (added: Int, held: Int)? in
            let added = state.addition(storages)
            if added > 0, state.held + added > limit ?? Int.max { return (added, state.held) }
            state.hold(storages)
            return nil
        }
        if let refused { throw tooMuch(refused.added, held: refused.held) }
        return Hold(self, storages)
    }

    /// The same for what is there already, whatever the limit.
    package func holdAnyway(_ storages: [TensorStorage]) -> Hold {
        state.withLock { $0.hold(storages) }
        return Hold(self, storages)
    }

    /// Storages that are counted while this exists.
    package final class Hold: Sendable {
        private let account: MemoryAccount
        private let storages: [TensorStorage]

        fileprivate init(_ account: MemoryAccount, _ storages: [TensorStorage]) {
            self.account = account
            self.storages = storages
        }

        deinit {
            account.state.withLock { state in
                for storage in storages {
                    let holders = state.holders[ObjectIdentifier(storage), default: 1]
                    if holders == 1 { state.held -= storage.byteCount }
                    state.holders[ObjectIdentifier(storage)] = holders == 1 ? nil : holders - 1
                }
            }
        }
    }

    // MARK: The thread's account

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let status = pthread_key_create(&key, nil)
        precondition(status == 0, "a process has room for a thread-specific key")
        return key
    }()

    /// The account that the thread's tensors are charged to.
    static var current: MemoryAccount? {
        // SAFETY: `whileCurrent` keeps the account alive for as long as the thread's key points to it.
        pthread_getspecific(key).map { Unmanaged<MemoryAccount>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Charges the tensors that the body makes on this thread.
    package func whileCurrent<R>(_ body: () throws -> R) rethrows -> R { try Self.during(self, body) }

    /// Charges nobody: plans and packed weights are counted by those who hold them.
    package static func whileNone<R>(_ body: () throws -> R) rethrows -> R { try during(nil, body) }

    private static func during<R>(_ account: MemoryAccount?, _ body: () throws -> R) rethrows -> R {
        let outer = pthread_getspecific(key)
        return try withExtendedLifetime(account) {
            pthread_setspecific(key, account.map { Unmanaged.passUnretained($0).toOpaque() })
            defer { pthread_setspecific(key, outer) }
            return try body()
        }
    }
}
