import Synchronization

/// A constant's identity among all plans of a session.
package struct ConstantID: Sendable, Hashable {
    fileprivate let number: Int
}

/// Weights in the layout that a kernel wants, packed once and shared by the plans that need them.
///
/// The kernels keep packed weights alive, not this table: when the last plan with them goes, so do they.
package final class PackedWeights: Sendable {
    private struct Key: Hashable {
        let constant: ConstantID
        let layout: String
        let byteCount: Int
    }
    private struct Job {
        let source: Tensor
        /// nil once no kernel wants it any more, since a plan failed.
        weak var storage: TensorStorage?
        let takesUnaligned: Bool
        let fill: Fill

        func run() throws {
            guard let storage else { return }
            storage.populate()
            let aligned = takesUnaligned ? source : try source.aligned(for: .lasting)
            try withExtendedLifetime(aligned) { try fill(aligned.storage.base, storage.base) }
            source.storage.releasePages()
        }
    }
    private struct Packed {
        weak var storage: TensorStorage?
    }
    private struct Other {
        weak var object: (any AnyObject & Sendable)?
    }
    private struct Source {
        weak var storage: TensorStorage?
        let id: ConstantID
    }
    private struct State {
        var packed: [Key: Packed] = [:]
        var jobs: [Job] = []
        var sources: [ObjectIdentifier: Source] = [:]
        var derived: [AttributesKey: Other] = [:]
        var nextNumber = 0
        /// The number of jobs at which those that nobody waits for are thrown out.
        var sweepJobsAt = 64
        /// The number of entries at which those whose storage has gone are thrown out.
        var sweepAt = 1024

        /// Plans that are looked at and not made leave jobs behind, which keep what they would pack.
        mutating func append(_ job: Job) {
            if jobs.count >= sweepJobsAt {
                jobs.removeAll { $0.storage == nil }
                sweepJobsAt = max(64, 2 * jobs.count)
            }
            jobs.append(job)
        }

        mutating func sweep() {
            guard packed.count + sources.count >= sweepAt else { return }
            packed = packed.filter { $0.value.storage != nil }
            sources = sources.filter { $0.value.storage != nil }
            sweepAt = max(1024, 2 * (packed.count + sources.count))
        }
    }
    /// Gets the source, aligned unless it said that it takes any address, and writes all bytes of the packed form.
    package typealias Fill = @Sendable (_ source: UnsafeRawPointer, _ packed: UnsafeMutableRawPointer) throws -> Void

    func found(_ key: AttributesKey) -> (any AnyObject & Sendable)? { state.withLock { $0.derived[key]?.object } }

    func note(_ object: any AnyObject & Sendable, _ key: AttributesKey) {
        state.withLock { state in
            state.derived = state.derived.filter { $0.value.object != nil }
            state.derived[key] = Other(object: object)
        }
    }

    private let state = Mutex(State())
    /// Held while jobs run, so that whoever comes meanwhile waits for them.
    private let running = Mutex(())
    private let isDeferred: Bool

    /// - Parameter isDeferred: whether packing waits for `packAll`, which does it on several threads.
    package init(isDeferred: Bool = false) { self.isDeferred = isDeferred }

    /// The identity of a constant: tensors that share memory are the same.
    package func identify(_ tensor: Tensor) -> ConstantID {
        state.withLock { state in
            let object = ObjectIdentifier(tensor.storage)
            // Storage that has gone may have left its address to another one.
            if let source = state.sources[object], source.storage != nil { return source.id }
            state.sweep()
            let id = ConstantID(number: state.nextNumber)
            state.nextNumber += 1
            state.sources[object] = Source(storage: tensor.storage, id: id)
            return id
        }
    }

    /// The packed form of a constant. `layout` names everything that the bytes depend on besides the constant.
    /// - Parameters:
    ///   - source: what is packed; the pages that it has in a mapped file are let go, so that it is not held twice.
    ///   - takesUnaligned: whether `fill` reads elements at any address.
    package func pack(
        _ constant: ConstantID?, _ source: Tensor, layout: String, byteCount: Int, takesUnaligned: Bool = false,
        fill: @escaping Fill
    ) throws -> TensorStorage {
        let key = constant.map { Key(constant: $0, layout: layout, byteCount: byteCount) }
        if let key, let storage = state.withLock({ $0.packed[key]?.storage }) { return storage }
        let storage = try TensorStorage(byteCount: byteCount, for: .lasting)
        let job = Job(source: source, storage: storage, takesUnaligned: takesUnaligned, fill: fill)
        if !isDeferred { try job.run() }
        return state.withLock { state in
            if let key {
                if let first = state.packed[key]?.storage { return first }
                state.packed[key] = Packed(storage: storage)
            }
            if isDeferred { state.append(job) }
            return storage
        }
    }

    /// A constant at an aligned address: itself, or a copy that all plans share.
    package func aligned(_ constant: Tensor) throws -> Tensor {
        if constant.isAligned { return constant }
        let key = alignedKey(constant)
        if let storage = state.withLock({ $0.packed[key]?.storage }) { return constant.with(storage) }
        let copy = try constant.aligned(for: .lasting)
        // A caller may get it as a result, and the next session finds it here.
        copy.storage.seal()
        constant.storage.releasePages()
        return state.withLock { state in
            if let first = state.packed[key]?.storage { return constant.with(first) }
            state.packed[key] = Packed(storage: copy.storage)
            return copy
        }
    }

    /// The copy of a constant that `aligned` has made and that is still there.
    package func alignedCopy(of constant: Tensor) -> TensorStorage? {
        let key = alignedKey(constant)
        return state.withLock { $0.packed[key]?.storage }
    }

    private func alignedKey(_ constant: Tensor) -> Key {
        Key(constant: identify(constant), layout: "aligned", byteCount: constant.byteCount)
    }

    /// Does the packing that was deferred, also what other threads have deferred by now; kernels may run afterwards.
    /// - Parameter parallel: calls a body for every number below a count, on any threads.
    /// - Throws: what a job throws; it stays to be done, so that whoever shares the weights meets the error too.
    package func packAll(_ parallel: (_ count: Int, _ body: @escaping @Sendable (Int) -> Void) -> Void) throws {
        try running.withLock { _ in
            // The largest first, so that the threads end at about the same time.
            let jobs = state.withLock { state in
                defer { state.jobs = [] }
                return state.jobs.sorted { ($0.storage?.byteCount ?? 0) > ($1.storage?.byteCount ?? 0) }
            }
            if jobs.isEmpty { return }
            let failure = Failure()
            parallel(jobs.count) { number in
                do { try jobs[number].run() } catch {
                    self.state.withLock { $0.jobs.append(jobs[number]) }
                    failure.error.withLock { $0 = error }
                }
            }
            releaseFiles(of: jobs)
            if let error = failure.error.withLock({ $0 }) { throw error }
        }
    }

    /// Pages around a tensor come with it when it is read, and stay when its own are let go.
    private func releaseFiles(of jobs: [Job]) {
        var released = Set<ObjectIdentifier>()
        for job in jobs {
            guard let owner = job.source.storage.mappedOwner, released.insert(ObjectIdentifier(owner)).inserted else {
                continue
            }
            owner.releaseAllPages()
        }
    }

    private final class Failure: Sendable {
        let error = Mutex<(any Error)?>(nil)
    }
}
