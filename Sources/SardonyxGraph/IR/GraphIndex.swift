/// Who makes and who reads each value of a graph, for passes.
package struct GraphIndex: Sendable {
    /// The node that makes a value; -1 for inputs and constants.
    package private(set) var producers: [Int32]
    /// The nodes that read a value, once for each read.
    package private(set) var consumers: [[Int32]]
    package private(set) var isOutput: [Bool]

    package init(_ graph: Graph) {
        producers = [Int32](repeating: -1, count: graph.values.count)
        consumers = [[Int32]](repeating: [], count: graph.values.count)
        isOutput = [Bool](repeating: false, count: graph.values.count)
        for (position, node) in graph.nodes.enumerated() {
            for case let id? in node.outputs { producers[Int(id.index)] = Int32(position) }
            node.forEachUse { consumers[Int($0.index)].append(Int32(position)) }
        }
        for id in graph.outputs { isOutput[Int(id.index)] = true }
    }

    package func producer(of id: ValueID) -> Int? {
        let position = producers[Int(id.index)]
        return position < 0 ? nil : Int(position)
    }

    /// The one node that reads the value, when it is read once and is no output of the graph.
    package func onlyConsumer(of id: ValueID) -> Int? {
        let readers = consumers[Int(id.index)]
        return readers.count == 1 && !isOutput[Int(id.index)] ? Int(readers[0]) : nil
    }
}
