import COnnxReader
import SardonyxGraph

extension Importer {
    func importAttributes(
        _ proto: UnsafePointer<sdx_node>, _ context: ImportContext
    ) throws -> [String: Attribute] {
        let count = sdx_node_attribute_count(proto)
        if count == 0 { return [:] }
        var attributes: [String: Attribute] = [:]
        for index in 0..<count {
            let attribute = sdx_node_attribute(proto, index)
            let name = sdx_attribute_name(attribute).text
            let reference = sdx_attribute_reference(attribute).text
            let value: Attribute?
            if reference.isEmpty {
                value = try importAttribute(attribute, name, context)
            } else {
                guard let call = context.callAttributes else {
                    throw SardonyxError(
                        .invalidModel, "attribute '\(name)' refers to '\(reference)', and the node is in no function")
                }
                // An attribute that the call leaves out is left out here too.
                value = call[reference]
                if let value, value.capturesValues, context.callScope !== context.names.scope {
                    throw SardonyxError(
                        .unsupported,
                        "attribute '\(name)' is a graph that a function's caller gives to a graph inside the function")
                }
            }
            guard let value else { continue }
            guard attributes.updateValue(value, forKey: name) == nil else {
                throw SardonyxError(.invalidModel, "attribute '\(name)' is given twice")
            }
        }
        return attributes
    }

    /// nil for an attribute without a type or value.
    func importAttribute(
        _ attribute: UnsafePointer<sdx_attribute>, _ name: String, _ context: ImportContext
    ) throws -> Attribute? {
        func list<T>(_ type: sdx_attribute_type, _ element: (Int) throws -> T) rethrows -> [T] {
            try gather(sdx_attribute_count(attribute, type), element)
        }
        let number = sdx_attribute_type_number(attribute)
        switch sdx_attribute_type(UInt32(bitPattern: number)) {
        case SDX_ATTRIBUTE_FLOAT: return .float(sdx_attribute_float(attribute))
        case SDX_ATTRIBUTE_INT: return .int(sdx_attribute_int(attribute))
        case SDX_ATTRIBUTE_STRING: return .string(sdx_attribute_string(attribute).text)
        case SDX_ATTRIBUTE_FLOATS: return .floats(sdx_attribute_floats(attribute).array)
        case SDX_ATTRIBUTE_INTS: return .ints(sdx_attribute_ints(attribute).array)
        case SDX_ATTRIBUTE_STRINGS:
            return .strings(list(SDX_ATTRIBUTE_STRINGS) { sdx_attribute_string_at(attribute, $0).text })
        case SDX_ATTRIBUTE_TENSOR:
            guard let tensor = sdx_attribute_tensor(attribute) else { throw Self.empty(name) }
            return .tensor(try tensors.read(tensor))
        case SDX_ATTRIBUTE_TENSORS:
            return .tensors(
                try list(SDX_ATTRIBUTE_TENSORS) { try tensors.read(sdx_attribute_tensor_at(attribute, $0)) })
        case SDX_ATTRIBUTE_SPARSE_TENSOR:
            guard let sparse = sdx_attribute_sparse_tensor(attribute) else { throw Self.empty(name) }
            return .tensor(try tensors.readSparse(sparse).tensor)
        case SDX_ATTRIBUTE_GRAPH:
            guard let graph = sdx_attribute_graph(attribute) else { throw Self.empty(name) }
            return .graph(try importSubgraph(graph, context))
        case SDX_ATTRIBUTE_GRAPHS:
            return .graphs(
                try list(SDX_ATTRIBUTE_GRAPHS) { try importSubgraph(sdx_attribute_graph_at(attribute, $0), context) })
        case SDX_ATTRIBUTE_TYPE:
            return .type(try readType(sdx_attribute_value_type(attribute), of: name))
        case SDX_ATTRIBUTE_UNDEFINED: return nil
        default:
            throw SardonyxError(.unsupported, "attribute '\(name)' is of kind \(number), which is not supported")
        }
    }

    private static func empty(_ name: String) -> SardonyxError {
        SardonyxError(.malformed, "attribute '\(name)' has no value")
    }
}
