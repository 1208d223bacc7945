import SardonyxGraph

extension Graph {
    /// Removes nodes whose outputs nobody reads, outputs that nobody wants, and constants that nobody needs.
    package mutating func removeDeadNodes() {
        var live = [Bool](repeating: false, count: values.count)
        for id in outputs { live[Int(id.index)] = true }
        var kept: [Node] = []
        kept.reserveCapacity(nodes.count)
        for var node in nodes.reversed() {
            guard node.outputs.contains(where: { $0.map { live[Int($0.index)] } ?? false }) else { continue }
            node.forEachUse { live[Int($0.index)] = true }
            // Outputs keep their places, and their number: Split cuts into as many parts as the node has outputs. The first
            // one stays for kernels that always make it.
            for index in node.outputs.indices.dropFirst() {
                if let id = node.outputs[index], !live[Int(id.index)] { node.outputs[index] = nil }
            }
            kept.append(node)
        }
        nodes = kept.reversed()
        for id in constants.keys where !live[Int(id.index)] { constants[id] = nil }
    }
}
