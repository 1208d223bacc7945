import Sardonyx
import SardonyxGraph

extension ModelDescription {
    /// What a loaded model tells about itself; casts and identities at its end are looked through.
    public init(_ model: Model) {
        let graph = model.loaded.graph
        let index = GraphIndex(graph)
        func lastOperator(_ output: Int) -> String {
            guard var value = graph.outputs.indices.contains(output) ? graph.outputs[output] : nil else { return "" }
            while let position = index.producer(of: value) {
                let node = graph.nodes[position]
                guard ["Identity", "Cast"].contains(node.operatorType), case let input?? = node.inputs.first else {
                    return node.qualifiedType
                }
                value = input
            }
            return ""
        }
        func describe(_ port: Sardonyx.Port, _ lastOperator: String) -> Port {
            let shape = port.shape?.map { dimension -> Dimension in
                dimension.value.map { .fixed($0) } ?? .named(dimension.description)
            }
            return Port(
                name: port.name, type: port.dataType.map { "\($0)" } ?? port.typeDescription, shape: shape,
                lastOperator: lastOperator)
        }
        self.init(
            inputs: model.inputs.map { describe($0, "") },
            outputs: model.outputs.enumerated().map { describe($1, lastOperator($0)) }, producer: model.producer)
    }
}
