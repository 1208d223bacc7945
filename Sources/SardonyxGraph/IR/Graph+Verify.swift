extension Graph {
    /// Checks what every pass relies on: single assignment, definition before use, no dangling value.
    /// - Throws: `SardonyxError` (`invalidModel`) that names the value and node.
    package func verify() throws(SardonyxError) {
        var defined = [Bool](repeating: false, count: values.count)

        // What is at fault is put in words only then.
        func define(_ id: ValueID, by what: @autoclosure () -> String) throws(SardonyxError) {
            guard values.indices.contains(Int(id.index)) else {
                throw SardonyxError(.invalidModel, "\(what()) defines value \(id.index), which the graph does not have")
            }
            if defined[Int(id.index)] {
                throw SardonyxError(
                    .invalidModel, "value '\(self[id].name)' is defined twice, the second time by \(what())")
            }
            defined[Int(id.index)] = true
        }
        func use(_ id: ValueID, by what: @autoclosure () -> String) throws(SardonyxError) {
            guard values.indices.contains(Int(id.index)), defined[Int(id.index)] else {
                let name = values.indices.contains(Int(id.index)) ? self[id].name : "#\(id.index)"
                throw SardonyxError(.invalidModel, "\(what()) reads '\(name)' before it is defined")
            }
        }

        for id in inputs { try define(id, by: "the graph's inputs") }
        for id in captures { try define(id, by: "the graph's captures") }
        for id in constants.keys { try define(id, by: "a constant") }
        for node in nodes {
            for case let id? in node.inputs { try use(id, by: "\(node.qualifiedType) '\(node.displayName)'") }
            for subgraph in node.subgraphs {
                for id in subgraph.captured { try use(id, by: "\(node.qualifiedType) '\(node.displayName)'") }
                guard subgraph.captured.count == subgraph.graph.captures.count else {
                    throw SardonyxError(.invalidModel, "a subgraph's captures do not match", node: node.displayName)
                }
                try subgraph.graph.verify()
            }
            for case let id? in node.outputs { try define(id, by: "\(node.qualifiedType) '\(node.displayName)'") }
        }
        for id in outputs { try use(id, by: "the graph's outputs") }
    }
}
