import COnnxReader
import SardonyxGraph

/// Reads a model's graph: names become values, functions are inlined, nodes are lifted to the newest opset.
final class Importer {
    let handle: ModelHandle
    let tensors: TensorReader
    let registry: OperatorRegistry
    let irVersion: Int
    let functions: FunctionTable
    /// Everything that cannot run, in the order of the nodes.
    var unsupported: [String] = []
    /// Nodes made by inlining; a bound keeps hostile files from growing without end.
    var inlinedNodes = 0

    static let maximumDepth = 100
    static let maximumInlinedNodes = 1_000_000

    init(
        _ handle: ModelHandle, externalData: ExternalData?, registry: OperatorRegistry, irVersion: Int
    ) throws {
        self.handle = handle
        tensors = TensorReader(owner: handle, externalData: externalData)
        self.registry = registry
        self.irVersion = irVersion
        functions = try FunctionTable(UnsafePointer(handle.pointer))
    }

    func importModel(_ proto: UnsafePointer<sdx_graph>, opsets: [String: Int]) throws -> LoadedModel {
        let scope = GraphScope(
            name: sdx_graph_name(proto).text, parent: nil,
            capturesWeights: opsets["ai.onnx.preview.training"] != nil)
        let context = ImportContext(names: NameScope(scope), opsets: opsets)
        try importGraph(proto, into: scope, context)
        if !unsupported.isEmpty {
            let shown = unsupported.prefix(50).joined(separator: "\n  ")
            let rest = unsupported.count > 50 ? "\n  and \(unsupported.count - 50) more" : ""
            throw SardonyxError(
                .unsupported, "this version cannot run \(unsupported.count) of the model's nodes:\n  \(shown)\(rest)")
        }
        let graph = scope.graph
        let outputs = gather(sdx_graph_output_count(proto)) { sdx_graph_output(proto, $0) }
        return LoadedModel(
            graph: graph, inputNames: graph.inputs.map { graph[$0].name },
            outputNames: outputs.map { sdx_value_info_name($0).text },
            declaredOutputs: try outputs.map {
                try readType(sdx_value_info_type($0), of: sdx_value_info_name($0).text)
            },
            irVersion: irVersion, opsets: opsets, producer: "", metadata: [:], fileByteCount: 0,
            handle: handle)
    }

    /// Reads inputs, initialisers, nodes and outputs into `scope.graph`.
    func importGraph(_ proto: UnsafePointer<sdx_graph>, into scope: GraphScope, _ context: ImportContext) throws {
        guard context.depth < Self.maximumDepth else {
            throw SardonyxError(.invalidModel, "graphs are nested deeper than \(Self.maximumDepth)")
        }
        let names = context.names
        var initializers: [String: Tensor] = [:]
        // In the file's order, so that values have the same numbers at every load.
        var order: [String] = []
        func addInitializer(_ name: String, _ tensor: Tensor) throws {
            order.append(name)
            guard initializers.updateValue(tensor, forKey: name) == nil else {
                throw SardonyxError(.invalidModel, "two initialisers have the name '\(name)'")
            }
        }
        for index in 0..<sdx_graph_initializer_count(proto) {
            let tensor = sdx_graph_initializer(proto, index)
            try addInitializer(sdx_tensor_name(tensor).text, tensors.read(tensor))
        }
        for index in 0..<sdx_graph_sparse_initializer_count(proto) {
            let (name, tensor) = try tensors.readSparse(sdx_graph_sparse_initializer(proto, index))
            try addInitializer(name, tensor)
        }
        for index in 0..<sdx_graph_input_count(proto) {
            let info = sdx_graph_input(proto, index)
            let name = sdx_value_info_name(info).text
            let id = scope.graph.addValue(name, type: try readType(sdx_value_info_type(info), of: name))
            guard names.define(name, .value(id)) else {
                throw SardonyxError(.invalidModel, "two inputs have the name '\(name)'")
            }
            if let tensor = initializers.removeValue(forKey: name) {
                // Before IR version 4 every initialiser had to be an input too; it is a constant all the same.
                if irVersion >= 4 && scope.parent == nil { scope.graph.inputDefaults[id] = tensor }
                scope.graph.constants[id] = tensor
                // A default's declared shape says what else a run may give.
                let declared = scope.graph[id].type
                guard declared.dataType == nil || declared.dataType == tensor.dataType else {
                    throw SardonyxError(
                        .invalidModel,
                        "input '\(name)' is \(declared.text), and its initialiser is \(tensor.spec.text)")
                }
                if irVersion < 4 || declared == .unknown || scope.parent != nil {
                    scope.graph[id].type = .tensor(tensor.dataType, SymbolicShape(tensor.shape))
                }
            } else {
                scope.graph.inputs.append(id)
            }
        }
        for name in order {
            guard let tensor = initializers[name] else { continue }
            let id = scope.graph.addConstant(tensor, name: name)
            if !names.define(name, .value(id)) {
                throw SardonyxError(.invalidModel, "value '\(name)' is defined twice")
            }
        }
        let nodes = gather(sdx_graph_node_count(proto)) { sdx_graph_node(proto, $0) }
        for node in try orderedNodes(nodes) { try importNode(node, context) }
        for index in 0..<sdx_graph_output_count(proto) {
            let name = sdx_value_info_name(sdx_graph_output(proto, index)).text
            guard case .value(let id)? = names.resolve(name) else {
                throw SardonyxError(.invalidModel, "the graph's output '\(name)' is not defined by any node")
            }
            scope.graph.outputs.append(id)
        }
    }

