import SardonyxGraph

/// Replaces each `Gradient` by the nodes that compute it, so that everything after knows ordinary operators only.
///
/// It runs before any other pass: what a pass has rewritten can no longer be differentiated by a rule of its operator.
package struct Differentiation {
    private static let domain = "ai.onnx.preview.training"
    let registry: OperatorRegistry
    /// As `TypeInference.foldingLimit`.
    let foldingLimit: Int
    /// Nodes that all derivatives of a model may take together: a share for each of the model's own, since derivatives of
    /// derivatives grow with each step and a dozen nodes must not keep the compiler busy for minutes.
    private static let (fewestNodes, nodesEach) = (20_000, 50)
    /// However large the model is.
    package var maximumNodes = 250_000
    /// Nodes that may be looked at, all ways together: about half a microsecond each.
    package var maximumVisits = 10_000_000

    package init(registry: OperatorRegistry, foldingLimit: Int) {
        self.registry = registry
        self.foldingLimit = foldingLimit
    }

    /// - Throws: `invalidModel` where `xs`, `zs` and `y` break the operator's rules, `unsupported` with the node for an
    ///   operator on the way that has no derivative rule.
    package func run(on graph: inout Graph) throws {
        guard Self.holdsGradients(graph) else { return }
        let count = graph.nodes.reduce(0) { $0 + 1 + $1.innerCount }
        var allowance = DerivativeAllowance(
            min(Self.fewestNodes + Self.nodesEach * count, maximumNodes), visits: maximumVisits, modelOf: count)
        graph = try differentiated(completed(graph), &allowance)
    }

    /// With the outputs that derivative rules read.
    private func completed(_ source: Graph) -> Graph {
        var graph = source
        for index in graph.nodes.indices {
            var node = graph.nodes[index]
            for output in 0..<(registry.find(node)?.derivative?.outputCount ?? 0) {
                if output == node.outputs.count { node.outputs.append(nil) }
                if node.outputs[output] == nil {
                    node.outputs[output] = graph.addValue("\(node.displayName).\(output)")
                }
            }
            for (name, var subgraph) in node.subgraphAttributes {
                subgraph.graph = completed(subgraph.graph)
                node.attributes[name] = .graph(subgraph)
            }
            graph.nodes[index] = node
        }
        return graph
    }

    private static func isGradient(_ node: Node) -> Bool { node.operatorType == "Gradient" && node.domain == domain }

    private static func holdsGradients(_ graph: Graph) -> Bool {
        graph.nodes.contains { isGradient($0) || $0.subgraphs.contains { holdsGradients($0.graph) } }
    }

    private func differentiated(_ source: Graph, _ allowance: inout DerivativeAllowance) throws -> Graph {
        var graph = source
        graph.nodes = []
        // A run may give other values for defaults, so that nothing may be computed from them now.
        let defaults = graph.inputDefaults.keys.compactMap { id in graph.constants[id].map { (id, $0) } }
        for (id, _) in defaults { graph.constants[id] = nil }
        let sweep = ReverseSweep(registry: registry, foldingLimit: foldingLimit)
        // The model's own nodes are added too.
        allowance.left += source.nodes.count
        let builder = sweep.builder(graph, allowance: allowance)
        for var node in source.nodes {
            if Self.isGradient(node) {
                do {
                    try replace(node, sweep, builder)
                } catch let error as SardonyxError {
                    throw error.at(node)
                }
                continue
            }
            if node.hasSubgraphs {
                var inside = builder.allowance
                try differentiateInside(&node, builder.graph, &inside)
                try builder.settle(inside)
            }
            try builder.append(node)
        }
        allowance = builder.allowance
        graph = builder.graph
        for (id, tensor) in defaults { graph.constants[id] = tensor }
        return graph
    }

    private func differentiateInside(_ node: inout Node, _ outer: Graph, _ allowance: inout DerivativeAllowance) throws
    {
        func inside(_ subgraph: Subgraph) throws -> Subgraph {
            guard Self.holdsGradients(subgraph.graph) else { return subgraph }
            var inner = subgraph
            for (outside, capture) in zip(subgraph.captured, subgraph.graph.captures) {
                inner.graph[capture].type = outer[outside].type
            }
            inner.graph = try differentiated(inner.graph, &allowance)
            return inner
        }
        for (name, attribute) in node.attributes {
            switch attribute {
            case .graph(let subgraph): node.attributes[name] = .graph(try inside(subgraph))
            case .graphs(let subgraphs): node.attributes[name] = .graphs(try subgraphs.map(inside))
            default: break
            }
        }
    }

    /// Adds what computes the node's outputs. Its inputs are the values at which the derivative is taken, then those that
    /// `xs`, `zs` and `y` name.
    private func replace(_ node: Node, _ sweep: ReverseSweep, _ builder: GraphBuilder) throws {
        let inputs = node.inputs.compactMap { $0 }
        let xCount = node.strings("xs")?.count ?? 0
        let count = xCount + (node.strings("zs")?.count ?? 0)
        guard node.inputs.count == 2 * count + 1, inputs.count == node.inputs.count else {
            throw SardonyxError(
                .invalidModel,
                "xs and zs name \(count) tensors, and the node has \(max(0, node.inputs.count - count - 1)) inputs; "
                    + "each needs its value")
        }
        guard node.outputs.count <= xCount else {
            throw SardonyxError(.invalidModel, "there are \(node.outputs.count) outputs, and xs has \(xCount) names")
        }
        let (given, named, y) = (Array(inputs[..<count]), Array(inputs[count..<2 * count]), inputs[2 * count])
        func value(_ id: ValueID) -> Value { builder.graph[id] }
        guard builder.isDifferentiable(y) else {
            throw SardonyxError(
                .invalidModel, "y, '\(value(y).name)', is \(value(y).type.text); it must be of floating point")
        }
        for (given, name) in zip(given, named) {
            if let type = value(given).type.dataType, let wanted = value(name).type.dataType, type != wanted {
                throw SardonyxError(
                    .invalidModel, "the value for '\(value(name).name)' is \(type.name); it must be \(wanted.name)")
            }
        }
        let path = try DifferentiatedGraph(builder, named: named, y: y)
        builder.prefix = node.displayName
        let taken = try path.evaluated(at: given, builder)
        let type = value(y).type.dataType ?? .float
        let ones = try builder.filled(1, like: taken.y, as: type)
        let targets = Array(taken.named[..<xCount])
        let results = try sweep.gradients(through: taken.nodes, of: [(taken.y, ones)], to: targets, builder)
        for (index, output) in node.outputs.enumerated() {
            guard let output else { continue }
            let x = targets[index]
            let hasOwn = builder.graph[x].type != .unknown && builder.mayHaveGradient(x)
            let result = try results[index] ?? (hasOwn ? builder.zeros(like: x) : builder.filled(0, like: x, as: type))
            try builder.append(
                Node(
                    "Identity", opset: node.opset, name: node.name, inputs: [result], outputs: [output],
                    firstOutputName: node.firstOutputName))
        }
    }
}

extension GraphBuilder {
    /// A tensor of the value's shape with one number everywhere.
    func filled(_ number: Float, like id: ValueID, as type: DataType) throws -> ValueID {
        let shape = try add("Shape", [id])[0]
        let filled = try add("ConstantOfShape", [shape], ["value": .tensor(Tensor(shape: [1], scalars: [number]))])[0]
        return type == .float ? filled : try add("Cast", [filled], ["to": .int(Int64(type.rawValue))])[0]
    }
}
