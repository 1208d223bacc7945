import SardonyxGraph

extension Schema {
    /// Checks the inputs' element types against the parameters, and that inputs of one type variable agree.
    /// - Throws: `SardonyxError` (`invalidModel`) with the input's name, its type and the types allowed.
    func checkTypes(of node: Node, _ types: [ValueType?]) throws(SardonyxError) {
        var bound: [String: (type: DataType, input: String)] = [:]
        for (index, type) in types.enumerated() {
            guard case .tensor(let element, _)? = type, let parameter = parameter(forInput: index) else { continue }
            // Parameters that take no tensor at all (sequences, maps) have an empty set and are checked by the operator.
            if parameter.types == [] { continue }
            guard parameter.types.contains(element) else {
                let allowed = parameter.types.types.map(\.name).joined(separator: ", ")
                throw SardonyxError(
                    .invalidModel, "input '\(parameter.name)' has the type \(element.name); it may have: \(allowed)")
            }
            if parameter.kind == .variadic && !parameter.isHomogeneous { continue }
            if let first = bound[parameter.variable], first.type != element {
                throw SardonyxError(
                    .invalidModel,
                    "input '\(parameter.name)' has the type \(element.name) and '\(first.input)' has \(first.type.name); "
                        + "they must be the same")
            }
            bound[parameter.variable] = (element, parameter.name)
        }
    }
}
