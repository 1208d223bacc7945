/// The most memory that a session may hold at once: values between layers, scratch, packed weights and other constants of
/// all its plans and runs. The caller's inputs and results are not counted, nor is the model's file.
public struct MemoryBudget: Sendable, Hashable {
    /// In bytes; nil is as much as the machine gives.
    public let byteCount: Int?

    /// As much as the machine gives.
    public static let unlimited = MemoryBudget(byteCount: nil)

    /// This many bytes.
    public static func bytes(_ count: Int) -> MemoryBudget { MemoryBudget(byteCount: count) }

    /// This many megabytes of 1,048,576 bytes.
    public static func megabytes(_ count: Int) -> MemoryBudget {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: 1 << 20)
        return MemoryBudget(byteCount: overflow ? (count < 0 ? Int.min : Int.max) : bytes)
    }
}
