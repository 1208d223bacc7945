import Glibc

/// The bytes behind tensors: memory of its own, or a part of a mapped file that its owner keeps alive.
package final class TensorStorage: @unchecked Sendable {
    package let base: UnsafeMutableRawPointer
    package let byteCount: Int
    /// Whether the bytes are memory of its own.
    package let isOwned: Bool
    /// Whether the bytes may be written when nothing else refers to them; a mapped file's may not.
    package private(set) var isWritable: Bool
    /// Bytes of a mapping of its own; 0 for memory of the heap and for someone else's.
    private let mappedByteCount: Int
    private let owner: AnyObject?
    private var account: MemoryAccount?
    package let strings: [String]

    /// What a block is for, which says where it should come from.
    package enum Purpose: Sendable {
        /// A value that comes and goes.
        case value
        /// Weights or the memory of runs, held for long: large blocks are mappings of their own, so that the heap has no holes
        /// that only they could fill.
        case lasting
    }

    /// Memory of its own, aligned to 64 bytes, not cleared; charged to the thread's account where it has one.
    package init(byteCount: Int, for purpose: Purpose = .value) throws(SardonyxError) {
        let account = MemoryAccount.current
        try account?.charge(byteCount)
        let isMapped = purpose == .lasting && byteCount >= Self.leastMapping
        guard let (pointer, mapped) = isMapped ? Self.mapped(byteCount) : Self.allocated(byteCount) else {
            account?.release(byteCount)
            throw SardonyxError(.memory, "cannot allocate \(byteCount) bytes")
        }
        base = pointer
        isOwned = true
        isWritable = true
        mappedByteCount = mapped
        owner = nil
        strings = []
        self.byteCount = byteCount
        self.account = account
    }

    /// Below, a mapping's last page would be too much of it.
    private static let leastMapping = 256 << 10
    /// Kernels may read a whole vector at the end.
    private static let spare = 64

    private static func allocated(_ byteCount: Int) -> (UnsafeMutableRawPointer, Int)? {
        var pointer: UnsafeMutableRawPointer?
        let (padded, overflow) = byteCount.addingReportingOverflow(spare)
        guard !overflow, posix_memalign(&pointer, 64, padded) == 0, let pointer else { return nil }
        return (pointer, 0)
    }

    private static func mapped(_ byteCount: Int) -> (UnsafeMutableRawPointer, Int)? {
        let (padded, overflow) = byteCount.addingReportingOverflow(spare)
        guard !overflow, let pointer = mmap(nil, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            pointer != MAP_FAILED
        else { return nil }
        return (pointer, padded)
    }

    /// Has the system give the pages of a mapping at once, which costs less than one after the other as they are written.
    package func populate() {
        // Advice: Linux before 5.14 refuses it, and gives the pages later.
        if mappedByteCount > 0 { _ = madvise(base, mappedByteCount, MADV_POPULATE_WRITE) }
    }

    /// Someone else's bytes: `owner` keeps them alive. They need not be aligned.
    package init(borrowing bytes: UnsafeRawBufferPointer, owner: AnyObject) {
        base = UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 64)!)
        byteCount = bytes.count
        isOwned = false
        isWritable = false
        mappedByteCount = 0
        account = nil
        strings = []
        self.owner = owner
    }

    package init(strings: [String]) {
        base = UnsafeMutableRawPointer(bitPattern: 64)!
        byteCount = 0
        isOwned = false
        isWritable = false
        mappedByteCount = 0
        account = nil
        owner = nil
        self.strings = strings
    }

    deinit {
        if mappedByteCount > 0 {
            munmap(base, mappedByteCount)
        } else if isOwned {
            free(base)
        }
        account?.release(byteCount)
    }

    /// From now on nobody writes the bytes, whoever holds them alone; before others know of them.
    package func seal() { isWritable = false }

    /// Gives the bytes to whoever has them now: a run's results are the caller's.
    package func leaveAccount() {
        // Other runs may hold what belongs to nobody; nothing of it is written.
        guard let account else { return }
        account.release(byteCount)
        self.account = nil
    }

    /// What keeps the bytes of a mapped file.
    package var mappedOwner: (any MappedOwner)? { owner as? any MappedOwner }

    /// Lets go of the pages of a mapped file; they come back from the file when they are read again.
    package func releasePages() {
        mappedOwner?.releasePages(UnsafeRawBufferPointer(start: base, count: byteCount))
    }
}

/// Keeps a mapped file open.
package protocol MappedOwner: AnyObject {
    func releaseAllPages()
    func releasePages(_ bytes: UnsafeRawBufferPointer)
}
