import CKernels
import SardonyxGraph
import SardonyxOperators
import Testing

@testable import SardonyxCompiler

/// Constants are computed where the ones that they are made of stood, once nobody else reads those.
@Suite struct FoldingTests {
    /// Nodes on `w`, the numbers 1 to 1000 again and again, `zero`, as many zeros, and `x`, which the run gives.
    struct Row: Sendable, CustomTestStringConvertible {
        typealias Rule = @Sendable (Double) -> Double

        let name: String
        /// "type inputs > output"; what no node makes is a constant.
        let nodes: [String]
        var type = DataType.float
        /// What becomes of a number, or nil for a value that is left to the run.
        let outputs: [String: Rule?]
        /// The most values that folding holds at once.
        let values: Int
        var testDescription: String { name }
    }

    static let rows = [
        Row(name: "a chain", nodes: ["Neg w > a", "Abs a > b", "Neg b > y"], outputs: ["y": { -$0 }], values: 1),
        Row(
            name: "a value that is read again", nodes: ["Neg w > a", "Abs a > b", "Mul a b > y"],
            outputs: ["y": { -$0 * $0 }],
            values: 2),
        Row(
            name: "values of several readers, freed by the last",
            nodes: ["Neg w > a", "Abs a > b", "Mul a b > c", "Add b c > d", "Neg d > y"],
            outputs: ["y": { $0 * $0 - $0 }], values: 2),
        Row(
            name: "an output that is read", nodes: ["Neg w > a", "Abs a > b", "Neg b > y"],
            outputs: ["a": { -$0 }, "y": { -$0 }], values: 2),
        Row(
            name: "a weight of the model", nodes: ["Neg w > a", "Abs w > y"], outputs: ["a": { -$0 }, "y": { $0 }],
            values: 2),
        Row(
            name: "a value that is read twice by one node", nodes: ["Neg w > a", "Mul a a > y"],
            outputs: ["y": { $0 * $0 }],
            values: 2),
        Row(
            name: "a view, before its source is read",
            nodes: ["Neg w > a", "Identity a > v", "Abs v > b", "Mul a b > y"],
            outputs: ["y": { -$0 * $0 }], values: 2),
        Row(
            name: "a view, after its source was read",
            nodes: ["Neg w > a", "Identity a > v", "Abs a > b", "Mul v b > y"],
            outputs: ["y": { -$0 * $0 }], values: 2),
        Row(
            name: "two views", nodes: ["Neg w > a", "Identity a > u", "Identity a > v", "Abs u > b", "Add v b > y"],
            outputs: ["y": { _ in 0 }], values: 2),
        Row(
            name: "a reader that is left to the run", nodes: ["Neg w > a", "Add x a > y", "Abs a > z"],
            outputs: ["a": { -$0 }, "y": nil, "z": { $0 }], values: 2),
        Row(
            name: "a node that fails leaves what it reads", nodes: ["Neg w > a", "Div a zero > y"], type: .int64,
            outputs: ["a": { -$0 }, "y": nil], values: 2),
        Row(name: "a result of another size", nodes: ["Neg w > a", "Cast a > y"], outputs: ["y": { -$0 }], values: 3),
    ]

    /// In one chunk of work on the calling thread, and in several that three threads share.
    @Test(arguments: rows, [(64, 1), (40_000, 3)])
    func overwritesWhatNobodyReads(_ row: Row, _ size: (count: Int, threads: Int)) throws {
        let (source, ids) = Self.graph(row, size.count)
        var graph = source
        let pool = sdx_pool_create(Int32(size.threads))
        defer { sdx_pool_destroy(pool) }
        var inference = TypeInference(registry: .engine)
        (inference.pool, inference.workers) = (pool, size.threads)
        let account = MemoryAccount()
        try account.whileCurrent { try inference.run(on: &graph) }
        #expect(account.peak == row.values * size.count * row.type.byteCount)
        for (name, expected) in row.outputs {
            let constant = ids[name].flatMap { graph.constants[$0] }
            #expect(constant.map(Self.numbers) == expected.map { Self.weights(size.count).map(Double.init).map($0) })
        }
        let weights = try #require(ids["w"].flatMap { source.constants[$0] })
        #expect(Self.numbers(weights) == Self.weights(size.count).map(Double.init))
    }

    private static func weights(_ count: Int) -> [Int] { (0..<count).map { $0 % 1000 + 1 } }

    private static func tensor(_ numbers: [Int], _ type: DataType) -> Tensor {
        type == .int64
            ? Tensor(shape: [numbers.count], scalars: numbers.map(Int64.init))
            : Tensor(shape: [numbers.count], scalars: numbers.map(Float.init))
    }

    private static func numbers(_ tensor: Tensor) -> [Double] {
        switch tensor.dataType {
        case .int64: tensor.scalars(Int64.self).map(Double.init)
        case .float: tensor.scalars(Float.self).map(Double.init)
        default: tensor.scalars()
        }
    }

    private static func graph(_ row: Row, _ count: Int) -> (graph: Graph, ids: [String: ValueID]) {
        var graph = Graph(name: row.name)
        var ids = [
            "w": graph.addConstant(tensor(weights(count), row.type), name: "w"),
            "zero": graph.addConstant(tensor([Int](repeating: 0, count: count), row.type), name: "zero"),
            "x": graph.addValue("x", type: .tensor(row.type, SymbolicShape([count]))),
        ]
        graph.inputs = [ids["x"]!]
        for text in row.nodes {
            let words = text.split(separator: " ").map(String.init)
            let y = graph.addValue(words.last!)
            let inputs = words.dropFirst().dropLast(2).map { ids[$0]! }
            let attributes: [String: Attribute] = words[0] == "Cast" ? ["to": .int(11)] : [:]
            graph.nodes.append(Node(words[0], opset: 28, inputs: inputs, outputs: [y], attributes: attributes))
            ids[words.last!] = y
        }
        graph.outputs = row.outputs.keys.sorted().map { ids[$0]! }
        return (graph, ids)
    }
}
