import SardonyxTestSupport

extension GradientCases {
    private static func conv(
        _ type: String, _ shapes: [[Int]], _ attributes: [(String, TestAttribute)] = [], _ title: String
    ) -> Case {
        row(type, shapes, -1...1, attributes, title: title)
    }

    static let convolutions: [Case] = [
        conv("Conv", [[2, 2, 5], [3, 2, 3], [3]], [], "one axis, with a bias"),
        conv("Conv", [[1, 2, 4, 5], [2, 2, 3, 2]], [("pads", .ints([1, 0, 2, 1]))], "pads"),
        conv(
            "Conv", [[2, 4, 6, 5], [6, 2, 2, 3], [6]],
            [
                ("group", .int(2)), ("strides", .ints([2, 3])), ("dilations", .ints([2, 1])),
                ("pads", .ints([0, 1, 1, 1])),
            ],
            "groups, strides, dilations"),
        conv(
            "Conv", [[1, 3, 6], [3, 1, 2]], [("group", .int(3)), ("strides", .ints([4]))], "depthwise, inputs left over"
        ),
        conv(
            "Conv", [[1, 1, 5, 4], [1, 1, 3, 2]], [("auto_pad", .text("SAME_UPPER")), ("strides", .ints([2, 2]))],
            "same, upper"),
        conv("Conv", [[1, 1, 5, 4], [1, 1, 2, 2]], [("auto_pad", .text("SAME_LOWER"))], "same, lower"),
        conv("Conv", [[1, 1, 3, 3, 3], [2, 1, 2, 2, 2]], [("pads", .ints([1, 0, 1, 0, 1, 0]))], "volumes"),
        conv("ConvTranspose", [[2, 2, 4], [2, 3, 3], [3]], [("strides", .ints([2]))], "one axis, with a bias"),
        conv(
            "ConvTranspose", [[1, 4, 3, 2], [4, 3, 2, 3], [6]],
            [
                ("group", .int(2)), ("strides", .ints([2, 3])), ("dilations", .ints([2, 1])),
                ("pads", .ints([1, 0, 0, 1])), ("output_padding", .ints([1, 2])),
            ], "groups, strides, dilations, padding of outputs"),
        conv(
            "ConvTranspose", [[1, 1, 3], [1, 1, 3]], [("strides", .ints([2])), ("output_shape", .ints([5]))],
            "an output shape"),
        conv(
            "ConvTranspose", [[1, 1, 3], [1, 1, 4]], [("strides", .ints([2])), ("auto_pad", .text("SAME_UPPER"))],
            "same"),
    ]

    private static let pools: [(String, [Int], [(String, TestAttribute)])] = [
        ("plain", [1, 2, 4, 4], [("kernel_shape", .ints([2, 2])), ("strides", .ints([2, 2]))]),
        ("overlapping, padded", [2, 1, 5], [("kernel_shape", .ints([3])), ("pads", .ints([1, 1]))]),
        (
            "dilated, inputs left over", [1, 1, 8],
            [("kernel_shape", .ints([2])), ("dilations", .ints([3])), ("strides", .ints([3]))]
        ),
        (
            "in ceiling mode", [1, 1, 6, 5],
            [("kernel_shape", .ints([3, 2])), ("strides", .ints([2, 2])), ("ceil_mode", .int(1))]
        ),
        (
            "same", [1, 1, 5],
            [("kernel_shape", .ints([2])), ("strides", .ints([2])), ("auto_pad", .text("SAME_UPPER"))]
        ),
    ]

    static let pooling: [Case] =
        ["AveragePool", "MaxPool", "LpPool"].flatMap { type in
            pools.map { title, shape, attributes in
                row(type, [shape], type == "LpPool" ? 0.5...2 : -2...2, attributes, title: title)
            }
        } + [
            row(
                "AveragePool", [[1, 1, 6]], -2...2,
                [
                    ("kernel_shape", .ints([3])), ("strides", .ints([2])), ("pads", .ints([1, 0])),
                    ("ceil_mode", .int(1)), ("count_include_pad", .int(1)),
                ], title: "padding counts"),
            row(
                "AveragePool", [[1, 1, 5]], -2...2,
                [("kernel_shape", .ints([2])), ("auto_pad", .text("SAME_LOWER")), ("count_include_pad", .int(1))],
                title: "same, padding counts"),
            row(
                "LpPool", [[1, 2, 5]], 0.5...2, [("kernel_shape", .ints([2])), ("p", .int(3))], title: "p = 3"),
            row(
                "MaxPool", [[1, 2, 4, 3]], -2...2, [("kernel_shape", .ints([2, 2])), ("storage_order", .int(1))],
                title: "columns first"),
            row("GlobalAveragePool", [[2, 2, 2, 3]]), row("GlobalMaxPool", [[2, 2, 2, 3]]),
            row("GlobalLpPool", [[2, 2, 3]], 0.5...2, [("p", .int(3))]),
            row("LpPool", [[1, 2, 5]], 0...0, [("kernel_shape", .ints([2]))], isTwice: false, title: "zeros"),
            row("GlobalLpPool", [[1, 2, 3]], 0...0, [("p", .int(3))], isTwice: false, title: "zeros"),
        ]

