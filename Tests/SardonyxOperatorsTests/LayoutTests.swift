import SardonyxGraph
import Testing

@testable import SardonyxOperators

/// Every offer of a layout gives what plain tensors give.
@Suite struct LayoutTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let type: any Operator.Type
        var attributes: [String: Attribute] = [:]
        /// Maps of random numbers, by their shapes.
        let maps: [[Int]]
        /// Constants that follow the maps.
        var constants: [Tensor?] = []
        /// The offers that must be made.
        var offers = 1
        var testDescription: String { "\(type.schema.qualifiedName) \(maps) \(attributes.keys.sorted())" }
    }

    static let cases: [Case] =
        [
            Case(type: Relu.self, maps: [[2, 8, 3, 5]]),
            Case(type: Sigmoid.self, maps: [[1, 16, 2, 3, 3]]),
            Case(type: Relu.self, maps: [[2, 12, 3, 5]], offers: 0),
            Case(type: Relu.self, maps: [[16, 8]], offers: 0),
            Case(type: Clip.self, maps: [[1, 8, 7]], constants: [Tensor(-0.5 as Float), Tensor(0.25 as Float)]),
            Case(type: Sum.self, maps: [[1, 8, 3, 3], [1, 8, 3, 3], [1, 8, 3, 3]]),
            Case(type: Sum.self, maps: [[1, 8, 3, 3], [1, 8, 1, 1]], offers: 0),
            Case(type: Add.self, maps: [[2, 16, 3, 3], [2, 16, 3, 3]]),
            Case(type: Add.self, maps: [[2, 16, 3, 3]], constants: [Tensor(0.5 as Float)]),
            Case(type: Sub.self, maps: [[2, 16, 3, 3]], constants: [random([1, 16, 1, 1], 9)]),
            Case(type: Mul.self, maps: [[2, 16, 3, 3], [2, 16, 1, 1]]),
            Case(type: Mul.self, maps: [[2, 16, 1, 1], [2, 16, 3, 3]]),
            Case(type: Div.self, maps: [[1, 8, 3, 3]], constants: [random([8, 1, 1], 9)]),
            Case(type: Add.self, maps: [[1, 8, 3, 3], [1, 1, 3, 3]], offers: 0),
            Case(type: PRelu.self, maps: [[2, 8, 3, 3]], constants: [random([8, 1, 1], 9)]),
            Case(type: PRelu.self, maps: [[2, 8, 3, 3]], constants: [random([1], 9)]),
            Case(
                type: FusedElementwise.self, attributes: chain, maps: [[2, 16, 3, 3], [2, 16, 3, 3], [2, 16, 1, 1]],
                constants: [random([16, 1, 1], 9), random([1], 8)]),
            Case(
                type: FusedElementwise.self, attributes: chain,
                maps: [[1, 8, 3, 3], [1, 1, 3, 3], [1, 8, 1, 1], [1], [1]], offers: 0),
            Case(type: Concat.self, attributes: ["axis": .int(1)], maps: [[2, 8, 3, 3], [2, 24, 3, 3]]),
            Case(type: Concat.self, attributes: ["axis": .int(-1)], maps: [[2, 8, 3, 3], [2, 8, 3, 2]]),
            Case(type: Concat.self, attributes: ["axis": .int(1)], maps: [[2, 8, 3, 3], [2, 4, 3, 3]], offers: 0),
            Case(
                type: Pad.self, attributes: ["mode": .string("reflect")], maps: [[2, 8, 4, 5]],
                constants: [Tensor(integers: [0, 0, 1, 2, 0, 0, 3, 1])]),
            Case(
                type: Pad.self, maps: [[2, 8, 4, 5]],
                constants: [Tensor(integers: [0, 0, 1, -1, 0, 0, 3, 1]), Tensor(1.5 as Float)]),
            Case(
                type: Pad.self, attributes: ["mode": .string("edge")], maps: [[2, 8, 4, 3, 5]],
                constants: [Tensor(integers: [0, 0, 1, 2, 0, 0, 0, 0, 3, 1])]),
            Case(
                type: Pad.self, attributes: ["mode": .string("wrap")], maps: [[2, 8, 4]],
                constants: [Tensor(integers: [0, 0, 1, 0, 0, -1])], offers: 0),
            Case(type: Softmax.self, attributes: ["axis": .int(1)], maps: [[2, 16, 3, 5]]),
            Case(type: LogSoftmax.self, attributes: ["axis": .int(-3)], maps: [[2, 16, 3, 5]]),
            Case(type: Softmax.self, maps: [[2, 16, 3, 5]], offers: 0),
            Case(type: LRN.self, attributes: ["size": .int(5), "alpha": .float(0.5)], maps: [[2, 16, 3, 5]]),
            Case(type: DepthToSpace.self, attributes: ["blocksize": .int(2)], maps: [[1, 32, 3, 5]]),
            Case(
                type: DepthToSpace.self, attributes: ["blocksize": .int(2), "mode": .string("CRD")],
                maps: [[2, 32, 3, 5]]),
            Case(type: SpaceToDepth.self, attributes: ["blocksize": .int(2)], maps: [[1, 8, 4, 6]]),
            Case(type: Pad.self, maps: [[2, 8, 4]], constants: [Tensor(integers: [0, 8, 0, 0, 0, 0])], offers: 0),
            Case(
                type: Slice.self, maps: [[1, 8, 9, 7]],
                constants: [
                    Tensor(integers: [1, -1]), Tensor(integers: [8, 0]), Tensor(integers: [2, 3]),
                    Tensor(integers: [3, -2]),
                ]),
            Case(
                type: Slice.self, maps: [[1, 8, 9]],
                constants: [Tensor(integers: [0]), Tensor(integers: [4]), Tensor(integers: [1])], offers: 0),
            Case(type: ReduceMean.self, maps: [[2, 16, 5, 3]], constants: [Tensor(integers: [2, 3])]),
            Case(
                type: ReduceMax.self, attributes: ["keepdims": .int(0)], maps: [[2, 16, 5, 3]],
                constants: [Tensor(integers: [-1, -2])]),
            Case(type: ReduceMean.self, maps: [[2, 16, 5, 3]], constants: [Tensor(integers: [3])], offers: 0),
            Case(type: GlobalAveragePool.self, maps: [[2, 16, 5, 3]]),
            Case(type: GlobalMaxPool.self, maps: [[2, 8, 5, 3, 2]]),
            Case(
                type: MaxPool.self,
                attributes: ["kernel_shape": .ints([3, 3]), "strides": .ints([2, 2]), "pads": .ints([1, 1, 1, 1])],
                maps: [[2, 8, 9, 7]]),
            Case(
                type: AveragePool.self, attributes: ["kernel_shape": .ints([2, 3]), "pads": .ints([1, 0, 0, 1])],
                maps: [[1, 16, 5, 6]]),
            Case(
                type: AveragePool.self,
                attributes: [
                    "kernel_shape": .ints([2, 2, 2]), "count_include_pad": .int(1), "strides": .ints([2, 2, 2]),
                ],
                maps: [[1, 8, 4, 5, 6]]),
            Case(
                type: InstanceNormalization.self, maps: [[2, 16, 5, 3]],
                constants: [random([16], 3), random([16], 4)]),
            Case(
                type: GroupNormalization.self, attributes: ["num_groups": .int(2)], maps: [[2, 16, 5, 3]],
                constants: [random([16], 3), random([16], 4)]),
            Case(
                type: BatchNormalization.self, maps: [[2, 16, 5, 3]],
                constants: [
                    random([16], 3), random([16], 4), random([16], 5),
                    Tensor(shape: [16], scalars: (1...16).map(Float.init)),
                ]),
            Case(
                type: Resize.self, maps: [[1, 8, 3, 5]],
                constants: [nil, Tensor(shape: [4], scalars: [1, 1, 2, 2] as [Float])]),
            Case(
                type: Resize.self,
                attributes: ["mode": .string("linear"), "coordinate_transformation_mode": .string("align_corners")],
                maps: [[2, 8, 3, 4, 5]], constants: [nil, nil, Tensor(integers: [2, 8, 6, 8, 10])]),
            Case(
                type: Resize.self, attributes: ["mode": .string("cubic")], maps: [[1, 8, 6]],
                constants: [nil, Tensor(shape: [3], scalars: [1, 1, 1.5] as [Float])]),
        ] + convolutions

    /// tanh(x0 - x1) * x2 / x3 + x4, each step of five operands on the one before.
    private static let chain: [String: Attribute] = [
        "functions": .ints([1, 1, 0, 1, 0, 8, 5, 5, 1, 2, 6, 2, 1, 3, 7, 3, 1, 0, 8, 4]),
        "parameters": .floats([Float](repeating: 0, count: 10)),
    ]

    static let convolutions: [Case] = [
        convolution([1, 16, 9, 7], [8, 16, 3, 3], ["pads": .ints([1, 1, 1, 1])]),
        convolution([2, 8, 9, 7], [24, 8, 3, 3], ["strides": .ints([2, 2]), "pads": .ints([0, 1, 1, 0])]),
        convolution([1, 16, 6, 6], [32, 16, 1, 1], [:]),
        convolution([1, 3, 11, 13], [8, 3, 5, 5], ["strides": .ints([2, 2]), "pads": .ints([2, 2, 2, 2])]),
        convolution([1, 16, 6, 9], [3, 16, 3, 3], ["pads": .ints([1, 1, 1, 1])]),
        convolution([1, 16, 9, 7], [16, 1, 3, 3], ["pads": .ints([1, 1, 1, 1]), "group": .int(16)]),
        convolution([1, 32, 9, 7], [16, 16, 3, 3], ["group": .int(2)]),
        convolution([1, 8, 6, 5, 7], [16, 8, 3, 3, 3], ["pads": .ints([1, 1, 1, 1, 1, 1])]),
        convolution([1, 1, 6, 5, 7], [16, 1, 3, 3, 3], ["strides": .ints([2, 2, 2])]),
        convolution([1, 16, 30], [8, 16, 5], ["dilations": .ints([3])]),
        convolution([2, 16, 30, 1], [24, 16, 5, 1], ["strides": .ints([2, 3]), "pads": .ints([2, 0, 1, 0])]),
        convolution([1, 8, 1, 20, 1], [8, 8, 1, 3, 1], ["pads": .ints([0, 1, 0, 0, 1, 0])]),
        convolution([1, 16, 20, 20], [32, 16, 3, 3], ["pads": .ints([1, 1, 1, 1])]),
        convolution([1, 3, 6, 6], [5, 3, 3, 3], [:], offers: 0),
        Case(
            type: Conv.self,
            attributes: ["pads": .ints([1, 1, 1, 1]), "sardonyx.activation": .string("Relu")],
            maps: [[1, 64, 20, 20]],
            constants: [random([64, 64, 3, 3], 5), random([64], 6), nil]),
        Case(
            type: ConvTranspose.self, attributes: ["strides": .ints([2, 2])], maps: [[1, 16, 5, 7]],
            constants: [random([16, 8, 2, 2], 5), random([8], 6)]),
        Case(
            type: ConvTranspose.self,
            attributes: ["strides": .ints([2, 2]), "pads": .ints([1, 1, 1, 1]), "output_padding": .ints([1, 1])],
            maps: [[2, 8, 5, 7]], constants: [random([8, 16, 3, 3], 5)]),
        Case(
            type: ConvTranspose.self,
            attributes: [
                "strides": .ints([2, 2, 2]), "pads": .ints([1, 1, 1, 1, 1, 1]), "output_padding": .ints([1, 1, 1]),
            ], maps: [[1, 16, 3, 4, 5]], constants: [random([16, 3, 3, 3, 3], 5), random([3], 6)]),
        Case(
            type: ConvTranspose.self,
            attributes: [
                "strides": .ints([3, 2]), "pads": .ints([0, 1, 1, 2]), "sardonyx.activation": .string("Relu"),
            ], maps: [[2, 8, 4, 5]], constants: [random([8, 5, 4, 5], 5)]),
        Case(
            type: ConvTranspose.self, attributes: ["strides": .ints([3])], maps: [[1, 8, 5]],
            constants: [random([8, 2, 2], 5)]),
        Case(
            type: ConvTranspose.self, attributes: ["strides": .ints([9])], maps: [[1, 8, 5]],
            constants: [random([8, 2, 2], 5)], offers: 0),
        Case(
            type: ConvTranspose.self, attributes: ["strides": .ints([2, 2, 2])], maps: [[1, 16, 3, 4, 5]],
            constants: [random([16, 8, 2, 2, 2], 5), random([8], 6)]),
    ]

    private static func convolution(
        _ map: [Int], _ weights: [Int], _ attributes: [String: Attribute], offers: Int = 1
    ) -> Case {
        Case(
            type: Conv.self, attributes: attributes, maps: [map],
            constants: [random(weights, 5), random([weights[0]], 6)], offers: offers)
    }

    /// Numbers in -1 ..< 1.
    private static func random(_ shape: [Int], _ seed: UInt64) -> Tensor {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        return Tensor(
            shape: shape,
            scalars: (0..<shape.reduce(1, *)).map { _ -> Float in
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                return Float(Int64(bitPattern: state) >> 40) / Float(1 << 23)
            })
    }

    @Test(arguments: cases)
    func offers(_ test: Case) throws {
        let maps = test.maps.enumerated().map { Self.random($1, UInt64($0 + 1)) }
        let inputs: [Tensor?] = maps + test.constants
        let node = Node(
            test.type.schema.name, opset: 28, inputs: inputs.indices.map { inputs[$0] == nil ? nil : ValueID($0) },
            outputs: [ValueID(1000)], attributes: test.attributes)
        var inference = InferenceContext(
            node: node, inputs: inputs.map { $0.map { .tensor($0.dataType, SymbolicShape($0.shape)) } },
            constantOf: { inputs[$0] })
        try test.type.infer(&inference)
        let output = try #require(inference.outputs[0].spec)
        func context(_ offer: LayoutOffer?) -> PreparationContext {
            PreparationContext(
                node: node,
                inputs: inputs.enumerated().map { index, input in
                    input.map { $0.spec.with(index < maps.count ? offer?.inputs[index] ?? .plain : .plain) }
                }, outputs: [output.with(offer?.outputs[0] ?? .plain)],
                constants: inputs.enumerated().map { $0 < maps.count ? nil : $1 }, workers: 1,
                packedWeights: PackedWeights())
        }
        func run(_ offer: LayoutOffer?) throws -> Tensor {
            let stored = inputs.enumerated().map { index, input in
                index < maps.count && offer?.inputs[index] == .channelBlocks ? input?.inBlocks : input
            }
            let results = try test.type.prepare(context(offer)).evaluate(
                inputs: stored, outputs: [output], environment: PlainEnvironment())
            let result = try #require(results[0])
            return offer?.outputs[0] == .channelBlocks ? result.fromBlocks : result
        }
        let plain = try run(nil)
        let offers = try test.type.layouts(context(nil))
        #expect(offers.count == test.offers)
        let expected = plain.scalars(Float.self)
        // Winograd's convolution is the least exact: 5e-6 of the largest value.
        let limit = 5e-6 * (expected.map(abs).max() ?? 0)
        for offer in offers {
            let result = try run(offer).scalars(Float.self)
            let worst = zip(result, expected).map { abs($0 - $1) }.max() ?? 0
            #expect(result.count == expected.count && worst <= limit, "\(offer): off by \(worst)")
        }
    }

    @Test(arguments: [[2, 16, 3, 5], [1, 8, 1, 1], [1, 24, 2, 3, 4], [3, 8, 0, 4]])
    func reorder(_ shape: [Int]) throws {
        let plain = Self.random(shape, 3)
        for (source, from, to) in [
            (plain, TensorLayout.plain, TensorLayout.channelBlocks), (plain.inBlocks, .channelBlocks, .plain),
        ] {
            let kernel = try Reorder.prepare(
                PreparationContext(
                    node: Node("Reorder", domain: "sardonyx", inputs: [ValueID(0)], outputs: [ValueID(1)]),
                    inputs: [plain.spec.with(from)], outputs: [plain.spec.with(to)], constants: [nil], workers: 1,
                    packedWeights: PackedWeights()))
            let result = try #require(
                try kernel.evaluate(inputs: [source], outputs: [plain.spec], environment: PlainEnvironment())[0])
            #expect(result.scalars(Float.self) == (to == .plain ? plain : plain.inBlocks).scalars(Float.self))
        }
    }
}

extension Tensor {
    /// The position of [n, c, pixel] in blocks of channels.
    private func positions(_ body: (_ plain: Int, _ blocked: Int) -> Void) {
        let pixels = shape.dropFirst(2).reduce(1, *)
        for image in 0..<shape[0] {
            for channel in 0..<shape[1] {
                for pixel in 0..<pixels {
                    body(
                        (image * shape[1] + channel) * pixels + pixel,
                        ((image * (shape[1] / 8) + channel / 8) * pixels + pixel) * 8 + channel % 8)
                }
            }
        }
    }

    fileprivate var inBlocks: Tensor {
        let source = scalars(Float.self)
        var result = source
        positions { result[$1] = source[$0] }
        return Tensor(shape: shape, scalars: result)
    }

    fileprivate var fromBlocks: Tensor {
        let source = scalars(Float.self)
        var result = source
        positions { result[$0] = source[$1] }
        return Tensor(shape: shape, scalars: result)
    }
}