    func importSubgraph(_ proto: UnsafePointer<sdx_graph>, _ context: ImportContext) throws -> Subgraph {
        let scope = GraphScope(name: sdx_graph_name(proto).text, parent: context.names)
        var inner = ImportContext(names: NameScope(scope), opsets: context.opsets)
        inner.callAttributes = context.callAttributes
        inner.callScope = context.callScope
        inner.callStack = context.callStack
        inner.depth = context.depth + 1
        try importGraph(proto, into: scope, inner)
        let declared = gather(sdx_graph_output_count(proto)) { sdx_graph_output(proto, $0) }.map {
            (try? readType(sdx_value_info_type($0), of: sdx_value_info_name($0).text)) ?? .unknown
        }
        return Subgraph(graph: scope.graph, captured: scope.captured, declaredOutputs: declared)
    }

    /// Reads one node; a call of a function becomes the function's nodes.
    func importNode(_ proto: UnsafePointer<sdx_node>, _ context: ImportContext) throws {
        let domain = canonicalDomain(sdx_node_domain(proto).text)
        let type = sdx_node_op_type(proto).text
        let outputNames = gather(sdx_node_output_count(proto)) { sdx_node_output(proto, $0).text }
        var node = Node(
            type, domain: domain, opset: 0, name: sdx_node_name(proto).text, inputs: [], outputs: [],
            firstOutputName: outputNames.first { !$0.isEmpty } ?? "")
        do {
            try importNode(proto, &node, outputNames, context)
        } catch let error as SardonyxError {
            throw error.at(node)
        }
    }

    private func importNode(
        _ proto: UnsafePointer<sdx_node>, _ node: inout Node, _ outputNames: [String], _ context: ImportContext
    ) throws {
        let names = context.names
        let scope = names.scope
        node.inputs = try gather(sdx_node_input_count(proto)) { index in
            let name = sdx_node_input(proto, index).text
            if name.isEmpty { return nil }
            switch names.resolve(name) {
            case .value(let id): return id
            case .omitted: return nil
            case nil: throw SardonyxError(.invalidModel, "input '\(name)' is not defined by anything before the node")
            }
        }
        node.attributes = try importAttributes(proto, context)

        let overload = sdx_node_overload(proto).text
        if let function = functions.find(domain: node.domain, name: node.operatorType, overload: overload) {
            let results = try inline(function, node, context)
            for (index, name) in outputNames.enumerated() where !name.isEmpty {
                guard index < results.count, let id = results[index] else {
                    throw SardonyxError(.invalidModel, "the function gives no output \(index), which the node wants")
                }
                guard names.define(name, .value(id)) else { throw Self.doubleDefinition(name) }
            }
            return
        }

        guard !outputNames.isEmpty else { throw SardonyxError(.invalidModel, "the node has no outputs") }
        node.opset = context.opsets[node.domain] ?? (node.domain.isEmpty && irVersion < 3 ? 1 : 0)
        node.outputs = try outputNames.enumerated().map { index, name in
            if name.isEmpty {
                // Kernels always make their first output.
                return index == 0 ? scope.graph.addValue("\(node.displayName).unused") : nil
            }
            let id = scope.graph.addValue(name)
            guard names.define(name, .value(id)) else { throw Self.doubleDefinition(name) }
            return id
        }
        guard let operatorType = registry.find(node) else {
            unsupported.append(Self.describe(node, "no such operator"))
            return
        }
        if let reason = Self.refusal(node, operatorType.schema) {
            unsupported.append(Self.describe(node, reason))
            return
        }
        try appendNamedValues(to: &node, operatorType, names)
        try emit(node, operatorType, into: scope)
    }

