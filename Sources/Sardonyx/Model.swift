import SardonyxCompiler
import SardonyxGraph
import SardonyxLoading
import SardonyxOperators

/// An ONNX model: read, checked, and ready for sessions.
///
/// Opening a model reads no weights: they stay in the file until a session packs them.
public struct Model: Sendable {
    /// How a model is opened.
    public struct Options: Sendable {
        /// Whether weights are read from the file as they are needed, or the file is copied into memory first.
        public var weights: WeightMode = .mapped
        /// Operators of domains of your own that the model may use.
        public var operators: [any CustomOperator.Type] = []
        /// Weights stay in the file; the operators are ONNX's.
        public init() {}
    }

    /// The inputs that a run needs.
    public let inputs: Ports
    /// Inputs that have a default in the model and may be given.
    public let optionalInputs: Ports
    /// What a run gives.
    public let outputs: Ports
    /// The opset version that the model imports for each domain; ai.onnx is the empty name.
    public var opsets: [String: Int] { loaded.opsets }
    /// The version of ONNX's file format.
    public var irVersion: Int { loaded.irVersion }
    /// The exporter and its version.
    public var producer: String { loaded.producer }
    /// The model's own notes, by key.
    public var metadata: [String: String] { loaded.metadata }
    package let loaded: LoadedModel
    /// The operators of the model's sessions.
    let registry: OperatorRegistry
    let preparation = SharedPreparation()
    /// The graph with inferred types.
    package let graph: Graph

    /// Opens a model file.
    /// - Throws: `SardonyxError`: `file` when it cannot be read, `malformed` when it is no ONNX model, `invalidModel` when
    ///   it breaks a rule, `unsupported` with every node that this version cannot run,
    ///   `invalidOption` for operators that are not in a domain of their own.
    public init(contentsOf path: String, options: Options = Options()) throws {
        do {
            let known = try OperatorRegistry.standard.with(options.operators)
            try self.init(
                ModelLoader.load(path: path, weights: options.weights, registry: known), operators: options.operators)
        } catch let error as SardonyxError {
            throw error.inFile(path)
        }
    }

    /// Reads a model from memory. It cannot have external data.
    /// - Throws: as `init(contentsOf:)`.
    public init(bytes: UnsafeRawBufferPointer, options: Options = Options()) throws {
        let known = try OperatorRegistry.standard.with(options.operators)
        try self.init(ModelLoader.load(bytes: bytes, registry: known), operators: options.operators)
    }

    package init(_ source: LoadedModel, operators: [any CustomOperator.Type] = []) throws {
        // Folding copies weights; checking a model must not.
        let foldingLimit = 1 << 16
        let registry = try OperatorRegistry.engine.with(operators)
        var loaded = source
        try Differentiation(registry: registry, foldingLimit: foldingLimit).run(on: &loaded.graph)
        self.loaded = loaded
        self.registry = registry
        var graph = loaded.graph
        var inference = TypeInference(registry: registry)
        inference.foldingLimit = foldingLimit
        try inference.run(on: &graph)
        self.graph = graph
        inputs = Ports(graph.inputs.map { Port(name: graph[$0].name, type: graph[$0].type) })
        optionalInputs = Ports(
            graph.inputDefaults.keys.sorted { $0.index < $1.index }
                .map { Port(name: loaded.graph[$0].name, type: loaded.graph[$0].type) })
        outputs = Ports(
            zip(loaded.outputNames, zip(loaded.declaredOutputs, graph.outputs)).map { name, types in
                let inferred = graph[types.1].type
                return Port(name: name, type: inferred.shape == nil ? types.0.refined(by: inferred) : inferred)
            })
    }

    /// How often each operator occurs, subgraphs included.
    public var operatorCounts: [String: Int] { loaded.graph.operatorCounts() }

    /// The number of elements in all constants.
    public var parameterCount: Int { loaded.graph.constants.values.reduce(0) { $0 + $1.count } }
}
