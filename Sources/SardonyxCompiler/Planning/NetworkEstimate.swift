import SardonyxGraph
import SardonyxOperators

/// What a network takes and holds if every operator that can choose takes its fastest kernel: by it kernels weigh their time
/// against the memory of their weights, so that each gives way where the network as a whole loses least. The graph of a
/// branch or a loop is a network of its own.
struct NetworkEstimate {
    /// Of a run with one thread, of the operators that choose.
    private(set) var nanoseconds = 0.0
    /// Weights as the fastest kernels pack them, other constants, and the values that the largest node reads and makes.
    private(set) var byteCount = 0.0

    /// Nil where no operator chooses.
    var timePerByte: Double? { nanoseconds > 0 && byteCount > 0 ? nanoseconds / byteCount : nil }

    /// - Parameter context: what `prepare` would see of a node with plain layouts; nil for steps that cannot be planned.
    init(_ graph: Graph, _ registry: OperatorRegistry, context: (Node) -> PreparationContext?) throws {
        var packed: Set<ValueID> = []
        for node in graph.nodes {
            guard let type = registry.find(node), type.choosesKernels, let context = context(node) else { continue }
            do {
                guard let estimate = try type.estimate(context) else { continue }
                nanoseconds += estimate.nanoseconds
                guard let weights = node.inputs[1], packed.insert(weights).inserted else { continue }
                byteCount += estimate.weightBytes
            } catch let error as SardonyxError {
                throw error.at(node)
            }
        }
        guard nanoseconds > 0 else { return }
        for (id, tensor) in graph.constants where !packed.contains(id) { byteCount += Double(tensor.byteCount) }
        byteCount += graph.nodes.reduce(0) { largest, node in
            let values = (node.inputs + node.outputs).compactMap { $0 }.filter { graph.constants[$0] == nil }
            return max(largest, values.reduce(0) { $0 + Double(graph[$1].type.spec?.byteCount ?? 0) })
        }
    }
}
