import SardonyxGraph

extension Schema {
    /// Checks a lifted node's attributes and the number of its inputs and outputs.
    /// - Throws: `SardonyxError` (`invalidModel`) that says what the operator takes.
    func check(_ node: Node) throws(SardonyxError) {
        for (name, attribute) in node.attributes {
            if name.hasPrefix("sardonyx.") {
                throw SardonyxError(.invalidModel, "attribute '\(name)' is reserved").at(node)
            }
            guard let spec = attributes.first(where: { $0.name == name }) else {
                let known = attributes.map(\.name).joined(separator: ", ")
                throw SardonyxError(
                    .invalidModel, "there is no attribute '\(name)' in opset \(node.opset); there are: \(known)"
                ).at(node)
            }
            guard spec.accepts(attribute) else {
                throw SardonyxError(
                    .invalidModel, "attribute '\(name)' must be \(spec.kind.rawValue); it is \(attribute.kind)"
                ).at(node)
            }
        }
        for spec in attributes where spec.isRequired && node.attributes[spec.name] == nil {
            throw SardonyxError(.invalidModel, "the required attribute '\(spec.name)' is missing").at(node)
        }
        try check(node.inputs, inputs, "input", node)
        if node.outputs.count > outputs.count, outputs.last.map({ $0.kind != .variadic }) ?? true {
            throw SardonyxError(
                .invalidModel, "there are \(node.outputs.count) outputs; the operator gives \(outputs.count)"
            ).at(node)
        }
    }

    private func check(
        _ given: [ValueID?], _ parameters: [Parameter], _ what: String, _ node: Node
    ) throws(SardonyxError) {
        if given.count > parameters.count, parameters.last.map({ $0.kind != .variadic }) ?? true {
            throw SardonyxError(
                .invalidModel, "there are \(given.count) \(what)s; the operator takes \(parameters.count)"
            ).at(node)
        }
        for (index, parameter) in parameters.enumerated() where parameter.kind == .required {
            if index >= given.count || given[index] == nil {
                throw SardonyxError(.invalidModel, "\(what) '\(parameter.name)' is missing").at(node)
            }
        }
    }
}

extension AttributeSpec {
    fileprivate func accepts(_ attribute: Attribute) -> Bool {
        if attribute.kind == kind.rawValue { return true }
        switch (kind, attribute) {
        case (.sparseTensor, .tensor): return true
        // An empty list has no field by which old files could tell its kind.
        case (.floats, .ints(let values)): return values.isEmpty
        case (.ints, .floats(let values)): return values.isEmpty
        default: return false
        }
    }
}
