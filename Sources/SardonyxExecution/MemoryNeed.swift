import SardonyxCompiler
import SardonyxGraph

/// What a plan takes, in bytes, beside the inputs and results of its runs.
package struct MemoryNeed: Sendable, Hashable {
    /// Values between the steps, and the steps' scratch memory.
    package var arena: Int
    package var packedWeights: Int
    /// Constants that are not in the model's file as kernels need them: folded, or copied to an aligned address.
    package var constants: Int
    /// Of the constants, what is copied to an aligned address.
    let copies: Int

    package var total: Int { arena + packedWeights + constants }

    /// The shared storages that a plan keeps alive.
    static func shared(_ plan: Plan, _ graph: Graph) -> [TensorStorage] {
        plan.packedWeights + constants(plan, graph)
    }

    private static func constants(_ plan: Plan, _ graph: Graph) -> [TensorStorage] {
        (plan.constants.map(\.storage) + graph.constants.values.map(\.storage)).filter(\.isOwned)
    }

    /// - Parameter graph: what the plan was made from, whose constants stay for other plans.
    init(_ plan: Plan, _ graph: Graph) {
        arena = plan.arenaByteCount
        packedWeights = plan.packedWeights.reduce(0) { $0 + $1.byteCount }
        var seen = Set<ObjectIdentifier>()
        func sum(_ storages: [TensorStorage]) -> Int {
            storages.reduce(0) { seen.insert(ObjectIdentifier($1)).inserted ? $0 + $1.byteCount : $0 }
        }
        copies = sum(plan.usedConstants.map { plan.constants[$0] }.filter { !$0.isAligned }.map(\.storage))
        constants = copies + sum(Self.constants(plan, graph))
    }
}

/// A plan that the session's memory budget does not allow.
package struct OverBudget: Error {
    package let need: MemoryNeed
    /// Bytes of the budget that are in use and cannot be let go.
    package let held: Int
    package let limit: Int

    /// What is wrong and what would do.
    package var error: SardonyxError {
        let used = held > 0 ? " bytes, of which \(held) are in use" : " bytes"
        return SardonyxError(
            .memory,
            "a run needs \(need.total) bytes (values and scratch \(need.arena), packed weights "
                + "\(need.packedWeights), other constants \(need.constants)); the memory budget is \(limit)\(used)")
    }
}
