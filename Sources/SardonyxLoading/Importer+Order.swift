import COnnxReader
import SardonyxGraph

extension Importer {
    /// The nodes in an order in which each comes after those that it reads. A file that keeps the standard's rule is in
    /// that order already.
    /// - Throws: `invalidModel` when nodes read each other in a circle.
    func orderedNodes(_ nodes: [UnsafePointer<sdx_node>]) throws -> [UnsafePointer<sdx_node>] {
        var producer: [String: Int] = [:]
        producer.reserveCapacity(nodes.count)
        for (position, node) in nodes.enumerated() {
            for index in 0..<sdx_node_output_count(node) {
                let name = sdx_node_output(node, index).text
                // The second definition of a name is refused when the node is read.
                if !name.isEmpty, producer[name] == nil { producer[name] = position }
            }
        }
        var isOrdered = true
        for (position, node) in nodes.enumerated() where isOrdered {
            forEachName(readBy: node, depth: 0) { if let maker = producer[$0], maker >= position { isOrdered = false } }
        }
        if isOrdered { return nodes }

        var needs = [[Int]](repeating: [], count: nodes.count)
        for (position, node) in nodes.enumerated() {
            forEachName(readBy: node, depth: 0) { name in
                if let maker = producer[name] { needs[position].append(maker) }
            }
        }
        var waiting = needs.map(\.count)
        var readers = [[Int]](repeating: [], count: nodes.count)
        for (position, makers) in needs.enumerated() {
            for maker in makers { readers[maker].append(position) }
        }
        // The queue is kept in file order as far as possible.
        var ready = nodes.indices.filter { waiting[$0] == 0 }
        var order: [Int] = []
        var next = 0
        while next < ready.count {
            let position = ready[next]
            next += 1
            order.append(position)
            for reader in readers[position] {
                waiting[reader] -= 1
                if waiting[reader] == 0 { ready.append(reader) }
            }
        }
        guard order.count == nodes.count else {
            let stuck = nodes.indices.filter { waiting[$0] > 0 }.prefix(8).map { position in
                let node = nodes[position]
                let name = sdx_node_name(node).text
                return "\(sdx_node_op_type(node).text) '\(name.isEmpty ? sdx_node_output(node, 0).text : name)'"
            }
            throw SardonyxError(
                .invalidModel, "these nodes read each other in a circle: \(stuck.joined(separator: ", "))")
        }
        return order.map { nodes[$0] }
    }

    /// Every name that the node or a graph inside it reads from outside.
    private func forEachName(readBy node: UnsafePointer<sdx_node>, depth: Int, _ body: (String) -> Void) {
        for index in 0..<sdx_node_input_count(node) { body(sdx_node_input(node, index).text) }
        forEachName(inAttributesOf: node, body)
        guard depth < Self.maximumDepth else { return }
        for index in 0..<sdx_node_attribute_count(node) {
            let attribute = sdx_node_attribute(node, index)
            if let graph = sdx_attribute_graph(attribute) { forEachName(readBy: graph, depth: depth + 1, body) }
            for element in 0..<sdx_attribute_count(attribute, SDX_ATTRIBUTE_GRAPHS) {
                forEachName(readBy: sdx_attribute_graph_at(attribute, element), depth: depth + 1, body)
            }
        }
    }

    /// Values that attributes name, as those of Gradient do.
    private func forEachName(inAttributesOf node: UnsafePointer<sdx_node>, _ body: (String) -> Void) {
        let domain = canonicalDomain(sdx_node_domain(node).text)
        // No operator of ai.onnx has such attributes, and finding each one takes time.
        guard !domain.isEmpty,
            let naming = registry.find(domain: domain, type: sdx_node_op_type(node).text)?.attributesNamingValues,
            !naming.isEmpty
        else { return }
        for index in 0..<sdx_node_attribute_count(node) {
            let attribute = sdx_node_attribute(node, index)
            guard naming.contains(sdx_attribute_name(attribute).text) else { continue }
            body(sdx_attribute_string(attribute).text)
            for element in 0..<sdx_attribute_count(attribute, SDX_ATTRIBUTE_STRINGS) {
                body(sdx_attribute_string_at(attribute, element).text)
            }
        }
    }

    private func forEachName(readBy graph: UnsafePointer<sdx_graph>, depth: Int, _ body: (String) -> Void) {
        // What the graph defines itself is no matter of the graph around it, even under a name that is used there too.
        let own = namesDefined(by: graph)
        func report(_ name: String) { if !own.contains(name) { body(name) } }
        for index in 0..<sdx_graph_node_count(graph) {
            forEachName(readBy: sdx_graph_node(graph, index), depth: depth, report)
        }
        for index in 0..<sdx_graph_output_count(graph) {
            report(sdx_value_info_name(sdx_graph_output(graph, index)).text)
        }
    }

    private func namesDefined(by graph: UnsafePointer<sdx_graph>) -> Set<String> {
        var names = Set<String>()
        for index in 0..<sdx_graph_input_count(graph) {
            names.insert(sdx_value_info_name(sdx_graph_input(graph, index)).text)
        }
        for index in 0..<sdx_graph_initializer_count(graph) {
            names.insert(sdx_tensor_name(sdx_graph_initializer(graph, index)).text)
        }
        for index in 0..<sdx_graph_sparse_initializer_count(graph) {
            guard let values = sdx_sparse_tensor_values(sdx_graph_sparse_initializer(graph, index)) else { continue }
            names.insert(sdx_tensor_name(values).text)
        }
        for index in 0..<sdx_graph_node_count(graph) {
            let node = sdx_graph_node(graph, index)
            for output in 0..<sdx_node_output_count(node) { names.insert(sdx_node_output(node, output).text) }
        }
        return names
    }
}
