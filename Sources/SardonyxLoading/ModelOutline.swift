import COnnxReader
import SardonyxGraph

/// What a file says of its model, whether it can run or not.
package struct ModelOutline: Sendable {
    package var inputs: [(name: String, type: ValueType)] = []
    /// Inputs with a default.
    package var optionalInputs: [(name: String, type: ValueType)] = []
    package var outputs: [(name: String, type: ValueType)] = []
    package var irVersion = 0
    package var opsets: [String: Int] = [:]
    package var producer = ""
    /// As the file has them: calls of functions count, what is in the functions does not.
    package var operatorCounts: [String: Int] = [:]
    /// Elements of all initialisers.
    package var parameterCount = 0
    package var fileByteCount = 0

    package init() {}

    /// Reads a file's outline; weights stay where they are.
    /// - Throws: `file`, `malformed`, and `unsupported` for element types that ONNX does not define.
    package init(contentsOf path: String) throws {
        do {
            var error = sdx_error()
            guard let pointer = sdx_model_open(path, SDX_OPEN_MAPPED, &error) else { throw SardonyxError(error) }
            let handle = ModelHandle(pointer)
            try read(UnsafePointer(handle.pointer))
        } catch let error as SardonyxError {
            throw error.inFile(path)
        }
    }

    private mutating func read(_ model: UnsafePointer<sdx_model>) throws {
        fileByteCount = sdx_model_byte_count(model)
        irVersion = Int(clamping: sdx_model_ir_version(model))
        opsets = ModelLoader.readOpsets(gather(sdx_model_opset_count(model)) { sdx_model_opset(model, $0) })
        producer = [sdx_model_producer_name(model).text, sdx_model_producer_version(model).text]
            .filter { !$0.isEmpty }.joined(separator: " ")
        guard let graph = sdx_model_graph(model) else { return }
        var defaults = Set<String>()
        for index in 0..<sdx_graph_initializer_count(graph) {
            let tensor = sdx_graph_initializer(graph, index)
            defaults.insert(sdx_tensor_name(tensor).text)
            let count = sdx_tensor_dims(tensor).array.map { Int($0) }.checkedElementCount ?? 0
            parameterCount = parameterCount.addingReportingOverflow(count).partialValue
        }
        for index in 0..<sdx_graph_input_count(graph) {
            let entry = try Self.entry(sdx_graph_input(graph, index))
            if !defaults.contains(entry.name) {
                inputs.append(entry)
            } else if irVersion >= 4 {
                optionalInputs.append(entry)
            }
        }
        outputs = try gather(sdx_graph_output_count(graph)) { try Self.entry(sdx_graph_output(graph, $0)) }
        count(graph, depth: 0)
    }

    private static func entry(_ info: UnsafePointer<sdx_value_info>) throws -> (name: String, type: ValueType) {
        let name = sdx_value_info_name(info).text
        return (name, try readType(sdx_value_info_type(info), of: name))
    }

    private mutating func count(_ graph: UnsafePointer<sdx_graph>, depth: Int) {
        guard depth < Importer.maximumDepth else { return }
        for index in 0..<sdx_graph_node_count(graph) {
            let node = sdx_graph_node(graph, index)
            let domain = canonicalDomain(sdx_node_domain(node).text)
            operatorCounts[(domain.isEmpty ? "" : domain + ".") + sdx_node_op_type(node).text, default: 0] += 1
            for index in 0..<sdx_node_attribute_count(node) {
                let attribute = sdx_node_attribute(node, index)
                if let inner = sdx_attribute_graph(attribute) { count(inner, depth: depth + 1) }
                for element in 0..<sdx_attribute_count(attribute, SDX_ATTRIBUTE_GRAPHS) {
                    count(sdx_attribute_graph_at(attribute, element), depth: depth + 1)
                }
            }
        }
    }
}
