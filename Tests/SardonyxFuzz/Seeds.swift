import Sardonyx
import SardonyxOperators
import SardonyxTestModels

/// The models that are damaged: one of each operator's examples, and some with what is around operators.
enum Seeds {
    static let all: [(name: String, bytes: [UInt8])] = graphs + examples

    /// Each example as a model, once with its inputs as the model's inputs and once as constants in the file, and its
    /// derivative.
    private static var examples: [(name: String, bytes: [UInt8])] {
        var result: [(name: String, bytes: [UInt8])] = []
        for type in OperatorRegistry.standard.all {
            for example in type.examples {
                for isConstant in [false, true] {
                    guard let bytes = model(type.schema, example, isConstant: isConstant) else { continue }
                    let name = "\(type.schema.qualifiedName): \(example.title)" + (isConstant ? ", constant" : "")
                    result.append((name, bytes))
                }
                if type.derivative != nil, let bytes = model(type.schema, example, isConstant: false, isDerived: true) {
                    result.append(("\(type.schema.qualifiedName): \(example.title), derived", bytes))
                }
            }
        }
        return result
    }

    private static func model(
        _ schema: Schema, _ example: Example, isConstant: Bool, isDerived: Bool = false
    ) -> [UInt8]? {
        var node = TestNode(
            schema.name, example.inputs.enumerated().map { $1 == nil ? "" : "in\($0)" },
            example.outputs.enumerated().map { $1 == nil ? "" : "out\($0)" }, name: "node", domain: schema.domain)
        for (name, attribute) in example.attributes.sorted(by: { $0.key < $1.key }) {
            switch attribute {
            case .int(let value): node.attributes.append((name, .int(value)))
            case .ints(let values): node.attributes.append((name, .ints(values)))
            case .float(let value): node.attributes.append((name, .float(value)))
            case .floats(let values): node.attributes.append((name, .floats(values)))
            case .string(let value): node.attributes.append((name, .text(value)))
            case .strings(let values): node.attributes.append((name, .texts(values)))
            case .tensor(let value):
                guard let tensor = TestTensor(value, "") else { return nil }
                node.attributes.append((name, .tensor(tensor)))
            default: return nil
            }
        }
        var graph = TestGraph(nodes: [node])
        for (index, input) in example.inputs.enumerated() {
            guard let input else { continue }
            let type = Int64(input.dataType.rawValue)
            // Operators want axes and shapes as constants: these stay in the file either way.
            if isConstant || (index > 0 && input.dataType == .int64 && input.shape.count < 2) {
                guard let tensor = TestTensor(input, "in\(index)") else { return nil }
                graph.initializers.append(tensor)
            } else {
                let dims = input.shape.enumerated().map { axis, extent -> TestValue.Dim in
                    extent > 1 && axis == 0 ? .name("N") : .extent(Int64(extent))
                }
                graph.inputs.append(TestValue("in\(index)", dims, type: type))
            }
        }
        graph.outputs = node.outputs.filter { !$0.isEmpty }.map { TestValue($0, nil) }
        if isDerived {
            let xs = example.inputs.indices.filter { example.inputs[$0]?.doubles != nil }.map { "in\($0)" }
            guard !xs.isEmpty, example.outputs.first??.doubles != nil else { return nil }
            graph.nodes.append(gradient(xs, "out0"))
            graph.outputs += xs.map { TestValue("d_\($0)", nil) }
        }
        return modelBytes(
            graph, opsets: [("", 28), ("ai.onnx.ml", 5), ("ai.onnx.preview.training", 1)], irVersion: 13)
    }

    private static func gradient(_ xs: [String], _ y: String) -> TestNode {
        TestNode(
            "Gradient", xs, xs.map { "d_\($0)" }, name: "gradient", domain: "ai.onnx.preview.training",
            [("xs", .texts(xs)), ("y", .text(y))])
    }

    // MARK: Graphs

    private static let x = TestValue("x", ["N", 3])
    private static let condition = TestValue("c", [], type: 9)
    private static func output(_ name: String) -> TestValue { TestValue(name, nil) }
    private static func ramp(_ name: String, _ dims: Int64...) -> TestTensor {
        TestTensor(name, dims: dims, floats: (0..<dims.reduce(1, *)).map { Float($0 % 7) / 4 - 0.5 })
    }

