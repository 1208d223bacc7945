import Synchronization

/// A constant's identity among all plans of a session.
package struct ConstantID: Sendable, Hashable {
    fileprivate let number: Int
}

/// Weights in the layout that a kernel wants, packed once and shared by the plans that need them.
package final class PackedWeights: Sendable {
    private struct Key: Hashable {
        let constant: ConstantID
        let layout: String
    }
    private struct State {
        var packed: [Key: TensorStorage] = [:]
        var identities: [ObjectIdentifier: ConstantID] = [:]
        /// Keeps identified storage alive, so that no other takes its identity.
        var sources: [TensorStorage] = []
    }
    private let state = Mutex(State())

    package init() {}

    /// The identity of a constant: tensors that share memory are the same.
    package func identify(_ tensor: Tensor) -> ConstantID {
        state.withLock { state in
            let object = ObjectIdentifier(tensor.storage)
            if let id = state.identities[object] { return id }
            let id = ConstantID(number: state.sources.count)
            state.identities[object] = id
            state.sources.append(tensor.storage)
            return id
        }
    }

    /// The packed form of a constant. `layout` names everything that the bytes depend on besides the constant.
    /// - Parameter fill: writes all `byteCount` bytes.
    package func pack(
        _ constant: ConstantID?, layout: String, byteCount: Int, fill: (UnsafeMutableRawPointer) throws -> Void
    ) throws -> TensorStorage {
        let key = constant.map { Key(constant: $0, layout: layout) }
        if let key, let storage = state.withLock({ $0.packed[key] }) { return storage }
        let storage = try TensorStorage(byteCount: byteCount)
        try fill(storage.base)
        guard let key else { return storage }
        return state.withLock { state in
            if let first = state.packed[key] { return first }
            state.packed[key] = storage
            return storage
        }
    }

    package var byteCount: Int { state.withLock { $0.packed.values.reduce(0) { $0 + $1.byteCount } } }
}
