import Sardonyx
import SardonyxTestSupport
import Testing

@Suite struct SessionTests {
    /// y = reshape(relu(x), [N, 6]) for x of [N, 2, 3].
    static func model() throws -> Model {
        let bytes = modelBytes(
            TestGraph(
                nodes: [TestNode("Relu", ["x"], ["r"]), TestNode("Reshape", ["r", "s"], ["y"])],
                inputs: [TestValue("x", ["N", 2, 3])], outputs: [TestValue("y", nil)],
                initializers: [TestTensor("s", integers: [0, -1])]))
        return try bytes.withUnsafeBytes { try Model(bytes: $0) }
    }

    static let input = Tensor(shape: [1, 2, 3], scalars: [-1, 2, -3, 4, -5, 6] as [Float])
    static let expected: [Float] = [0, 2, 0, 4, 0, 6]

    @Test func describesItself() throws {
        let model = try Self.model()
        #expect("\(model.inputs["x"]!.shape!)" == "[N, 2, 3]")
        #expect("\(model.outputs["y"]!.shape!)" == "[N, 6]")
        #expect(model.operatorCounts == ["Relu": 1, "Reshape": 1])
        #expect(model.parameterCount == 2)
    }

    @Test(arguments: [true, false])
    func runs(optimizes: Bool) async throws {
        var options = Session.Options()
        options.optimizes = optimizes
        let session = try Session(Self.model(), options: options)
        let outputs: [String: Tensor] = try Self.runNow(session)
        #expect(outputs["y"]?.shape == [1, 6])
        #expect(outputs["y"]?.scalars() == Self.expected)
        let later = try await session.run(["x": Self.input])
        #expect(later["y"]?.scalars() == Self.expected)
        #expect(Self.input.scalars() == [-1, 2, -3, 4, -5, 6] as [Float])
    }

    private static func runNow(_ session: Session) throws -> [String: Tensor] { try session.run(["x": input]) }

    @Test func runsIntoTheCallersMemory() throws {
        let session = try Session(Self.model())
        var outputs = ["y": try Tensor(dataType: .float, shape: [1, 6])]
        try session.run(["x": Self.input], into: &outputs)
        #expect(outputs["y"]?.scalars() == Self.expected)
        var wrong = ["y": try Tensor(dataType: .float, shape: [6])]
        #expect(throws: SardonyxError.self) { try session.run(["x": Self.input], into: &wrong) }
    }

    @Test func runsAtTheSameTime() async throws {
        let session = try Session(Self.model())
        try await withThrowingTaskGroup(of: [Float]?.self) { group in
            for batch in 1...16 {
                group.addTask {
                    let x = Tensor(shape: [batch, 2, 3], scalars: [Float](repeating: Float(batch), count: batch * 6))
                    return try Self.runBatch(session, x)
                }
            }
            for try await result in group {
                let first = try #require(result?.first)
                #expect(result == [Float](repeating: first, count: Int(first) * 6))
            }
        }
    }

    private static func runBatch(_ session: Session, _ x: Tensor) throws -> [Float]? {
        try session.run(["x": x])["y"]?.scalars()
    }

    @Test func tellsItsMemory() throws {
        let plan = try Session(Self.model()).plan(for: ["x": [4, 2, 3]])
        #expect(plan.peakMemory == .exact(plan.arenaByteCount + plan.constantByteCount))
        #expect(plan.stepCount == 1)
    }

    @Test func refusesPlansThatNoRunCanHave() throws {
        let session = try Session(Self.model())
        for shape in [[1, 3, 2], [6], [1, 2, 3, 1]] {
            let error = #expect(throws: SardonyxError.self) { try session.plan(for: ["x": shape]) }
            #expect(error?.code == .invalidInput)
        }
    }

    struct BadInput: Sendable, CustomTestStringConvertible {
        let inputs: [String: Tensor]
        let says: String
        var testDescription: String { says }
    }

    @Test(arguments: [
        BadInput(inputs: [:], says: "input 'x' is missing; it takes float[N, 2, 3]"),
        BadInput(inputs: ["x": input, "z": input], says: "there is no input 'z'; the model takes 'x'"),
        BadInput(
            inputs: ["x": Tensor(shape: [1, 2, 3], scalars: [Int32](repeating: 0, count: 6))],
            says: "must have the type float; it has int32"),
        BadInput(
            inputs: ["x": input.reshaped(to: [1, 3, 2])], says: "must have the shape [N, 2, 3]; it has [1, 3, 2]"),
        BadInput(inputs: ["x": input.reshaped(to: [6])], says: "must have the shape [N, 2, 3]; it has [6]"),
    ])
    func badInputs(_ test: BadInput) throws {
        let session = try Session(Self.model())
        let error = #expect(throws: SardonyxError.self) { try session.run(test.inputs) }
        #expect(error?.code == .invalidInput)
        #expect(error?.description.contains(test.says) == true, "\(error.map(\.description) ?? "")")
    }

    @Test(arguments: [0, -1, 10_000])
    func impossibleThreads(count: Int) throws {
        var options = Session.Options()
        options.threads = .count(count)
        let error = #expect(throws: SardonyxError.self) { try Session(Self.model(), options: options) }
        #expect(error?.code == .invalidOption)
    }

    @Test func functionsAreInlined() throws {
        let inner = TestFunction(
            "Inner", domain: "f", inputs: ["a", "shape"], outputs: ["b"],
            nodes: [TestNode("Reshape", ["a", "shape"], ["b"], [("allowzero", .reference("zero", type: 2))])],
            defaults: [("zero", .int(0))])
        let outer = TestFunction(
            "Outer", domain: "f", inputs: ["x"], outputs: ["y"],
            nodes: [
                TestNode("Constant", [], ["s"], [("value", .tensor(TestTensor("", integers: [0, 6])))]),
                TestNode("Inner", ["x", "s"], ["t"], domain: "f"), TestNode("Relu", ["t"], ["y"]),
            ])
        let bytes = modelBytes(
            TestGraph(
                nodes: [TestNode("Outer", ["x"], ["y"], domain: "f")], inputs: [TestValue("x", ["N", 2, 3])],
                outputs: [TestValue("y", nil)]),
            opsets: [("", 20), ("f", 1)], functions: [outer, inner])
        let session = try Session(bytes.withUnsafeBytes { try Model(bytes: $0) })
        #expect(try session.run(["x": Self.input])["y"]?.scalars() == Self.expected)
    }
}