    private static func batchNormalization(_ isTraining: Int64, _ outputs: [String]) -> Case {
        Case(
            title: "BatchNormalization, \(outputs.last ?? "") \(isTraining)",
            nodes: [
                TestNode(
                    "BatchNormalization", ["x", "scale", "bias", "mean", "var"], outputs,
                    [("training_mode", .int(isTraining)), ("epsilon", .float(0.01))])
            ],
            inputs: [
                .init(name: "x", shape: [2, 3, 2], range: -2...2), .init(name: "scale", shape: [3], range: 0.5...2),
                .init(name: "bias", shape: [3], range: -1...1), .init(name: "mean", shape: [3], range: -1...1),
                .init(name: "var", shape: [3], range: 0.5...2),
            ])
    }

    static let normalization: [Case] = [
        batchNormalization(0, ["y"]), batchNormalization(1, ["y"]), batchNormalization(1, ["n", "y"]),
        batchNormalization(1, ["n", "", "y"]), row("InstanceNormalization", [[2, 2, 2, 3], [2], [2]]),
        row("InstanceNormalization", [[1, 2, 4], [2], [2]], -2...2, [("epsilon", .float(0.1))], title: "epsilon"),
        row("GroupNormalization", [[2, 4, 3], [4], [4]], -2...2, [("num_groups", .int(2))]),
        row("LayerNormalization", [[2, 3, 2], [2], [2]]),
        row("LayerNormalization", [[2, 3, 2], [3, 2]], -2...2, [("axis", .int(1))], title: "two axes, no bias"),
        row("RMSNormalization", [[2, 3, 2], [3, 2]], -2...2, [("axis", .int(-2))]),
        row("LRN", [[2, 5, 3]], -2...2, [("size", .int(3)), ("alpha", .float(0.5)), ("beta", .float(0.6))]),
        row("LRN", [[1, 4, 2, 2]], -2...2, [("size", .int(2)), ("alpha", .float(0.5))], title: "an even window"),
    ]

    private static func resize(
        _ shape: [Int], _ attributes: [(String, TestAttribute)], scales: [Float] = [], sizes: [Int64] = [],
        roi: [Float] = [], _ title: String
    ) -> Case {
        Case(
            title: "Resize, \(title)",
            nodes: [
                TestNode(
                    "Resize",
                    ["x", roi.isEmpty ? "" : "roi", scales.isEmpty ? "" : "scales"] + (sizes.isEmpty ? [] : ["sizes"]),
                    ["y"], attributes)
            ], inputs: [.init(name: "x", shape: shape, range: -2...2)],
            initializers: [
                TestTensor("scales", dims: [Int64(scales.count)], floats: scales), TestTensor("sizes", integers: sizes),
                TestTensor("roi", dims: [Int64(roi.count)], floats: roi),
            ])
    }

    private static let grids: [Case] = [
        ("linear", 0), ("linear", 1), ("nearest", 0), ("cubic", 0), ("cubic", 1),
    ].flatMap { mode, corners in
        ["zeros", "border", "reflection"].map { padding in
            row(
                "GridSample", [[2, 2, 3, 4], [2, 3, 1, 2]], -1.4...1.4,
                [
                    ("mode", .text(mode)), ("padding_mode", .text(padding)),
                    ("align_corners", .int(Int64(corners))),
                ], title: "\(mode), \(padding), \(corners)")
        }
    }

    private static func keepingRatio(
        _ policy: String, _ attributes: [(String, TestAttribute)], _ sizes: [Int64]
    ) -> Case {
        resize(
            [1, 3, 1, 4], [("keep_aspect_ratio_policy", .text(policy)), ("axes", .ints([1, -1]))] + attributes,
            sizes: sizes, "\(policy) \(sizes)")
    }