    /// Values that attributes name become inputs: what a node reads is in its inputs, whatever happens to names.
    private func appendNamedValues(
        to node: inout Node, _ operatorType: any Operator.Type, _ names: NameScope
    ) throws {
        for attribute in operatorType.attributesNamingValues {
            for name in node.strings(attribute) ?? node.string(attribute).map({ [$0] }) ?? [] {
                guard case .value(let id)? = names.resolve(name) else {
                    throw SardonyxError(
                        .invalidModel, "attribute '\(attribute)' names '\(name)', which is not defined by anything")
                }
                node.inputs.append(id)
            }
        }
    }

    /// Lifts the node, checks it against the newest schema, and adds it to the graph.
    private func emit(_ node: Node, _ operatorType: any Operator.Type, into scope: GraphScope) throws {
        var node = node
        let type = node.operatorType
        if type == "Constant", node.domain.isEmpty, let tensor = node.tensor("value"),
            let output = node.outputs.first, let output
        {
            scope.graph.constants[output] = tensor
            scope.graph[output].type = .tensor(tensor.dataType, SymbolicShape(tensor.shape))
            return
        }
        var lifting = Lifting(taking: &scope.graph)
        let result = Result { try operatorType.lift(&node, from: node.opset, in: &lifting) }
        let (before, after) = lifting.takeInserted()
        lifting.giveBack(to: &scope.graph)
        try result.get()
        guard let lifted = node.operatorType == type ? operatorType : registry.find(node) else {
            unsupported.append(Self.describe(node, "no such operator"))
            return
        }
        if before.isEmpty && after.isEmpty {
            try lifted.schema.check(node)
            scope.graph.nodes.append(node)
            return
        }
        for helper in before + [node] + after {
            let schema = helper.operatorType == node.operatorType ? lifted.schema : registry.find(helper)?.schema
            guard let schema else {
                unsupported.append(Self.describe(helper, "needed for \(node.operatorType); no such operator"))
                return
            }
            try schema.check(helper)
            scope.graph.nodes.append(helper)
        }
    }

    private static func doubleDefinition(_ name: String) -> SardonyxError {
        SardonyxError(.invalidModel, "value '\(name)' is defined twice; every value has one definition")
    }

    private static func describe(_ node: Node, _ reason: String) -> String {
        "\(node.qualifiedType) '\(node.displayName)' (opset \(node.opset)): \(reason)"
    }

    /// Why an operator of the registry cannot take the node, from its opset alone.
    private static func refusal(_ node: Node, _ schema: Schema) -> String? {
        if node.opset == 0 { return "the model imports no opset of the domain '\(node.domain)'" }
        if let newest = newestOpsets[node.domain], node.opset > newest {
            return "opset \(node.opset) is newer than \(newest), the newest that this version knows"
        }
        if schema.version(inOpset: node.opset) == nil {
            return "the operator came with opset \(schema.versions.first ?? 0)"
        }
        return nil
    }

    private static let newestOpsets = ["": 28, "ai.onnx.ml": 5, "ai.onnx.preview.training": 1]
}
