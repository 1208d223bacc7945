import SardonyxGraph

/// A graph under construction, and how values of the graph around it come in.
final class GraphScope {
    var graph: Graph
    let parent: NameScope?
    /// The outer values that the graph reads, in the order of `graph.captures`.
    private(set) var captured: [ValueID] = []
    private var captures: [ValueID: ValueID] = [:]
    /// Whether constants of floating point that are read inside are captured too: a model that is trained differentiates by
    /// its weights, and a copy inside would hide the way to them.
    let capturesWeights: Bool

    init(name: String, parent: NameScope?, capturesWeights: Bool = false) {
        self.capturesWeights = parent?.scope.capturesWeights ?? capturesWeights
        graph = Graph(name: name)
        self.parent = parent
    }

    /// The value inside that stands for an outer one.
    func capture(_ outer: ValueID, name: String, type: ValueType) -> ValueID {
        if let inner = captures[outer] { return inner }
        let inner = graph.addValue(name, type: type)
        graph.captures.append(inner)
        captured.append(outer)
        captures[outer] = inner
        return inner
    }
}

/// What names mean at one place: in a graph, or in one call of a function.
final class NameScope {
    /// What a name stands for.
    enum Meaning {
        case value(ValueID)
        /// A function's input that the call leaves out.
        case omitted
    }

    let scope: GraphScope
    /// A function's body sees its own names alone, wherever the call stands.
    private let seesOutside: Bool
    private var names: [String: Meaning] = [:]

    init(_ scope: GraphScope, seesOutside: Bool = true) {
        self.scope = scope
        self.seesOutside = seesOutside
    }

    /// - Returns: false when the name has a meaning already.
    func define(_ name: String, _ meaning: Meaning) -> Bool {
        names.updateValue(meaning, forKey: name) == nil
    }

    /// Looks the name up here, then in the graphs around; a value found there is captured.
    func resolve(_ name: String) -> Meaning? {
        if let meaning = names[name] { return meaning }
        guard seesOutside, let parent = scope.parent, let meaning = parent.resolve(name) else { return nil }
        guard case .value(let outer) = meaning else { return meaning }
        let graph = parent.scope.graph
        if let constant = graph.constants[outer], graph.inputDefaults[outer] == nil,
            !(scope.capturesWeights && constant.dataType.isFloatingPoint)
        {
            // Constants need not travel through captures; a default must, because a run may give another value.
            let inner = scope.graph.addConstant(constant, name: name)
            names[name] = .value(inner)
            return .value(inner)
        }
        let inner = scope.capture(outer, name: name, type: graph[outer].type)
        names[name] = .value(inner)
        return .value(inner)
    }
}

/// What holds while the nodes of one graph or function are read.
struct ImportContext {
    let names: NameScope
    let opsets: [String: Int]
    /// In a function: the attributes of the call, for attributes that refer to them.
    var callAttributes: [String: Attribute]?
    /// The graph that the call stands in: what graphs among the attributes capture are values of it.
    var callScope: GraphScope?
    /// Functions being inlined, outermost first, to refuse recursion.
    var callStack: [String] = []
    /// How many graphs are around.
    var depth = 0
}
