import SardonyxGraph

// Gradients of whatever values there are: a sequence's is the sequence of its elements' gradients, and an optional's holds the
// gradient of what the optional holds, or nothing.

extension ValueType {
    fileprivate var mayHaveGradient: Bool {
        switch self {
        case .tensor(let type, _), .sparseTensor(let type, _): type.isDifferentiable
        case .sequence(let element), .optional(let element): element.mayHaveGradient
        case .map: false
        case .unknown: true
        }
    }

    /// How many sequences and optionals are around what this type holds.
    fileprivate var nesting: Int {
        var (type, depth) = (self, 0)
        while true {
            switch type {
            case .sequence(let element), .optional(let element): (type, depth) = (element, depth + 1)
            default: return depth
            }
        }
    }
}

extension DataType {
    fileprivate var isDifferentiable: Bool {
        switch self {
        case .float, .double, .float16, .bfloat16: true
        default: false
        }
    }
}

extension GraphBuilder {
    private static let deepestGradient = 8

    package func isDifferentiable(_ id: ValueID) -> Bool { graph[id].type.dataType?.isDifferentiable ?? false }

    /// Also for sequences and optionals of floating point, and where the type is not known.
    package func mayHaveGradient(_ id: ValueID) -> Bool { graph[id].type.mayHaveGradient }

    /// The gradient of a value on which nothing depends.
    package func zeros(like id: ValueID) throws -> ValueID {
        try mapTensors([id]) { inner, parts in try Term(id: parts[0], builder: inner).zeros().id }
    }

    /// The sum of some gradients of one value.
    package func sum(_ gradients: [ValueID]) throws -> ValueID {
        if gradients.count == 1 { return gradients[0] }
        return try mapTensors(gradients) { inner, parts in try inner.add("Sum", parts)[0] }
    }

    /// The sum of a sequence of gradients of one value.
    package func total(_ gradients: ValueID, like id: ValueID) throws -> ValueID {
        let zeros = Term(id: try zeros(like: id), builder: self)
        let all = Term(id: gradients, builder: self)
        if graph[id].type.dataType != nil {
            return try all.apply("SequenceInsert", zeros, zeros.scalar(0))
                .apply("ConcatFromSequence", with: ["axis": .int(0), "new_axis": .int(1)])
                .apply("ReduceSum", zeros.integers([0]), with: ["keepdims": .int(0)]).id
        }
        var body = Graph(name: "\(prefix)/sum")
        body.inputs = [
            body.addValue("position", type: .tensor(.int64, [])), body.addValue("condition", type: .tensor(.bool, [])),
            body.addValue("sum", type: zeros.type),
        ]
        body.captures = [body.addValue("gradients")]
        let (inputs, captures) = (body.inputs, body.captures)
        let step = try subgraph(body, captured: [gradients]) { inner in
            let next = try inner.add("SequenceAt", [captures[0], inputs[0]])[0]
            return [inputs[1], try inner.sum([inputs[2], next])]
        }
        return try add("Loop", [all.apply("SequenceLength").id, nil, zeros.id], ["body": .graph(step)])[0]
    }

    /// What `change` makes of the tensors that stand at the same place of values of one structure, in that structure.
    package func mapTensors(
        _ values: [ValueID], _ change: (_ inner: GraphBuilder, _ tensors: [ValueID]) throws -> ValueID
    ) throws -> ValueID {
        let known = values.first { graph[$0].type != .unknown } ?? values[0]
        // Each level takes a graph in a graph.
        guard graph[known].type.nesting <= Self.deepestGradient else {
            throw SardonyxError(
                .unsupported,
                "'\(graph[known].name)' has no gradient: sequences and optionals are nested \(graph[known].type.nesting) "
                    + "deep in it, and \(Self.deepestGradient) is the limit")
        }
        switch graph[known].type {
        case .tensor, .sparseTensor: return try change(self, values)
        case .sequence:
            var body = Graph(name: "\(prefix)/element")
            body.inputs = values.map { value in
                guard case .sequence(let element) = graph[value].type else { return body.addValue("element") }
                return body.addValue("element", type: element)
            }
            let elements = body.inputs
            let step = try subgraph(body, captured: []) { [try $0.mapTensors(elements, change)] }
            return try add("SequenceMap", values, ["body": .graph(step)])[0]
        case .optional:
            let isThere = Term(id: try add("OptionalHasElement", [known])[0], builder: self)
            return try isThere.choose(values) { inner, optionals in
                let held = try optionals.map { try inner.add("OptionalGetElement", [$0])[0] }
                return try inner.add("Optional", [inner.mapTensors(held, change)])[0]
            } else: {
                $1[0]
            }.id
        case .map, .unknown:
            let value = graph[known]
            throw SardonyxError(
                .unsupported, "'\(value.name)' has no gradient: its type is \(value.type.text), and must be known")
        }
    }
}

extension Term {
    /// This bool's choice, in the run, of what two branches make of values.
    func choose(
        _ values: [ValueID], _ yes: (_ inner: GraphBuilder, _ values: [ValueID]) throws -> ValueID,
        else no: (_ inner: GraphBuilder, _ values: [ValueID]) throws -> ValueID
    ) throws -> Term {
        func branch(
            _ make: (_ inner: GraphBuilder, _ values: [ValueID]) throws -> ValueID
        ) throws -> Attribute {
            var graph = Graph(name: "\(builder.prefix)/branch")
            graph.captures = values.map { graph.addValue(builder.graph[$0].name) }
            let captures = graph.captures
            return .graph(try builder.subgraph(graph, captured: values) { [try make($0, captures)] })
        }
        let result = try builder.add("If", [id], ["then_branch": branch(yes), "else_branch": branch(no)])[0]
        return Term(id: result, builder: builder)
    }

    /// What `change` makes of this term along the axis that the run names, which is one of `axes`, or along each of those that
    /// it names. Each is looked at in turn: an operator's attributes, and its rule, need an axis that is known.
    ///
    /// - Parameters:
    ///   - named: int64; may count from the end.
    ///   - whenEmpty: whether naming none means all of them.
    ///   - shared: what else `change` reads.
    func changed(
        along axes: Range<Int>, named: Term, whenEmpty: Bool = false, with shared: [Term] = [],
        _ change: (_ term: Term, _ axis: Int, _ shared: [Term]) throws -> Term
    ) throws -> Term {
        let rank = try rank()
        func isAny(_ truths: Term) throws -> Term {
            try truths.converted(to: named).apply("ReduceSum", with: ["keepdims": .int(0)]).isGreater(than: 0)
        }
        let isEmpty = try named.apply("Size").isEqual(to: named.scalar(0))
        var result = self
        for axis in axes {
            var isNamed = try isAny(named.isEqual(to: named.scalar(axis)))
            isNamed = try isNamed.apply("Or", isAny(named.isEqual(to: named.scalar(axis - rank))))
            if whenEmpty { isNamed = try isNamed.apply("Or", isEmpty) }
            result = try isNamed.choose([result.id] + shared.map(\.id)) { inner, values in
                let terms = values.map { Term(id: $0, builder: inner) }
                return try change(terms[0], axis, Array(terms.dropFirst())).id
            } else: {
                $1[0]
            }
        }
        return result
    }
}
