import SardonyxGraph
import SardonyxOperators

/// Chooses the layout of every value of a graph with concrete shapes, and adds the reorders in between.
///
/// One pass in execution order: a node takes the offer that moves the fewest bytes of its inputs; one that an operator
/// prefers is taken whatever it moves. A value that is needed in two layouts is reordered once. Inputs, outputs, constants,
/// what subgraphs read and what dynamic steps take and give stay plain.
struct LayoutNegotiation {
    private(set) var graph: Graph
    /// The layouts of values that are not plain.
    private(set) var layouts: [ValueID: TensorLayout] = [:]

    private let context: (Node) -> PreparationContext?
    private let registry: OperatorRegistry
    /// Values of the graph in blocks of channels, by the value that they stand for.
    private var blocked: [ValueID: ValueID] = [:]
    /// Values that only exist in blocks so far.
    private var isMissing: Set<ValueID> = []
    private var nodes: [Node] = []

    /// - Parameter context: what `prepare` would see of a node with plain layouts; nil for steps that cannot be planned.
    init(_ graph: Graph, _ registry: OperatorRegistry, context: @escaping (Node) -> PreparationContext?) {
        self.graph = graph
        self.registry = registry
        self.context = context
    }

    mutating func run() throws {
        nodes.reserveCapacity(graph.nodes.count)
        for node in graph.nodes { try place(node) }
        for id in graph.outputs { require(id, .plain) }
        graph.nodes = nodes
    }

    private mutating func place(_ node: Node) throws {
        guard let offer = try choose(node) else {
            node.forEachUse { require($0, .plain) }
            nodes.append(node)
            return
        }
        var node = node
        for (index, id) in node.inputs.enumerated() {
            guard let id, graph.constants[id] == nil else { continue }
            node.inputs[index] = require(id, offer.inputs[index])
        }
        for (index, id) in node.outputs.enumerated() where offer.outputs[index] == .channelBlocks {
            guard let id else { continue }
            node.outputs[index] = addBlocked(id)
            isMissing.insert(id)
        }
        nodes.append(node)
    }

    /// The best offer, or nil where plain layouts are best.
    private func choose(_ node: Node) throws -> LayoutOffer? {
        guard let type = registry.find(node), !type.execution.isDynamic, !node.hasSubgraphs, let context = context(node)
        else { return nil }
        let plain = LayoutOffer(
            inputs: [TensorLayout](repeating: .plain, count: node.inputs.count),
            outputs: [TensorLayout](repeating: .plain, count: node.outputs.count))
        var best: (offer: LayoutOffer?, cost: Int) = (nil, movedBytes(plain, node) ?? 0)
        for offer in try type.layouts(context) {
            guard let cost = movedBytes(offer, node) else { continue }
            if offer.isPreferred { return offer }
            // Where both move the same, blocks are better: what follows is likely to be a convolution.
            if cost < best.cost || cost == best.cost && best.offer == nil && cost > 0 { best = (offer, cost) }
        }
        return best.offer
    }

    /// The bytes of inputs that are not at hand in the layouts of an offer; nil where it wants a constant in blocks.
    private func movedBytes(_ offer: LayoutOffer, _ node: Node) -> Int? {
        var bytes = 0
        for (index, id) in node.inputs.enumerated() {
            guard let id else { continue }
            switch offer.inputs[index] {
            case .plain:
                if isMissing.contains(id) { bytes += graph[id].type.spec?.byteCount ?? 0 }
            case .channelBlocks:
                if graph.constants[id] != nil { return nil }
                if blocked[id] == nil { bytes += graph[id].type.spec?.byteCount ?? 0 }
            }
        }
        return bytes
    }

    /// The value in a layout, reordered now if it was not yet.
    @discardableResult
    private mutating func require(_ id: ValueID, _ layout: TensorLayout) -> ValueID {
        switch layout {
        case .plain:
            if isMissing.remove(id) != nil, let source = blocked[id] { addReorder(from: source, to: id) }
            return id
        case .channelBlocks:
            if let known = blocked[id] { return known }
            let target = addBlocked(id)
            addReorder(from: id, to: target)
            return target
        }
    }

    private mutating func addBlocked(_ id: ValueID) -> ValueID {
        let target = graph.addValue("\(graph[id].name) in blocks", type: graph[id].type)
        blocked[id] = target
        layouts[target] = .channelBlocks
        return target
    }

    private mutating func addReorder(from source: ValueID, to target: ValueID) {
        nodes.append(
            Node(
                Reorder.schema.name, domain: Reorder.schema.domain, opset: 1, name: "reorder \(graph[source].name)",
                inputs: [source], outputs: [target]))
    }
}
