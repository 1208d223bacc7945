import SardonyxGraph

/// Gives every value of a graph its type, and turns what is known before the run into constants.
package struct TypeInference {
    let registry: OperatorRegistry
    /// Results of folding larger than this, in bytes, stay computed at run time: a file of a few bytes must not fill the
    /// memory.
    package var foldingLimit = 64 << 20
    /// Whether nodes with constant inputs are computed now.
    package var folds = true
    /// Whether only numbers that describe shapes are computed now, and floating point is left as it is: what is folded can
    /// no longer be differentiated.
    package var foldsIntegersOnly = false
    /// The threads that fold (`sdx_pool` of CKernels), or nil for the calling one, and their number.
    package var pool: OpaquePointer?
    package var workers = 1

    package init(registry: OperatorRegistry) { self.registry = registry }

    /// What one run over a graph gathers.
    struct State {
        /// What is known of integer values element by element, where not all of it is numbers.
        var elements: [ValueID: SymbolicShape] = [:]
        /// Bytes that folding may still make: many results below the limit must not fill the memory either.
        var foldingBudget: Int
        /// How often nodes that are not gone read a value; once more for the graph's outputs. Empty where nodes are still to
        /// come.
        private var readers: [Int32] = []

        init(foldingBudget: Int) { self.foldingBudget = foldingBudget }

        init(_ graph: Graph, foldingBudget: Int) {
            self.foldingBudget = foldingBudget
            readers = [Int32](repeating: 0, count: graph.values.count)
            for node in graph.nodes { node.forEachUse { readers[Int($0.index)] += 1 } }
            for id in graph.outputs { readers[Int(id.index)] += 1 }
        }

        /// Whether only the node that is visited still reads the value, and reads it once.
        func isLastRead(_ id: ValueID) -> Bool { !readers.isEmpty && readers[Int(id.index)] == 1 }

        /// Frees constants that nobody reads once this node is gone.
        mutating func releaseInputs(of node: Node, _ graph: inout Graph) {
            if readers.isEmpty { return }
            node.forEachUse { id in
                readers[Int(id.index)] -= 1
                if readers[Int(id.index)] == 0 { graph.constants[id] = nil }
            }
        }
    }

    /// Infers in the nodes' order, from the types that inputs and captures have.
    /// - Throws: `SardonyxError` (`invalidModel`) that names the node whose inputs do not fit.
    package func run(on graph: inout Graph) throws {
        // Folding a model's own weights, to transpose or dequantise them, makes about as much as there is.
        let weights = folds ? graph.constants.values.reduce(0) { $0 &+ $1.byteCount } : 0
        var state = State(graph, foldingBudget: max(foldingLimit / 2 * 3, weights))
        for (id, tensor) in graph.inputDefaults where graph.constants[id] != nil {
            graph[id].type = .tensor(tensor.dataType, SymbolicShape(tensor.shape))
        }
        // The nodes change where they are: a copy of each costs as much as the visit.
        var nodes: [Node] = []
        swap(&nodes, &graph.nodes)
        var isGone = [Bool](repeating: false, count: nodes.count)
        for position in nodes.indices {
            do {
                isGone[position] = try visit(&nodes[position], &graph, &state)
            } catch var error as SardonyxError {
                // A constant that breaks an operator's rule is the model's fault, not an input's.
                if error.code == .invalidValue { error.code = .invalidModel }
                throw error.at(nodes[position])
            }
        }
        if isGone.contains(true) { nodes = zip(nodes, isGone).filter { !$1 }.map(\.0) }
        graph.nodes = nodes
    }

    /// - Returns: whether the node's outputs have all become constants, so that the node can go.
    func visit(_ node: inout Node, _ graph: inout Graph, _ state: inout State) throws -> Bool {
        guard let type = registry.find(node) else { return false }
        if folds && node.hasSubgraphs { node.sinkConstants(of: graph, onlyIntegers: foldsIntegersOnly) }
        let inputs = node.inputs.map { id in id.map { graph[$0].type } }
        try type.schema.checkTypes(of: node, inputs)
        if folds, let results = fold(node, type, &graph, state) {
            for (id, result) in zip(node.outputs, results) {
                guard let id, let result else { continue }
                graph.constants[id] = result
                state.foldingBudget -= result.byteCount
                graph[id].type = .tensor(result.dataType, SymbolicShape(result.shape))
            }
            state.releaseInputs(of: node, &graph)
            return true
        }

        // Only this node's facts are captured: a captured dictionary would be copied at its next change.
        let constants = node.inputs.map { id in id.flatMap { graph.constants[$0] } }
        let known = state.elements.isEmpty ? [] : node.inputs.map { id in id.flatMap { state.elements[$0] } }
        let capturedTypes = Dictionary(
            node.subgraphs.flatMap(\.captured).map { ($0, graph[$0].type) }, uniquingKeysWith: { first, _ in first })
        var context = InferenceContext(
            node: node, inputs: inputs, constantOf: { constants[$0] }, elementsOf: { known.isEmpty ? nil : known[$0] },
            inferSubgraph: { subgraph, types in
                try infer(subgraph, types, outerTypes: subgraph.captured.map { capturedTypes[$0] ?? .unknown })
            })
        try type.infer(&context)

        var allConstant = folds && !node.outputs.isEmpty
        for (index, id) in node.outputs.enumerated() {
            guard let id else { continue }
            try Self.checkSize(of: context.outputs[index])
            graph[id].type = graph[id].type.refined(by: context.outputs[index])
            guard let shape = context.outputElements[index] else {
                allConstant = false
                continue
            }
            guard folds, let values = shape.fixed, let type = context.outputs[index].dataType,
                let dimensions = context.outputs[index].shape?.fixed, dimensions.elementCount == values.count,
                let constant = Tensor(integers: values, as: type, shape: dimensions)
            else {
                state.elements[id] = shape
                allConstant = false
                continue
            }
            graph.constants[id] = constant
        }
        if allConstant {
            state.releaseInputs(of: node, &graph)
        } else {
            // A node that stays still makes its outputs; none of them may be a constant as well.
            for case let id? in node.outputs { graph.constants[id] = nil }
        }
        return allConstant
    }

    /// - Throws: `invalidModel` for a shape that no tensor can have; sums of what is left fit an `Int`.
    private static func checkSize(of type: ValueType) throws(SardonyxError) {
        guard let spec = type.spec, !spec.isPossible else { return }
        throw SardonyxError(.invalidModel, "the result would have the impossible shape \(spec.text)")
    }

    /// The node's outputs, when they can be computed now; what only this node reads may be overwritten by them.
    private func fold(
        _ node: Node, _ type: any Operator.Type, _ graph: inout Graph, _ state: State
    ) -> [Tensor?]? {
        let limit = min(foldingLimit, state.foldingBudget)
        switch type.execution {
        case .random: return nil
        case .planned, .movesElements, .dynamic: break
        }
        if node.hasSubgraphs { return nil }
        var inputByteCount = 0
        for case let id? in node.inputs {
            guard let tensor = graph.constants[id] else { return nil }
            if foldsIntegersOnly, tensor.dataType.isFloatingPoint { return nil }
            // Opening a model must not read its weights.
            inputByteCount += tensor.byteCount
            guard inputByteCount <= 4 * foldingLimit else { return nil }
        }
        var lastReads: Set<Int> = []
        // A result that is not wanted must leave its operands as they are.
        if !foldsIntegersOnly {
            for (index, id) in node.inputs.enumerated() {
                guard let id, state.isLastRead(id), graph.constants[id]?.isHeldAlone() == true else { continue }
                lastReads.insert(index)
            }
        }
        let inputs = node.inputs.map { id in id.flatMap { graph.constants[$0] }.map(Datum.tensor) }
        let context = EvaluationContext(
            node: node, inputs: inputs, outputTypes: node.outputs.map { _ in .unknown },
            environment: FoldingEnvironment(limit: limit, pool: pool, workers: workers), operatorType: type,
            lastReads: lastReads)
        // What cannot be computed now, for its size or for a value that breaks a rule, is left to the run: the node may
        // stand in a branch that is never taken.
        guard let results = try? type.evaluate(context), results.count >= node.outputs.count else { return nil }
        var tensors: [Tensor?] = []
        for (index, id) in node.outputs.enumerated() {
            guard id != nil else {
                tensors.append(nil)
                continue
            }
            guard case .tensor(let tensor)? = results[index], tensor.byteCount <= limit else { return nil }
            if foldsIntegersOnly, tensor.dataType.isFloatingPoint { return nil }
            tensors.append(tensor)
        }
        return tensors
    }

    /// Types of a subgraph's outputs for these inputs.
    private func infer(_ subgraph: Subgraph, _ inputs: [ValueType], outerTypes: [ValueType]) throws -> [ValueType] {
        var graph = subgraph.graph
        // What the file states of a body's inputs is not checked when the body runs; what comes in counts.
        for (id, type) in zip(graph.inputs, inputs) { graph[id].type = type.filled(from: graph[id].type) }
        for (id, type) in zip(graph.captures, outerTypes) { graph[id].type = type }
        try run(on: &graph)
        return graph.outputs.map { graph[$0].type }
    }
}