    private static let graphs: [(name: String, bytes: [UInt8])] = [
        ("network", modelBytes(network)), ("gradients", gradients), ("branches", branches), ("loop", loop),
        ("scan", scan), ("functions", functions),
        ("shapes", shapes), ("sequences", sequences), ("old opset", old),
    ]

    private static let network = TestGraph(
        nodes: [
            TestNode(
                "Conv", ["x", "w", "b"], ["c"], [("pads", .ints([1, 1, 1, 1])), ("strides", .ints([1, 1]))]),
            TestNode("BatchNormalization", ["c", "s", "s", "s", "v"], ["n"]), TestNode("Relu", ["n"], ["r"]),
            TestNode("MaxPool", ["r"], ["p"], [("kernel_shape", .ints([2, 2])), ("strides", .ints([2, 2]))]),
            TestNode("Resize", ["p", "", "scales"], ["u"], [("mode", .text("linear"))]),
            TestNode("Concat", ["u", "r"], ["j"], [("axis", .int(1))]),
            TestNode("GlobalAveragePool", ["j"], ["g"]), TestNode("Flatten", ["g"], ["f"]),
            TestNode("Gemm", ["f", "m"], ["z"], [("alpha", .float(0.5))]),
            TestNode("Softmax", ["z"], ["y"], [("axis", .int(-1))]),
        ], inputs: [TestValue("x", ["N", 2, 6, 6])], outputs: [output("y")],
        initializers: [
            ramp("w", 4, 2, 3, 3), ramp("b", 4), ramp("s", 4), TestTensor("v", dims: [4], floats: [1, 2, 1, 2]),
            ramp("m", 8, 3), TestTensor("scales", dims: [4], floats: [1, 1, 2, 2]),
        ])

    /// The network's gradients by its input and weights, and a derivative of one of them.
    private static var gradients: [UInt8] {
        var graph = network
        graph.nodes += [
            gradient(["x", "w", "b", "s", "v", "m"], "y"),
            TestNode(
                "Gradient", ["b", "x"], ["h"], domain: "ai.onnx.preview.training",
                [("xs", .texts(["b"])), ("zs", .texts(["x"])), ("y", .text("d_w"))]),
        ]
        graph.outputs = ["d_x", "d_w", "h"].map(output)
        return modelBytes(graph, opsets: [("", 20), ("ai.onnx.preview.training", 1)])
    }

    private static let branches = modelBytes(
        TestGraph(
            nodes: [
                TestNode("Relu", ["x"], ["r"]),
                TestNode(
                    "If", ["c"], ["y"],
                    [
                        (
                            "then_branch",
                            .graph(
                                TestGraph(
                                    nodes: [
                                        TestNode("NonZero", ["r"], ["places"]),
                                        TestNode("Tile", ["places", "twice"], ["t"]),
                                        TestNode("Cast", ["t"], ["a"], [("to", .int(1))]),
                                    ], outputs: [output("a")], initializers: [TestTensor("twice", integers: [1, 2])]))
                        ),
                        (
                            "else_branch",
                            .graph(TestGraph(nodes: [TestNode("Neg", ["r"], ["b"])], outputs: [output("b")]))
                        ),
                    ]),
            ], inputs: [x, condition], outputs: [output("y")]))

    private static let loop = modelBytes(
        TestGraph(
            nodes: [
                TestNode(
                    "Loop", ["trips", "", "x"], ["y", "all"],
                    [
                        (
                            "body",
                            .graph(
                                TestGraph(
                                    nodes: [
                                        TestNode("Identity", ["go"], ["on"]), TestNode("Neg", ["v"], ["next"]),
                                        TestNode("ReduceSum", ["v"], ["sum"], [("keepdims", .int(0))]),
                                    ],
                                    inputs: [
                                        TestValue("i", [], type: 7), TestValue("go", [], type: 9), TestValue("v", nil),
                                    ], outputs: [TestValue("on", [], type: 9), output("next"), output("sum")]))
                        )
                    ])
            ], inputs: [x], outputs: [output("y"), output("all")],
            initializers: [TestTensor("trips", dims: [], type: 7, raw: [3, 0, 0, 0, 0, 0, 0, 0])]))

    private static let scan = modelBytes(
        TestGraph(
            nodes: [
                TestNode(
                    "Scan", ["start", "x"], ["last", "sums"],
                    [
                        (
                            "body",
                            .graph(
                                TestGraph(
                                    nodes: [TestNode("Add", ["s", "row"], ["t"]), TestNode("Relu", ["t"], ["u"])],
                                    inputs: [TestValue("s", [3]), TestValue("row", [3])],
                                    outputs: [output("t"), output("u")]))
                        ), ("num_scan_inputs", .int(1)),
                    ])
            ], inputs: [x], outputs: [output("last"), output("sums")], initializers: [ramp("start", 3)]))

