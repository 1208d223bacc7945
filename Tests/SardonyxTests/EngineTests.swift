import Glibc
import Sardonyx
import SardonyxCompiler
import SardonyxExecution
import SardonyxTestSupport
import Synchronization
import Testing

/// Sessions under load: many runs, runs at once, runs that are cancelled, models that ask for too much.
@Suite struct EngineTests {
    private static func model(_ graph: TestGraph) throws -> Model {
        try modelBytes(graph).withUnsafeBytes { try Model(bytes: $0) }
    }

    private static func output(_ name: String) -> TestValue { TestValue(name, nil) }

    /// The number of non-zero elements of each row, by way of shapes that only the data tell, in a branch.
    private static func dynamicModel() throws -> Model {
        let then = TestGraph(
            nodes: [
                TestNode("NonZero", ["r"], ["places"]), TestNode("Transpose", ["places"], ["t"]),
                TestNode("Cast", ["t"], ["f"], [("to", .int(1))]), TestNode("Relu", ["f"], ["a"]),
            ], outputs: [output("a")])
        let other = TestGraph(nodes: [TestNode("Neg", ["r"], ["b"])], outputs: [output("b")])
        return try model(
            TestGraph(
                nodes: [
                    TestNode("Relu", ["x"], ["r"]),
                    TestNode("If", ["c"], ["y"], [("then_branch", .graph(then)), ("else_branch", .graph(other))]),
                    TestNode("Shape", ["y"], ["s"]),
                ], inputs: [TestValue("x", ["N"]), TestValue("c", [], type: 9)], outputs: [output("s")]))
    }

    private static func inputs(_ count: Int) -> [String: Tensor] {
        let x = (0..<20).map { Float($0 < count ? 1 : -1) }
        return ["x": Tensor(shape: [20], scalars: x), "c": Tensor(true)]
    }

    private static func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        fgets(&line, 256, file)
        let fields = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .split(separator: " ")
        return (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }

    @Test func thousandsOfRunsTakeNoMoreMemory() throws {
        let session = try Session(Self.dynamicModel())
        for run in 0..<500 { _ = try session.run(Self.inputs(run % 20)) }
        let before = Self.residentBytes()
        for run in 0..<3000 { _ = try session.run(Self.inputs(run % 20)) }
        // Other tests run meanwhile; a leak of a kilobyte a run would show all the same.
        #expect(Self.residentBytes() - before < 256 << 20)
    }

