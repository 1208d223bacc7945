import SardonyxGraph

extension Derivation {
    func term(_ id: ValueID) -> Term { Term(id: id, builder: builder) }

    /// An input that the schema requires.
    func x(_ index: Int = 0) throws(SardonyxError) -> Term {
        guard let term = optionalInput(index) else { throw SardonyxError(.invalidModel, "input \(index) is missing") }
        return term
    }

    func optionalInput(_ index: Int) -> Term? {
        index < node.inputs.count ? node.inputs[index].map(term) : nil
    }

    /// The output as the node computes it.
    func y(_ index: Int = 0) throws(SardonyxError) -> Term {
        guard index < node.outputs.count, let id = node.outputs[index] else {
            throw SardonyxError(.invalidModel, "output \(index) is missing")
        }
        return term(id)
    }

    /// The gradient of an output; nil is zero.
    func gradient(_ output: Int) -> Term? {
        output < outputGradients.count ? outputGradients[output].map(term) : nil
    }

    /// The gradient of an operator's only output of floating point.
    func dy() throws(SardonyxError) -> Term {
        guard let gradient = gradient(0) else {
            throw SardonyxError(.unsupported, "an output other than the first has no derivative")
        }
        return gradient
    }

    /// The gradient of a value on which nothing depends.
    func zeros(like term: Term) throws -> Term { self.term(try builder.zeros(like: term.id)) }

    func wants(_ input: Int) -> Bool { input < isWanted.count && isWanted[input] }

    /// Sets an input's gradient, which is computed only where it is of use.
    func set(_ input: Int, _ gradient: () throws -> Term) rethrows {
        if wants(input) { gradients[input] = try gradient().id }
    }

    /// Sets the gradient of an input that was broadcast.
    func setSummed(_ input: Int, _ gradient: () throws -> Term) throws {
        try set(input) { try gradient().summed(like: x(input)) }
    }

    /// Sets the gradients by differentiating an expression that gives the same outputs, of which nil has none.
    func differentiate(_ definition: () throws -> [Term?]) throws {
        let start = builder.graph.nodes.count
        let outputs = try definition()
        let added = Array(builder.graph.nodes[start...])
        var seeds: [(value: ValueID, gradient: ValueID)] = []
        for (index, gradient) in outputGradients.enumerated() {
            guard let gradient else { continue }
            guard index < outputs.count, let output = outputs[index] else {
                throw SardonyxError(.unsupported, "output \(index) has no derivative")
            }
            seeds.append((output.id, gradient))
        }
        // A value that is given for several inputs gets its gradient once.
        var places: [ValueID: Int] = [:]
        for (index, id) in node.inputs.enumerated() where wants(index) {
            if let id, places[id] == nil { places[id] = index }
        }
        let targets = places.sorted { $0.value < $1.value }
        let captures = wantedCaptures.filter { places[$0] == nil }
        let results = try builder.differentiate(added, seeds, targets.map(\.key) + captures, builder)
        for (target, result) in zip(targets, results) { gradients[target.value] = result }
        for (value, result) in zip(captures, results.dropFirst(targets.count)) {
            if let result { captureGradients.append((value, result)) }
        }
    }
}

extension Derivative {
    /// The rule of y = f(x), element by element: x's gradient from x, y and y's gradient.
    static func unary(_ rule: @escaping @Sendable (_ x: Term, _ y: Term, _ dy: Term) throws -> Term) -> Derivative {
        Derivative { d in
            let (x, y, dy) = (try d.x(), try d.y(), try d.dy())
            try d.set(0) { try rule(x, y, dy) }
        }
    }

    /// The rule of an operator that an expression of others defines.
    static func definition(_ definition: @escaping @Sendable (Derivation) throws -> [Term?]) -> Derivative {
        Derivative { d in
            try d.differentiate { try definition(d) }
        }
    }
}