    private static let functions = modelBytes(
        TestGraph(
            nodes: [TestNode("Outer", ["x"], ["y"], domain: "f", [("slope", .float(0.25))])], inputs: [x],
            outputs: [output("y")]), opsets: [("", 20), ("f", 1)],
        functions: [
            TestFunction(
                "Inner", domain: "f", inputs: ["a", "shape"], outputs: ["b"],
                nodes: [TestNode("Reshape", ["a", "shape"], ["b"], [("allowzero", .reference("zero", type: 2))])],
                defaults: [("zero", .int(0))]),
            TestFunction(
                "Outer", domain: "f", inputs: ["x"], outputs: ["y"],
                nodes: [
                    TestNode("Constant", [], ["s"], [("value", .tensor(TestTensor("", integers: [-1, 1])))]),
                    TestNode("Inner", ["x", "s"], ["t"], domain: "f"),
                    TestNode("LeakyRelu", ["t"], ["y"], [("alpha", .reference("slope", type: 1))]),
                ]),
        ])

    private static let shapes = modelBytes(
        TestGraph(
            nodes: [
                TestNode("Shape", ["x"], ["shape"]), TestNode("Gather", ["shape", "zero"], ["n"]),
                TestNode("Slice", ["shape", "from", "to"], ["tail"]),
                TestNode("Concat", ["tail", "n"], ["turned"], [("axis", .int(0))]),
                TestNode("Mul", ["turned", "one"], ["scaled"]), TestNode("Reshape", ["x", "scaled"], ["z"]),
                TestNode("Pad", ["z", "pads"], ["p"]), TestNode("Expand", ["p", "wide"], ["e"]),
                TestNode("ConstantOfShape", ["scaled"], ["zeros"]), TestNode("TopK", ["e", "one"], ["top", "places"]),
                TestNode("Squeeze", ["top"], ["y"]),
            ], inputs: [x], outputs: [output("y"), output("zeros"), output("places")],
            initializers: [
                TestTensor("zero", integers: [0]), TestTensor("from", integers: [1]), TestTensor("to", integers: [2]),
                TestTensor("one", integers: [1]), TestTensor("pads", integers: [0, 1, 1, 0]),
                TestTensor("wide", integers: [2, 1, 1]),
            ]))

    private static let sequences = modelBytes(
        TestGraph(
            nodes: [
                TestNode("SplitToSequence", ["x"], ["parts"], [("axis", .int(1))]),
                TestNode("SequenceInsert", ["parts", "row"], ["more"]), TestNode("SequenceAt", ["more", "one"], ["p"]),
                TestNode("ConcatFromSequence", ["more"], ["y"], [("axis", .int(1))]),
                TestNode("SequenceLength", ["more"], ["n"]),
            ], inputs: [x], outputs: [output("p"), output("y"), output("n")],
            initializers: [
                TestTensor("row", dims: [2, 1], floats: [1, 2]),
                TestTensor("one", dims: [], type: 7, raw: [1, 0, 0, 0, 0, 0, 0, 0]),
            ]))

    /// Nodes that are lifted: attributes that became inputs later.
    private static let old = modelBytes(
        TestGraph(
            nodes: [
                TestNode("Clip", ["x"], ["a"], [("min", .float(-1)), ("max", .float(1))]),
                TestNode("Unsqueeze", ["a"], ["b"], [("axes", .ints([0]))]),
                TestNode("Pad", ["b"], ["d"], [("pads", .ints([0, 0, 0, 0, 1, 1]))]),
                TestNode("Upsample", ["d"], ["e"], [("scales", .floats([1, 2, 2])), ("mode", .text("nearest"))]),
                TestNode("ReduceSum", ["e"], ["f"], [("axes", .ints([1])), ("keepdims", .int(1))]),
                TestNode("Slice", ["f"], ["g"], [("starts", .ints([0])), ("ends", .ints([9])), ("axes", .ints([2]))]),
                TestNode("Softmax", ["g"], ["h"]), TestNode("Dropout", ["h"], ["y"], [("ratio", .float(0.5))]),
            ], inputs: [TestValue("x", [2, 3])], outputs: [output("y")]), opsets: [("", 8)], irVersion: 3)
}