    static let resampling: [Case] =
        grids + [
            row("GridSample", [[1, 1, 2, 3, 2], [1, 1, 2, 2, 3]], -1.1...1.1, title: "a volume"),
            row(
                "GridSample", [[1, 1, 2, 3, 2], [1, 1, 2, 1, 3]], -1.1...1.1, [("mode", .text("cubic"))],
                title: "a volume, cubic"),
        ]
        + ["linear", "cubic"].map { mode in
            row(
                "GridSample", [[1, 2, 1, 3], [1, 2, 2, 2]], -2...2,
                [("mode", .text(mode)), ("padding_mode", .text("reflection")), ("align_corners", .int(1))],
                title: "an axis of one element, \(mode)")
        } + [
            keepingRatio("not_larger", [("mode", .text("linear"))], [5, 5]),
            keepingRatio("not_smaller", [("mode", .text("cubic")), ("exclude_outside", .int(1))], [2, 7]),
            keepingRatio("not_larger", [("mode", .text("linear")), ("antialias", .int(1))], [3, 2]),
            keepingRatio("not_smaller", [], [3, 6]),
            resize([1, 2, 2, 3], [], scales: [1, 1, 2, 1.5], "nearest"),
            resize([1, 1, 3, 4], [("mode", .text("linear"))], scales: [1, 1, 2, 1.5], "linear"),
            resize(
                [1, 1, 3, 4], [("mode", .text("linear")), ("coordinate_transformation_mode", .text("align_corners"))],
                sizes: [1, 1, 5, 2], "corners aligned"),
            resize([2, 5], [("mode", .text("cubic")), ("axes", .ints([1]))], sizes: [3], "cubic, one axis"),
            resize([1, 6], [("mode", .text("linear")), ("antialias", .int(1))], scales: [1, 0.5], "antialiased"),
            resize(
                [1, 4],
                [
                    ("mode", .text("linear")), ("coordinate_transformation_mode", .text("tf_crop_and_resize")),
                    ("extrapolation_value", .float(3)),
                ], sizes: [1, 5], roi: [0, 0.4, 1, 1.2], "a crop"),
            resize(
                [1, 4],
                [("coordinate_transformation_mode", .text("tf_crop_and_resize")), ("extrapolation_value", .float(3))],
                sizes: [1, 5], roi: [0, 0.4, 1, 1.2], "a nearest crop"),
        ]

    private static func loss(
        _ type: String, _ attributes: [(String, TestAttribute)], weights: Bool = true, outputs: [String] = ["y"],
        _ title: String
    ) -> Case {
        var targets = TestTensor("targets", integers: [0, 2, 1, 2])
        targets.dims = [2, 2]
        return Case(
            title: "\(type), \(title)",
            nodes: [TestNode(type, ["x", "targets"] + (weights ? ["w"] : []), outputs, attributes)],
            inputs: [.init(name: "x", shape: [2, 3, 2], range: -2...2)]
                + (weights ? [.init(name: "w", shape: [3], range: 0.5...2)] : []), initializers: [targets])
    }

    static let losses: [Case] =
        ["NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"].flatMap { type in
            [
                loss(type, [], weights: false, "the mean"), loss(type, [], "the weighted mean"),
                loss(type, [("reduction", .text("none")), ("ignore_index", .int(2))], "one class ignored"),
                loss(type, [("reduction", .text("sum")), ("ignore_index", .int(0))], weights: false, "the sum"),
            ]
        } + [
            loss("SoftmaxCrossEntropyLoss", [], outputs: ["l", "y"], "logarithms"),
            Case(
                title: "TopK", nodes: [TestNode("TopK", ["x", "k"], ["y"], [("axis", .int(0))])],
                inputs: [.init(name: "x", shape: [4, 2], range: -2...2)], initializers: ints(("k", [2]))),
        ]

    private static func attention(
        _ q: [Int], _ k: [Int], _ v: [Int], _ attributes: [(String, TestAttribute)] = [], mask: [Int]? = nil,
        past: [[Int]] = [], output: Int = 0, title: String
    ) -> Case {
        let shapes: [(String, [Int]?)] = [
            ("q", q), ("k", k), ("v", v), ("mask", mask), ("pk", past.first), ("pv", past.last),
        ]
        return Case(
            title: "Attention, \(title)",
            nodes: [
                TestNode(
                    "Attention", shapes.map { $1 == nil ? "" : $0 }, (0...output).map { $0 == output ? "y" : "o\($0)" },
                    attributes)
            ],
            inputs: shapes.compactMap { name, shape in shape.map { Case.Input(name: name, shape: $0, range: -1...1) } },
            isTwice: false)
    }

    /// Two heads of queries to one of keys; a graph inside may read `bias`.
    private static func flexible(_ attributes: [(String, TestAttribute)], _ title: String) -> Case {
        let shapes = [("q", [1, 2, 2, 2]), ("k", [1, 1, 3, 2]), ("v", [1, 1, 3, 2]), ("bias", [2, 1, 3])]
        return Case(
            title: "FlexAttention, \(title)",
            nodes: [TestNode("FlexAttention", ["q", "k", "v"], ["y"], domain: "ai.onnx.preview", attributes)],
            inputs: shapes.prefix(attributes.isEmpty ? 3 : 4).map { .init(name: $0, shape: $1, range: -1...1) },
            moreOpsets: [("ai.onnx.preview", 1)])
    }

