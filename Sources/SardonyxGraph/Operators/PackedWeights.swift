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
    }
    private struct Packed {
        weak var storage: TensorStorage?
    }
    private struct Source {
        weak var storage: TensorStorage?
        let id: ConstantID
    }
    private struct State {
        var packed: [Key: Packed] = [:]
        var sources: [ObjectIdentifier: Source] = [:]
        var nextNumber = 0
        /// The number of entries at which those whose storage has gone are thrown out.
        var sweepAt = 1024

        mutating func sweep() {
            guard packed.count + sources.count >= sweepAt else { return }
            packed = packed.filter { $0.value.storage != nil }
            sources = sources.filter { $0.value.storage != nil }
            sweepAt = max(1024, 2 * (packed.count + sources.count))
        }
    }
    private let state = Mutex(State())

    package init() {}

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
    ///   - fill: gets the source, aligned, and writes all `byteCount` bytes.
    package func pack(
        _ constant: ConstantID?, _ source: Tensor, layout: String, byteCount: Int,
        fill: (_ source: UnsafeRawPointer, _ packed: UnsafeMutableRawPointer) throws -> Void
    ) throws -> TensorStorage {
        let key = constant.map { Key(constant: $0, layout: layout) }
        if let key, let storage = state.withLock({ $0.packed[key]?.storage }) { return storage }
        let storage = try TensorStorage(byteCount: byteCount)
        let aligned = try source.aligned()
        try withExtendedLifetime(aligned) { try fill(aligned.storage.base, storage.base) }
        source.storage.releasePages()
        guard let key else { return storage }
        return state.withLock { state in
            if let first = state.packed[key]?.storage { return first }
            state.packed[key] = Packed(storage: storage)
            return storage
        }
    }

    package var byteCount: Int { state.withLock { $0.packed.values.reduce(0) { $0 + ($1.storage?.byteCount ?? 0) } } }
}
