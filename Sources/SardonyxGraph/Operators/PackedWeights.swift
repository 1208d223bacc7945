import Synchronization

/// Weights in the layout that a kernel wants, packed once and shared by the plans that need them.
package final class PackedWeights: Sendable {
    private struct Key: Hashable {
        let value: ValueID
        let layout: String
    }
    private let table = Mutex<[Key: TensorStorage]>([:])

    package init() {}

    /// The packed form of a constant. `layout` names everything that the bytes depend on besides the constant.
    /// - Parameter fill: writes all `byteCount` bytes.
    package func pack(
        _ value: ValueID?, layout: String, byteCount: Int, fill: (UnsafeMutableRawPointer) throws -> Void
    ) throws -> TensorStorage {
        guard let value else {
            let storage = try TensorStorage(byteCount: byteCount)
            try fill(storage.base)
            return storage
        }
        let key = Key(value: value, layout: layout)
        if let storage = table.withLock({ $0[key] }) { return storage }
        let storage = try TensorStorage(byteCount: byteCount)
        try fill(storage.base)
        return table.withLock { table in
            if let first = table[key] { return first }
            table[key] = storage
            return storage
        }
    }

    package var byteCount: Int { table.withLock { $0.values.reduce(0) { $0 + $1.byteCount } } }
}