    static let attentions: [Case] =
        [
            attention([1, 2, 3, 2], [1, 2, 4, 2], [1, 2, 4, 3], title: "heads"),
            attention(
                [2, 4, 2, 2], [2, 2, 3, 2], [2, 2, 3, 1], [("is_causal", .int(1))], title: "shared keys, causal"),
            attention(
                [1, 3, 4], [1, 3, 2], [1, 3, 4],
                [
                    ("q_num_heads", .int(4)), ("kv_num_heads", .int(2)), ("softcap", .float(0.75)),
                    ("scale", .float(0.5)),
                ],
                title: "packed heads, a cap"),
            attention([1, 2, 2, 2], [1, 2, 3, 2], [1, 2, 3, 2], mask: [2, 1, 3], title: "a mask that is added"),
            attention(
                [1, 2, 2, 2], [1, 1, 2, 2], [1, 1, 2, 3], mask: [2, 3], past: [[1, 1, 2, 2], [1, 1, 2, 3]],
                title: "a cache"
            ),
        ]
        + (0...3).map { mode in
            attention(
                [1, 2, 2, 2], [1, 1, 3, 2], [1, 1, 3, 2],
                [("qk_matmul_output_mode", .int(Int64(mode))), ("softcap", .float(0.75))], mask: [2, 3], output: 3,
                title: "the products, mode \(mode)")
        } + [
            attention(
                [1, 1, 2, 2], [1, 1, 1, 2], [1, 1, 1, 2], past: [[1, 1, 2, 2], [1, 1, 2, 2]], output: 2,
                title: "the next cache"),
            flexible([], "plain, shared keys"),
            flexible(
                [
                    (
                        "score_mod",
                        .graph(
                            TestGraph(
                                nodes: [TestNode("Mul", ["s", "bias"], ["t"])], inputs: [TestValue("s", nil, type: 11)],
                                outputs: [TestValue("t", nil, type: 11)]))
                    ),
                    (
                        "prob_mod",
                        .graph(
                            TestGraph(
                                nodes: [TestNode("Mul", ["p", "p"], ["t"])], inputs: [TestValue("p", nil, type: 11)],
                                outputs: [TestValue("t", nil, type: 11)]))
                    ), ("scale", .float(0.5)),
                ], "scores and probabilities changed"),
            Case(
                title: "RotaryEmbedding, in float",
                nodes: [
                    TestNode("Cast", ["x"], ["f"], [("to", .int(1))]),
                    TestNode("RotaryEmbedding", ["f", "cos", "sin"], ["r"], [("interleaved", .int(1))]),
                    TestNode("Cast", ["r"], ["y"], [("to", .int(11))]),
                ], inputs: [.init(name: "x", shape: [1, 2, 2, 4], range: -1...1)],
                initializers: [
                    TestTensor("cos", dims: [1, 2, 2], floats: [1, 0.5, 0.25, -0.5]),
                    TestTensor("sin", dims: [1, 2, 2], floats: [0, 0.75, -1, 0.5]),
                ], step: 0.25),
            Case(
                title: "MaxUnpool",
                nodes: [
                    TestNode(
                        "MaxUnpool", ["x", "places"], ["y"], [("kernel_shape", .ints([2])), ("strides", .ints([2]))])
                ],
                inputs: [.init(name: "x", shape: [1, 2, 2], range: -1...1)],
                initializers: [
                    TestTensor(
                        "places", dims: [1, 2, 2], type: 7,
                        raw: [1, 2, 5, 6].flatMap { [$0] + [UInt8](repeating: 0, count: 7) })
                ]),
        ]

    /// A small network: from images and all its parameters to the classes' probabilities.
    static let network = Case(
        title: "a network",
        nodes: [
            TestNode("Conv", ["x", "w1", "b1"], ["c"], [("pads", .ints([1, 1, 1, 1]))]),
            TestNode("InstanceNormalization", ["c", "scale", "bias"], ["n"]), TestNode("Relu", ["n"], ["r"]),
            TestNode("MaxPool", ["r"], ["p"], [("kernel_shape", .ints([2, 2])), ("strides", .ints([2, 2]))]),
            TestNode("Flatten", ["p"], ["f"]), TestNode("Gemm", ["f", "w2", "b2"], ["g"], [("transB", .int(1))]),
            TestNode("Softmax", ["g"], ["y"]),
        ],
        inputs: [
            .init(name: "x", shape: [2, 1, 4, 4], range: -2...2),
            .init(name: "w1", shape: [2, 1, 3, 3], range: -1...1),
            .init(name: "b1", shape: [2], range: -1...1), .init(name: "scale", shape: [2], range: 0.5...2),
            .init(name: "bias", shape: [2], range: -0.5...0.5), .init(name: "w2", shape: [3, 8], range: -1...1),
            .init(name: "b2", shape: [3], range: -1...1),
        ])
}
