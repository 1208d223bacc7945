import SardonyxCompiler
import SardonyxExecution
import SardonyxGraph

/// What a run with inputs of certain shapes takes.
public struct PlanSummary: Sendable {
    /// Memory, in bytes, beside the inputs and outputs.
    public enum Memory: Sendable, Hashable {
        /// Known before the run.
        case exact(Int)
        /// Shapes depend on data: the run takes this much and what the data ask for.
        case lowerBound(Int)

        /// The figure without its kind.
        public var byteCount: Int {
            switch self {
            case .exact(let bytes), .lowerBound(let bytes): bytes
            }
        }
    }

    package let bound: BoundPlan

    init(_ bound: BoundPlan) { self.bound = bound }

    /// Values, scratch and packed weights, in bytes.
    public var peakMemory: Memory {
        let bytes = bound.memoryByteCount + bound.plan.packedByteCount
        return bound.plan.isStatic ? .exact(bytes) : .lowerBound(bytes)
    }

    /// Bytes for the values between steps.
    public var arenaByteCount: Int { bound.plan.arenaByteCount }
    /// Bytes of scratch memory, shared by all steps.
    public var workspaceByteCount: Int { bound.plan.workspaceByteCount }
    /// Steps of a run; views of other values need none.
    public var stepCount: Int { bound.plan.steps.count }

    /// Multiply-adds of the steps that count them.
    public var multiplyAdds: Int {
        bound.plan.steps.reduce(0) { if case .kernel(let kernel) = $1.work { $0 + kernel.multiplyAdds } else { $0 } }
    }
}
