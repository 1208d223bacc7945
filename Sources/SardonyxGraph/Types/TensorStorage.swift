import Glibc

/// The bytes behind tensors: memory of its own, or a part of a mapped file that its owner keeps alive.
package final class TensorStorage: @unchecked Sendable {
    package let base: UnsafeMutableRawPointer
    package let byteCount: Int
    /// Whether the bytes may be written when nothing else refers to them; a mapped file's may not.
    package let isWritable: Bool
    private let owner: AnyObject?
    private var account: MemoryAccount?
    package let strings: [String]

    /// Memory of its own, aligned to 64 bytes, not cleared; charged to the thread's account where it has one.
    package init(byteCount: Int) throws(SardonyxError) {
        let account = MemoryAccount.current
        try account?.charge(byteCount)
        var pointer: UnsafeMutableRawPointer?
        // 64 spare bytes let kernels read a whole vector at the end.
        let (padded, overflow) = byteCount.addingReportingOverflow(64)
        guard !overflow, posix_memalign(&pointer, 64, padded) == 0, let pointer else {
            account?.release(byteCount)
            throw SardonyxError(.memory, "cannot allocate \(byteCount) bytes")
        }
        base = pointer
        isWritable = true
        owner = nil
        strings = []
        self.byteCount = byteCount
        self.account = account
    }

    /// Someone else's bytes: `owner` keeps them alive. They need not be aligned.
    package init(borrowing bytes: UnsafeRawBufferPointer, owner: AnyObject) {
        base = UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 64)!)
        byteCount = bytes.count
        isWritable = false
        account = nil
        strings = []
        self.owner = owner
    }

    package init(strings: [String]) {
        base = UnsafeMutableRawPointer(bitPattern: 64)!
        byteCount = 0
        isWritable = false
        account = nil
        owner = nil
        self.strings = strings
    }

    deinit {
        if isWritable { free(base) }
        account?.release(byteCount)
    }

    /// Gives the bytes to whoever has them now: a run's results are the caller's.
    package func leaveAccount() {
        account?.release(byteCount)
        account = nil
    }

    /// Lets go of the pages of a mapped file; they come back from the file when they are read again.
    package func releasePages() {
        (owner as? any MappedOwner)?.releasePages(UnsafeRawBufferPointer(start: base, count: byteCount))
    }
}

/// Keeps a mapped file open.
package protocol MappedOwner: AnyObject {
    func releasePages(_ bytes: UnsafeRawBufferPointer)
}
