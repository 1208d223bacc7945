/// What decides between kernels that compute the same.
package struct KernelPolicy: Sendable {
    /// Whether kernels that round otherwise than plain sums of products are left out.
    package var isStrict = false
    /// What a run of the network takes by what the network holds, as estimated: nanoseconds, of the operators that choose
    /// between kernels (`KernelEstimate`), by bytes. Nil where a node is weighed alone.
    package var timePerByte: Double?
    /// Choices by measured times; nil where estimated ones do.
    package var choices: (any KernelChoices)?
    /// Set where what is not pinned yet is measured now; throws when nobody waits for it any more.
    package var measuring: (@Sendable () throws -> Void)?

    package init(isStrict: Bool = false, choices: (any KernelChoices)? = nil) {
        self.isStrict = isStrict
        self.choices = choices
    }
}

/// What the fastest of the kernels that an operator chooses from takes, as estimated.
package struct KernelEstimate: Sendable {
    /// Of a run with one thread.
    package var nanoseconds: Double
    /// Of its packed weights.
    package var weightBytes: Double

    package init(nanoseconds: Double, weightBytes: Double) {
        self.nanoseconds = nanoseconds
        self.weightBytes = weightBytes
    }
}

/// Choices between kernels that are pinned, so that they are the same in every session.
package protocol KernelChoices: AnyObject, Sendable {
    /// The answer that is pinned; nil for none.
    /// - Parameters:
    ///   - question: what there is to compute, in words that are the same wherever the answer is.
    ///   - possible: the kernels that can do it.
    /// - Throws: `SardonyxError` where the answer is none of those.
    func answer(to question: String, possible: [String]) throws -> String?

    /// Pins what `measure` finds, unless there is an answer already, or no memory to measure with.
    /// - Parameter measure: gets a clock, in nanoseconds.
    func measure(_ question: String, _ measure: (_ now: () -> UInt64) throws -> MeasuredChoice) throws

    /// Calls a body that measures, and makes what it has pinned last. Waits for others that measure.
    func pinning(_ body: () throws -> Void) throws
}

/// The kernel that is best, and the times of all, in nanoseconds.
package struct MeasuredChoice: Sendable {
    package var chosen: String
    package var times: [(name: String, nanoseconds: Double)]

    package init(chosen: String, times: [(name: String, nanoseconds: Double)]) {
        self.chosen = chosen
        self.times = times
    }
}
