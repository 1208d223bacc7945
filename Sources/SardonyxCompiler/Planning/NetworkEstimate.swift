import SardonyxGraph
import SardonyxOperators

/// What a network takes and holds if every operator that can choose takes its fastest kernel: by it kernels weigh their time
/// against the memory of their weights, so that each gives way where the network as a whole loses least.
struct NetworkEstimate {
    /// Of a run with one thread, of the operators that choose.
    private(set) var nanoseconds = 0.0
    /// Weights as the fastest kernels pack them, other constants, and the inputs and outputs of the largest node.
    private(set) var byteCount = 0.0

    /// Nil where no operator chooses.
    var timePerByte: Double? { nanoseconds > 0 && byteCount > 0 ? nanoseconds / byteCount : nil }

    /// - Parameter context: what `prepare` would see of a node with plain layouts; nil for steps that cannot be planned.
    init(_ graph: Graph, _ registry: OperatorRegistry, context: (Node) -> PreparationContext?) throws {
        var packed: Set<ValueID> = []
        var largest = 0.0
        for node in graph.nodes {
            guard let type = registry.find(node), !type.execution.isDynamic, !node.hasSubgraphs,
                let context = context(node)
            else { continue }
            largest = max(largest, (context.inputs + context.outputs).reduce(0) { $0 + Double($1?.byteCount ?? 0) })
            do {
                guard let estimate = try type.estimate(context) else { continue }
                nanoseconds += estimate.nanoseconds
                guard let weights = node.inputs[1], packed.insert(weights).inserted else { continue }
                byteCount += estimate.weightBytes
            } catch let error as SardonyxError {
                throw error.at(node)
            }
        }
        byteCount += largest
        for (id, tensor) in graph.constants where !packed.contains(id) { byteCount += Double(tensor.byteCount) }
    }
}
