/// Who makes and who reads each value of a graph, for passes.
package struct GraphIndex: Sendable {
    /// The node that makes a value; -1 for inputs and constants.
    package private(set) var producers: [Int32]
    package private(set) var isOutput: [Bool]
    /// All values' readers one after the other: those of value v are at `starts[v] ..< starts[v + 1]`.
    private var readers: [Int32]
    private var starts: [Int32]

    package init(_ graph: Graph) {
        producers = [Int32](repeating: -1, count: graph.values.count)
        isOutput = [Bool](repeating: false, count: graph.values.count)
        var starts = [Int32](repeating: 0, count: graph.values.count + 1)
        for node in graph.nodes { node.forEachUse { starts[Int($0.index) + 1] += 1 } }
        for value in graph.values.indices { starts[value + 1] += starts[value] }
        var next = starts
        var readers = [Int32](repeating: 0, count: Int(starts.last ?? 0))
        for position in graph.nodes.indices {
            for case let id? in graph.nodes[position].outputs { producers[Int(id.index)] = Int32(position) }
            graph.nodes[position].forEachUse {
                readers[Int(next[Int($0.index)])] = Int32(position)
                next[Int($0.index)] += 1
            }
        }
        self.readers = readers
        self.starts = starts
        for id in graph.outputs { isOutput[Int(id.index)] = true }
    }

    /// The nodes that read a value, in order, once for each read.
    package func consumers(of id: ValueID) -> ArraySlice<Int32> {
        readers[Int(starts[Int(id.index)])..<Int(starts[Int(id.index) + 1])]
    }

    package func producer(of id: ValueID) -> Int? {
        let position = producers[Int(id.index)]
        return position < 0 ? nil : Int(position)
    }

    /// The one node that reads the value, when it is read once and is no output of the graph.
    package func onlyConsumer(of id: ValueID) -> Int? {
        let readers = consumers(of: id)
        guard readers.count == 1, let reader = readers.first, !isOutput[Int(id.index)] else { return nil }
        return Int(reader)
    }
}
