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

    package let plan: Plan
    private let need: MemoryNeed

    init(_ plan: Plan, _ need: MemoryNeed) {
        self.plan = plan
        self.need = need
    }

    /// What a session holds for one run at a time: values, scratch, packed weights and other constants, in bytes. While
    /// weights are packed, each thread may hold one more copy of the one it packs, where the file has it unaligned.
    public var peakMemory: Memory { plan.isStatic ? .exact(need.total) : .lowerBound(need.total) }

    /// Bytes for the values between steps and the steps' scratch memory, in one block.
    public var arenaByteCount: Int { need.arena }
    /// The most scratch memory of a step, in bytes; part of `arenaByteCount`.
    public var workspaceByteCount: Int { plan.workspaceByteCount }
    /// Bytes of weights in the layouts that kernels want.
    public var packedWeightByteCount: Int { need.packedWeights }
    /// Bytes of constants that are held beside the model's file: folded, or copied to an aligned address.
    public var constantByteCount: Int { need.constants }
    /// Steps of a run; views of other values need none.
    public var stepCount: Int { plan.steps.count }

    /// 16 digits that are the same for plans with the same steps: operators, algorithms, layouts and shapes. One build gives the
    /// same bits for the same plan, weights and inputs on one instruction set. Bodies of loops and branches are plans of their
    /// own, made while they run, and no part of it.
    public var hash: String { plan.hash }

    /// Multiply-adds of the steps that count them.
    public var multiplyAdds: Int {
        plan.steps.reduce(0) { if case .kernel(let kernel) = $1.work { $0 + kernel.multiplyAdds } else { $0 } }
    }
}
