import COnnxReader
import SardonyxGraph

/// The functions that the model brings, by domain, name and overload.
struct FunctionTable {
    private var table: [String: UnsafePointer<sdx_function>] = [:]

    init(_ model: UnsafePointer<sdx_model>) throws {
        for index in 0..<sdx_model_function_count(model) {
            let function = sdx_model_function(model, index)
            let key = Self.key(
                canonicalDomain(sdx_function_domain(function).text), sdx_function_name(function).text,
                sdx_function_overload(function).text)
            guard table.updateValue(function, forKey: key) == nil else {
                throw SardonyxError(.invalidModel, "two functions have the name \(key)")
            }
        }
    }

    func find(domain: String, name: String, overload: String) -> UnsafePointer<sdx_function>? {
        table.isEmpty ? nil : table[Self.key(domain, name, overload)]
    }

    private static func key(_ domain: String, _ name: String, _ overload: String) -> String {
        "\(domain)::\(name)" + (overload.isEmpty ? "" : "::" + overload)
    }
}

extension Importer {
    /// Puts the function's nodes where the call stands.
    /// - Returns: the values of the function's outputs; nil for an output that is an omitted input.
    func inline(
        _ function: UnsafePointer<sdx_function>, _ call: Node, _ context: ImportContext
    ) throws -> [ValueID?] {
        let key = call.qualifiedType + "." + sdx_function_overload(function).text
        guard !context.callStack.contains(key) else {
            throw SardonyxError(.invalidModel, "the function calls itself: \(context.callStack + [key])")
        }
        guard context.callStack.count < Self.maximumDepth else {
            throw SardonyxError(.invalidModel, "functions are nested deeper than \(Self.maximumDepth)")
        }
        inlinedNodes += sdx_function_node_count(function)
        guard inlinedNodes <= Self.maximumInlinedNodes else {
            throw SardonyxError(.invalidModel, "inlining the functions gives over \(Self.maximumInlinedNodes) nodes")
        }

        let names = NameScope(context.names.scope, seesOutside: false)
        let formal = gather(sdx_function_input_count(function)) { sdx_function_input(function, $0).text }
        guard call.inputs.count <= formal.count else {
            throw SardonyxError(
                .invalidModel, "the function takes \(formal.count) inputs; the node gives \(call.inputs.count)")
        }
        for (index, name) in formal.enumerated() {
            let actual = index < call.inputs.count ? call.inputs[index] : nil
            guard names.define(name, actual.map { .value($0) } ?? .omitted) else {
                throw SardonyxError(.invalidModel, "the function has two inputs with the name '\(name)'")
            }
        }

        var inner = ImportContext(
            names: names,
            opsets: ModelLoader.readOpsets(
                gather(sdx_function_opset_count(function)) { sdx_function_opset(function, $0) }))
        var attributes = call.attributes
        for index in 0..<sdx_function_default_count(function) {
            let attribute = sdx_function_default(function, index)
            let name = sdx_attribute_name(attribute).text
            if attributes[name] == nil { attributes[name] = try importAttribute(attribute, name, context) }
        }
        inner.callAttributes = attributes
        inner.callScope = context.names.scope
        inner.callStack = context.callStack + [key]
        inner.depth = context.depth
        let nodes = gather(sdx_function_node_count(function)) { sdx_function_node(function, $0) }
        for node in try orderedNodes(nodes) { try importNode(node, inner) }
        return try gather(sdx_function_output_count(function)) { index in
            let name = sdx_function_output(function, index).text
            switch names.resolve(name) {
            case .value(let id): return id
            case .omitted: return nil
            case nil: throw SardonyxError(.invalidModel, "the function's output '\(name)' is not defined by any node")
            }
        }
    }
}