    @Test func dynamicStepsRunAtTheSameTime() async throws {
        let session = try Session(Self.dynamicModel())
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for run in 0..<200 {
                group.addTask {
                    let outputs = try await session.run(Self.inputs(run % 20))
                    return outputs["s"]?.scalars() == [Int64(run % 20), 1]
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    @Test func aSessionOutlivesItsPendingRuns() async throws {
        var session: Session? = try Session(Self.dynamicModel())
        let task = Task { [session] in try await session?.run(Self.inputs(7))["s"]?.scalars(Int64.self) }
        session = nil
        #expect(try await task.value == [7, 1])
    }

    /// x changes its sign in each iteration; without a number of trips the loop never ends.
    private static func loop(trips: Int64? = nil) throws -> Model {
        let body = TestGraph(
            nodes: [TestNode("Identity", ["go"], ["on"]), TestNode("Neg", ["v"], ["next"])],
            inputs: [TestValue("i", [], type: 7), TestValue("go", [], type: 9), TestValue("v", nil)],
            outputs: [TestValue("on", [], type: 9), output("next")])
        return try model(
            TestGraph(
                nodes: [TestNode("Loop", [trips == nil ? "" : "trips", "", "x"], ["y"], [("body", .graph(body))])],
                inputs: [TestValue("x", ["N"])], outputs: [output("y")],
                initializers: trips.map { [TestTensor("trips", integers: [$0])] } ?? []))
    }

    @Test(arguments: [(5, 5), (4, 5), (5, nil), (0, nil), (0, 0)] as [(limit: Int, trips: Int64?)])
    func aLoopHasALimit(_ test: (limit: Int, trips: Int64?)) throws {
        var options = Session.Options()
        options.loopLimit = test.limit
        let session = try Session(Self.loop(trips: test.trips), options: options)
        let inputs = ["x": Tensor(shape: [1], scalars: [1] as [Float])]
        if let trips = test.trips, trips <= test.limit {
            #expect(try session.run(inputs)["y"]?.scalars(Float.self) == [trips % 2 == 0 ? 1 : -1])
        } else {
            let error = #expect(throws: SardonyxError.self) { try session.run(inputs) }
            #expect(error?.code == .invalidValue)
            #expect(error.map { "\($0)".contains("after \(test.limit) iterations") } == true)
        }
    }

    /// A loop of three turns around one of four, and a scan of two steps behind them: 3 + 12 + 2 turns.
    private static func loops() throws -> Model {
        func turn(_ nodes: [TestNode], _ next: String) -> TestAttribute {
            .graph(
                TestGraph(
                    nodes: [TestNode("Identity", ["go"], ["on"])] + nodes,
                    inputs: [TestValue("i", [], type: 7), TestValue("go", [], type: 9), TestValue("v", nil)],
                    outputs: [TestValue("on", [], type: 9), output(next)]))
        }
        let inner = TestNode(
            "Loop", ["four", "", "v"], ["next"], name: "inner", [("body", turn([TestNode("Neg", ["v"], ["n"])], "n"))])
        let step = TestGraph(
            nodes: [TestNode("Add", ["s", "e"], ["t"])], inputs: [TestValue("s", [1]), TestValue("e", [1])],
            outputs: [output("t")])
        return try model(
            TestGraph(
                nodes: [
                    TestNode("Loop", ["three", "", "x"], ["z"], name: "outer", [("body", turn([inner], "next"))]),
                    TestNode(
                        "Scan", ["z", "pair"], ["y"], name: "scan",
                        [("body", .graph(step)), ("num_scan_inputs", .int(1))]),
                ],
                inputs: [TestValue("x", [1])], outputs: [output("y")],
                initializers: [
                    TestTensor("three", integers: [3]), TestTensor("four", integers: [4]),
                    TestTensor("pair", dims: [2, 1], floats: [1, 2]),
                ]))
    }

    @Test(
        arguments: [(17, nil), (16, "scan"), (14, "inner"), (5, "outer"), (3, "inner"), (0, "outer")]
            as [(Int, String?)])
    func allLoopsOfARunShareTheLimit(limit: Int, node: String?) throws {
        var options = Session.Options()
        options.loopLimit = limit
        let session = try Session(Self.loops(), options: options)
        let inputs = ["x": Tensor(shape: [1], scalars: [1] as [Float])]
        // Each run begins anew.
        for _ in 0..<2 {
            guard let node else {
                #expect(try session.run(inputs)["y"]?.scalars(Float.self) == [4])
                continue
            }
            let error = #expect(throws: SardonyxError.self) { try session.run(inputs) }
            #expect(error?.code == .invalidValue && error?.node == node, "\(error.map { "\($0)" } ?? "")")
            #expect(error.map { "\($0)".contains("after \(limit) iterations") } == true)
        }
    }

    @Test func aCancelledRunEnds() async throws {
        let session = try Session(Self.loop())
        let task = Task { try await session.run(["x": Tensor(shape: [1], scalars: [1] as [Float])]) }
        try await Task.sleep(for: .milliseconds(20))
        task.cancel()
        let error = await #expect(throws: SardonyxError.self) { try await task.value }
        #expect(error?.code == .cancelled)
    }

    /// A file of a few hundred bytes that asks for 4 GB a thousand times, or for little memory very often.
    @Test(arguments: [1 << 30, 1 << 23])
    func largeResultsAreNotFolded(count: Int64) throws {
        let nodes = (0..<1000).flatMap { index in
            [
                TestNode("ConstantOfShape", ["s"], ["c\(index)"], name: "\(index)"),
                TestNode("Gather", ["c\(index)", "zero"], ["g\(index)"]),
            ]
        }
        let before = Self.residentBytes()
        let model = try Self.model(
            TestGraph(
                nodes: nodes + [TestNode("Sum", (0..<1000).map { "g\($0)" }, ["y"])],
                outputs: [Self.output("y")],
                initializers: [TestTensor("s", integers: [count]), TestTensor("zero", integers: [0])]))
        var options = Session.Options()
        // Left apart, or they would all be one.
        options.optimizes = false
        _ = try Session(model, options: options)
        #expect(Self.residentBytes() - before < 1 << 30)
    }

    @Test func manyPlansKeepNoPackedWeights() throws {
        let model = try Self.model(
            TestGraph(
                nodes: [
                    TestNode("Shape", ["x"], ["s"]), TestNode("Cast", ["s"], ["f"], [("to", .int(1))]),
                    TestNode("Expand", ["f", "wide"], ["w"]), TestNode("Transpose", ["w"], ["t"]),
                    TestNode("MatMul", ["x", "t"], ["y"]),
                ], inputs: [TestValue("x", ["N", 2])], outputs: [Self.output("y")],
                initializers: [TestTensor("wide", integers: [64, 2])]))
        let session = try Session(model)
        var held: [Int] = []
        for rows in 1...80 {
            let x = Tensor(shape: [rows, 2], scalars: [Float](repeating: 1, count: rows * 2))
            let y = try session.run(["x": x])["y"]
            #expect(y?.scalars(Float.self).first == Float(rows + 2))
            held.append(session.memoryInUse)
        }
        // What the sixteen plans take that are kept, and nothing of the others.
        let kept = try (65...80).map { try session.plan(for: ["x": [$0, 2]]).peakMemory.byteCount }
        #expect(held[79] <= kept.reduce(0, +))
        #expect(held[79] > kept.reduce(0, +) / 2)
    }

    /// Shapes that only the run tells, and that no tensor can have: refused before an operator prepares for them.
    @Test(arguments: [
        ("Tile", [Int64](repeating: 1 << 40, count: 2)), ("Pad", [Int64](repeating: 1 << 40, count: 4)),
        ("Tile", [1, 1 << 60]),
    ])
    func impossibleShapesOfDynamicSteps(type: String, values: [Int64]) throws {
        let model = try Self.model(
            TestGraph(
                nodes: [TestNode("NonZero", ["x"], ["places"]), TestNode(type, ["places", "v"], ["y"])],
                inputs: [TestValue("x", ["N"])], outputs: [Self.output("y")],
                initializers: [TestTensor("v", integers: values)]))
        let session = try Session(model)
        let error = #expect(throws: SardonyxError.self) {
            try session.run(["x": Tensor(shape: [3], scalars: [1, 2, 3] as [Float])])
        }
        #expect(error?.operatorType == type)
        #expect([.memory, .invalidValue].contains(error?.code), "\(error.map(\.description) ?? "")")
    }

    /// The same for shapes that follow from the inputs' when a plan is made.
    @Test func impossibleShapesOfPlans() throws {
        let model = try Self.model(
            TestGraph(
                nodes: [TestNode("Tile", ["x", "v"], ["t"]), TestNode("Relu", ["t"], ["y"])],
                inputs: [TestValue("x", ["N", "M"])], outputs: [Self.output("y")],
                initializers: [TestTensor("v", integers: [1 << 30, 1 << 30])]))
        let session = try Session(model)
        let error = #expect(throws: SardonyxError.self) { try session.plan(for: ["x": [64, 64]]) }
        #expect(error?.operatorType == "Tile")
        #expect(error?.description.contains("impossible shape") == true, "\(error.map(\.description) ?? "")")
    }

    @Test func longChainsOfNodes() throws {
        let length = 3000
        for type in ["Relu", "Identity", "Transpose"] {
            let nodes = (0..<length).map { TestNode(type, ["v\($0)"], ["v\($0 + 1)"]) }
            let model = try Self.model(
                TestGraph(nodes: nodes, inputs: [TestValue("v0", ["N", 3])], outputs: [Self.output("v\(length)")]))
            let x = Tensor(shape: [1, 3], scalars: [1, 2, 3] as [Float])
            let outputs = try Session(model).run(["v0": x])
            #expect(outputs["v\(length)"]?.scalars() == [1, 2, 3] as [Float], "\(type)")
        }
    }

    /// Two equal chains of nodes become one in one sweep, however long they are.
    @Test func equalChainsMerge() throws {
        let length = 200
        let nodes = ["a", "b"].flatMap { chain in
            (0..<length).map { TestNode("Sin", [$0 == 0 ? "x" : "\(chain)\($0)"], ["\(chain)\($0 + 1)"]) }
        }
        let model = try Self.model(
            TestGraph(
                nodes: nodes + [TestNode("Sub", ["a\(length)", "b\(length)"], ["y"])],
                inputs: [TestValue("x", ["N"])], outputs: [Self.output("y")]))
        let session = try Session(model)
        #expect(try session.plan(for: ["x": [3]]).stepCount == length + 1)
    }

    /// The session's own thread has stack enough for the deepest nesting that is read.
    @Test func deepNesting() async throws {
        var graph = TestGraph(nodes: [TestNode("Neg", ["x"], ["y0"])], outputs: [Self.output("y0")])
        let depth = 90
        for level in 1...depth {
            let other = TestGraph(nodes: [TestNode("Relu", ["x"], ["z\(level)"])], outputs: [Self.output("z\(level)")])
            graph = TestGraph(
                nodes: [
                    TestNode(
                        "If", ["c"], ["y\(level)"], [("then_branch", .graph(graph)), ("else_branch", .graph(other))])
                ], outputs: [Self.output("y\(level)")])
        }
        graph.inputs = [TestValue("x", ["N"]), TestValue("c", [], type: 9)]
        let session = try Session(Self.model(graph))
        let outputs = try await session.run([
            "x": Tensor(shape: [1], scalars: [3] as [Float]), "c": Tensor(true),
        ])
        #expect(outputs["y\(depth)"]?.scalars() == [-3] as [Float])
    }

    @Test func stringsPassThroughViewsAndBranches() throws {
        let then = TestGraph(nodes: [TestNode("Flatten", ["u"], ["a"])], outputs: [Self.output("a")])
        let other = TestGraph(nodes: [TestNode("Identity", ["u"], ["b"])], outputs: [Self.output("b")])
        let model = try Self.model(
            TestGraph(
                nodes: [
                    TestNode("Unsqueeze", ["x", "zero"], ["u"]), TestNode("Identity", ["u"], ["again"]),
                    TestNode("If", ["c"], ["y"], [("then_branch", .graph(then)), ("else_branch", .graph(other))]),
                ], inputs: [TestValue("x", ["N"], type: 8), TestValue("c", [], type: 9)],
                outputs: [Self.output("y"), Self.output("again"), Self.output("x")],
                initializers: [TestTensor("zero", integers: [0])]))
        let session = try Session(model)
        let x = Tensor(shape: [2], strings: ["a", "ä"])
        var outputs = try session.run(["x": x, "c": Tensor(true)])
        for name in ["y", "again"] {
            #expect(outputs[name]?.shape == [1, 2])
            #expect(outputs[name]?.strings == ["a", "ä"])
        }
        #expect(outputs["x"]?.shape == [2])
        let error = #expect(throws: SardonyxError.self) {
            try session.run(["x": x, "c": Tensor(true)], into: &outputs)
        }
        #expect(error?.code == .invalidInput)
        #expect(x.withUnsafeBytes { $0.count } == 0)
        var copy = x
        #expect(try copy.withUnsafeMutableBytes { $0.count } == 0)
    }
}