/// Folding refuses large results before they are allocated.
private struct FoldingEnvironment: EvaluationEnvironment, @unchecked Sendable {
    let limit: Int
    let pool: OpaquePointer?
    let workers: Int

    func run(_ attribute: String, inputs: [Datum]) throws -> [Datum] {
        throw SardonyxError(.unsupported, "a subgraph is not folded")
    }

    func checkCancellation() throws {}

    func admit(_ spec: TensorSpec) throws {
        guard let count = spec.shape.checkedElementCount, count <= limit / spec.dataType.byteCount else {
            throw SardonyxError(.memory, "the result of \(spec.shape) is too large to be folded")
        }
    }

    func allocate(_ dataType: DataType, _ shape: [Int]) throws -> Tensor {
        try admit(TensorSpec(dataType: dataType, shape: shape))
        return try Tensor(uninitialized: dataType, shape: shape)
    }
}

extension Node {
    /// Gives the node's subgraphs the constants that they capture as constants of their own.
    /// - Parameter onlyIntegers: leaves floating point where it is: a weight may be differentiated by.
    fileprivate mutating func sinkConstants(of graph: Graph, onlyIntegers: Bool) {
        func sunk(_ id: ValueID) -> Tensor? {
            graph.constants[id].flatMap { onlyIntegers && $0.dataType.isFloatingPoint ? nil : $0 }
        }
        for (name, var subgraph) in subgraphAttributes where subgraph.captured.contains(where: { sunk($0) != nil }) {
            let pairs = Array(zip(subgraph.captured, subgraph.graph.captures))
            for (outer, inner) in pairs {
                guard let constant = sunk(outer) else { continue }
                subgraph.graph.constants[inner] = constant
                subgraph.graph[inner].type = .tensor(constant.dataType, SymbolicShape(constant.shape))
            }
            let rest = pairs.filter { sunk($0.0) == nil }
            subgraph.captured = rest.map(\.0)
            subgraph.graph.captures = rest.map(\.1)
            attributes[name] = .graph(subgraph)
        }
    }
}

extension ValueType {
    /// The more exact of what a file states and what was inferred.
    package func refined(by other: ValueType) -> ValueType {
        switch (self, other) {
        case (.unknown, _): return other
        case (_, .unknown): return self
        case (.tensor(let type, let a?), .tensor(let otherType, let b?)) where type == otherType && a.count == b.count:
            return .tensor(
                type, zip(a, b).map { mine, theirs in theirs.value != nil ? theirs : mine == .unknown ? theirs : mine })
        case (.tensor(let type, _?), .tensor(let otherType, nil)) where type == otherType: return self
        default: return other
        }
    }
}

extension Tensor {
    /// Integers as a tensor of an integer type, or nil when the type is none or a value does not fit.
    init?(integers: [Int], as type: DataType, shape: [Int]) {
        switch type {
        case .int64: self.init(shape: shape, scalars: integers.map(Int64.init))
        case .int32:
            let narrow = integers.compactMap(Int32.init(exactly:))
            guard narrow.count == integers.count else { return nil }
            self.init(shape: shape, scalars: narrow)
        default: return nil
        }
    }
}
