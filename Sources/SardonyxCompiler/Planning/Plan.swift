import SardonyxGraph

/// A graph made ready for concrete input shapes: kernels in order, and a place for every value.
package struct Plan: Sendable {
    /// Where a value is during a run.
    package enum Location: Sendable, Hashable {
        /// Bytes of the arena from this offset.
        case arena(Int)
        case constant(Int)
        /// The caller's input, or a capture after the inputs.
        case input(Int)
        /// The memory of the result with this number.
        case output(Int)
        /// A value made by a dynamic step.
        case datum(Int)
    }

    /// A value that a subgraph reads.
    package struct Capture: Sendable {
        package var location: Location
        package var spec: TensorSpec?
    }

    package struct Step: Sendable {
        package enum Work: Sendable {
            case kernel(Kernel)
            /// Output shapes are known when the step runs.
            case dynamic(any Operator.Type)
        }
        package var node: Node
        package var work: Work
        package var inputs: [Location?]
        package var outputs: [Location?]
        package var inputSpecs: [TensorSpec?]
        package var outputSpecs: [TensorSpec?]
        package var outputTypes: [ValueType]
        /// What the node's subgraphs read, by their attribute, in the order of their captures.
        package var captures: [String: [Capture]] = [:]
        /// Where the step's scratch memory begins in the arena.
        package var workspace: Int?
        /// Dynamic values that nothing reads after the step.
        package var expiring: [Int] = []
    }

    package var steps: [Step]
    package var constants: [Tensor]
    /// Where each result is after the last step; those not at `.output` are copied from there.
    package var results: [Location]
    package var resultTypes: [ValueType]
    /// The values between the steps and the steps' scratch memory.
    package var arenaByteCount: Int
    /// The most scratch memory of a step.
    package var workspaceByteCount: Int
    package var datumCount: Int
    /// Whether every step is a kernel and every result's shape is known, so that `arenaByteCount` is
    /// all that a run needs.
    package var isStatic: Bool
    /// The least arena that any placement could have.
    package var arenaLowerBound: Int
    /// What the arena would take if no two buffers shared memory.
    package var bufferByteCount: Int
    /// What passes did to this plan's graph alone, and what the last ones would not do.
    package var remarks: [Optimizer.Remark] = []
    /// The graph that the plan runs, for `inspect` and profiles.
    package var graph: Graph

    /// Packed weights of all steps, each once.
    package var packedWeights: [TensorStorage] {
        var seen = Set<ObjectIdentifier>()
        return steps.flatMap { step -> [TensorStorage] in
            if case .kernel(let kernel) = step.work { kernel.packedWeights } else { [] }
        }.filter { seen.insert(ObjectIdentifier($0)).inserted }
    }

    /// The constants that steps, subgraphs or results read; the others are packed.
    package var usedConstants: Set<Int> {
        var used = Set<Int>()
        for step in steps {
            for case .constant(let index)? in step.inputs { used.insert(index) }
            for capture in step.captures.values.joined() {
                if case .constant(let index) = capture.location { used.insert(index) }
            }
        }
        for case .constant(let index) in results { used.insert(index) }
        return used
    }
}
