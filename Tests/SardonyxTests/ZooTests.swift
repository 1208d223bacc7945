import SardonyxTestSupport
import Testing

/// What `SardonyxZoo` counts, in a process of its own, on small models; `Tools/check --zoo` gives it the zoo.
@Suite struct ZooTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let title: String
        let graph: TestGraph
        var arguments: [String] = []
        let says: String
        var testDescription: String { title }
    }

    private static func weights(_ name: String, _ dims: Int64...) -> TestTensor {
        TestTensor(name, dims: dims, floats: (0..<dims.reduce(1, *)).map { Float($0 * 37 % 101) / 101 - 0.5 })
    }
    private static func output(_ name: String) -> TestValue { TestValue(name, nil) }
    private static let quiet = "0 allocations in 16 runs, the same bits on 1, 2, 3, 7 threads"

    static let cases = [
        Case(
            title: "layers with work for several threads",
            graph: TestGraph(
                nodes: [
                    TestNode("Conv", ["x", "w"], ["a"], [("pads", .ints([1, 1, 1, 1]))]),
                    TestNode("Sigmoid", ["a"], ["b"]),
                    TestNode("MaxPool", ["b"], ["c"], [("kernel_shape", .ints([2, 2]))]),
                    TestNode("Softmax", ["c"], ["d"], [("axis", .int(1))]), TestNode("ReduceMean", ["d"], ["y"]),
                ], inputs: [TestValue("x", ["N", 3, "H", "W"])], outputs: [output("y"), output("d")],
                initializers: [weights("w", 16, 3, 3, 3)]), arguments: ["x=2,3,96,64"], says: quiet),
        Case(
            title: "steps that remember",
            graph: TestGraph(
                nodes: [
                    TestNode("GRU", ["x", "w", "r"], ["y"], [("hidden_size", .int(32))]),
                    TestNode("LSTM", ["x", "w4", "r4"], ["z"], [("hidden_size", .int(32))]),
                ], inputs: [TestValue("x", ["T", "N", 16])], outputs: [output("y"), output("z")],
                initializers: [
                    weights("w", 1, 96, 16), weights("r", 1, 96, 32), weights("w4", 1, 128, 16),
                    weights("r4", 1, 128, 32),
                ]), arguments: ["x=9,8,16"], says: quiet),
        Case(
            title: "outputs that are inputs, constants and views, and another input for a default",
            graph: TestGraph(
                nodes: [
                    TestNode("Add", ["x", "k"], ["s"]), TestNode("Flatten", ["s"], ["y"]),
                    TestNode("Identity", ["k"], ["constant"]), TestNode("Transpose", ["x"], ["t"]),
                ], inputs: [TestValue("x", [3, "M"]), TestValue("k", [3, 1])],
                outputs: ["y", "x", "constant", "s", "t"].map(output), initializers: [weights("k", 3, 1)]),
            arguments: ["x=3,5", "k=3,1"], says: quiet),
        Case(
            title: "a shape that the data tell",
            graph: TestGraph(
                nodes: [TestNode("NonZero", ["x"], ["p"]), TestNode("Size", ["p"], ["y"])],
                inputs: [TestValue("x", ["N"])], outputs: [output("y")]), arguments: ["x=20"], says: "dynamic, "),
    ]

    @Test(arguments: cases)
    func models(_ test: Case) throws {
        try Self.expectHolds(test)
    }

    /// More threads than CPUs, which must not wait for each other.
    @Test(arguments: cases)
    func modelsOnOneCPU(_ test: Case) throws {
        try Self.expectHolds(test, under: ["taskset", "--cpu-list", firstAllowedCPU()])
    }

    @Test func kernelsOfAllOperators() throws {
        let result = try runBuilt("SardonyxZoo", ["--operators"], in: TemporaryFolder())
        #expect(result.status == 0, "\(result.output)")
        let count = result.output.split(separator: "\n").last?.split(separator: " ").first.flatMap { Int($0) }
        #expect(count.map { $0 > 300 } == true, "\(result.output)")
    }

    private static func expectHolds(_ test: Case, under wrapper: [String] = []) throws {
        let folder = TemporaryFolder()
        let path = folder.write(modelBytes(test.graph), to: "m.onnx")
        let result = try runBuilt("SardonyxZoo", [path] + test.arguments, in: folder, under: wrapper)
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        #expect(result.output.hasSuffix("1 of 1 models hold\n"))
        // A sanitizer has its own malloc.
        let isCounted = !result.output.contains("allocations not counted")
        #expect(result.output.contains(isCounted ? test.says : "the same bits"), "\(result.output)")
    }
}
