import Sardonyx
import SardonyxTestSupport
import Testing

/// Models that train: a gradient and a step of an optimisation in one graph, whose outputs are the next run's inputs.
@Suite struct TrainingTests {
    private static let domain = "ai.onnx.preview.training"
    /// How many histories the step keeps, its operator and attributes.
    static let steps: [(name: String, histories: Int, attributes: [(String, TestAttribute)])] = [
        ("Adagrad", 1, []), ("Adam", 2, []),
        (
            "Momentum", 1,
            [("alpha", .float(0.5)), ("beta", .float(1)), ("mode", .text("standard")), ("norm_coefficient", .float(0))]
        ),
        (
            "Momentum", 1,
            [("alpha", .float(0.5)), ("beta", .float(1)), ("mode", .text("nesterov")), ("norm_coefficient", .float(0))]
        ),
    ]

    /// The mean square of tanh(x · w + b) − t falls to that of the w and b that made t.
    @Test(arguments: steps.indices)
    func theLossFalls(index: Int) throws {
        let step = Self.steps[index]
        let state = (0...step.histories).flatMap { ["w\($0)", "b\($0)"] }
        let gradients = Array(state.prefix(2)) + ["dw", "db"] + state.dropFirst(2)
        let bytes = modelBytes(
            TestGraph(
                nodes: [
                    TestNode("Gemm", ["x", "w0", "b0"], ["g"]), TestNode("Tanh", ["g"], ["p"]),
                    TestNode("Sub", ["p", "t"], ["e"]), TestNode("Mul", ["e", "e"], ["s"]),
                    TestNode("ReduceMean", ["s"], ["loss"], [("keepdims", .int(0))]),
                    TestNode(
                        "Gradient", ["w0", "b0", "x", "t"], ["dw", "db"], domain: Self.domain,
                        [("xs", .texts(["w0", "b0"])), ("zs", .texts(["x", "t"])), ("y", .text("loss"))]),
                    TestNode(
                        step.name, ["rate", "count"] + gradients, state.map { "new_\($0)" }, domain: Self.domain,
                        step.attributes),
                ],
                inputs: [TestValue("x", ["N", 3]), TestValue("t", ["N", 2]), TestValue("count", [], type: 7)]
                    + state.map { TestValue($0, $0.hasPrefix("w") ? [3, 2] : [2]) },
                outputs: (["loss"] + state.map { "new_\($0)" }).map { TestValue($0, nil) },
                initializers: [TestTensor("rate", dims: [], floats: [0.2])]),
            opsets: [("", 20), (Self.domain, 1)])
        let session = try Session(bytes.withUnsafeBytes { try Model(bytes: $0) })
        let x = GradientTests.numbers([16, 3], -1...1, seed: 3).scalars(Double.self).map(Float.init)
        let (w, b): ([Float], [Float]) = ([0.5, -1, 0.25, 0.75, -0.5, 1], [0.1, -0.2])
        var inputs = ["x": Tensor(shape: [16, 3], scalars: x), "t": try Self.targets(x, w, b)]
        for name in state {
            let shape = name.hasPrefix("w") ? [3, 2] : [2]
            inputs[name] = try Tensor(dataType: .float, shape: shape)
        }
        var losses: [Float] = []
        for count in 0..<300 {
            inputs["count"] = Tensor(Int64(count))
            let outputs = try session.run(inputs)
            losses += outputs["loss"]?.scalars() ?? []
            for name in state { inputs[name] = outputs["new_\(name)"] }
        }
        #expect(losses.count == 300 && losses[0] > 0.1)
        #expect(losses[299] < 1e-3, "\(step.name): \(losses[0]) … \(losses[299])")
    }

    private static func targets(_ x: [Float], _ w: [Float], _ b: [Float]) throws -> Tensor {
        let bytes = modelBytes(
            TestGraph(
                nodes: [TestNode("Gemm", ["x", "w", "b"], ["g"]), TestNode("Tanh", ["g"], ["t"])],
                inputs: [TestValue("x", ["N", 3])], outputs: [TestValue("t", nil)],
                initializers: [TestTensor("w", dims: [3, 2], floats: w), TestTensor("b", dims: [2], floats: b)]))
        let session = try Session(bytes.withUnsafeBytes { try Model(bytes: $0) })
        return try #require(try session.run(["x": Tensor(shape: [16, 3], scalars: x)])["t"])
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let title: String
        var type = "Momentum"
        /// The tensors after R and T: extents, and 1 for float or 11 for double.
        let tensors: [([TestValue.Dim], Int64)]
        var rate: [TestValue.Dim] = []
        var attributes: [(String, TestAttribute)] = TrainingTests.steps[2].attributes
        var outputs = ["y"]
        var omitted: Int?
        /// A part of the message.
        let says: String
        var testDescription: String { title }
    }

    static let cases: [Case] = [
        Case(title: "four tensors in groups of three", tensors: four, says: "3 groups of the same number"),
        Case(title: "no tensors", tensors: [], says: "3 groups of the same number"),
        Case(
            title: "five tensors in groups of four", type: "Adam", tensors: four + [([2], 1)], attributes: [],
            says: "4 groups"),
        Case(
            title: "a gradient of another shape", tensors: [([2], 1), ([3], 1), ([2], 1)],
            says: "must have the same shape: 2 and 3"),
        Case(
            title: "a history of another rank", tensors: [([2], 1), ([2], 1), ([2, 1], 1)], says: "input 4 is [2, 1]"),
        Case(
            title: "a gradient of another type", tensors: [([2], 1), ([2], 11), ([2], 1)],
            says: "input 3 is double; tensor 0 is float"),
        Case(title: "rates", tensors: three, rate: [2], says: "'R' must be a scalar"),
        Case(title: "an omitted tensor", tensors: three, omitted: 1, says: "3 groups of the same number"),
        Case(
            title: "more outputs than tensors", tensors: three, outputs: ["y", "z", "u"], says: "there are 3 outputs"),
        Case(
            title: "a mode that is none", tensors: three,
            attributes: steps[2].attributes.map { $0.0 == "mode" ? ("mode", .text("fast")) : $0 },
            says: "may be 'standard' or 'nesterov'"),
        Case(title: "no coefficients", tensors: three, attributes: [], says: "is missing"),
    ]
    private static let three: [([TestValue.Dim], Int64)] = [([2], 1), ([2], 1), ([2], 1)]
    private static let four: [([TestValue.Dim], Int64)] = three + [([2], 1)]

    @Test(arguments: cases)
    func aStepThatBreaksARule(_ test: Case) throws {
        var names = test.tensors.indices.map { "x\($0)" }
        if let omitted = test.omitted { names[omitted] = "" }
        let bytes = modelBytes(
            TestGraph(
                nodes: [TestNode(test.type, ["r", "t"] + names, test.outputs, domain: Self.domain, test.attributes)],
                inputs: [TestValue("r", test.rate), TestValue("t", [], type: 7)]
                    + test.tensors.enumerated().map { TestValue("x\($0)", $1.0, type: $1.1) },
                outputs: [TestValue("y", nil)]),
            opsets: [("", 20), (Self.domain, 1)])
        let error = #expect(throws: SardonyxError.self) { try bytes.withUnsafeBytes { try Model(bytes: $0) } }
        #expect(error?.code == .invalidModel)
        #expect(error?.description.contains(test.says) ?? false, "\(error.map(\.description) ?? "")")
    }
}
