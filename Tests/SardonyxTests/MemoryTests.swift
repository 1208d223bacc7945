import Sardonyx
import SardonyxExecution
import SardonyxGraph
import SardonyxTestSupport
import Synchronization
import Testing

/// Memory is what the plan says, to the byte, and stays within the budget.
@Suite struct MemoryTests {
    private static func model(_ graph: TestGraph) throws -> Model {
        try modelBytes(graph).withUnsafeBytes { try Model(bytes: $0) }
    }

    /// What a model holds is told before the run: packed weights, folded constants, values and scratch.
    struct Network: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let graph: TestGraph
        let shape: [Int]
    }

    private static func conv(
        _ x: String, _ y: String, _ weights: String,
        _ attributes: [(String, TestAttribute)] = [
            ("pads", .ints([1, 1, 1, 1]))
        ]
    ) -> TestNode {
        TestNode("Conv", [x, weights], [y], attributes)
    }

    private static func weights(_ name: String, _ dims: [Int64]) -> TestTensor {
        TestTensor(name, dims: dims, floats: (0..<Int(dims.reduce(1, *))).map { Float($0 % 7) - 3 })
    }

    private static func image(_ nodes: [TestNode], _ weights: [TestTensor]) -> TestGraph {
        TestGraph(
            nodes: nodes, inputs: [TestValue("x", ["N", 8, "H", "W"])], outputs: [TestValue("y", nil)],
            initializers: weights)
    }

    static let networks = [
        Network(
            testDescription: "one convolution", graph: image([conv("x", "y", "w")], [weights("w", [8, 8, 3, 3])]),
            shape: [1, 8, 20, 30]),
        Network(
            testDescription: "two convolutions with the same weights",
            graph: image([conv("x", "a", "w"), conv("a", "y", "w")], [weights("w", [8, 8, 3, 3])]),
            shape: [1, 8, 9, 9]),
        Network(
            testDescription: "a folded batch normalisation",
            graph: image(
                [conv("x", "a", "w"), TestNode("BatchNormalization", ["a", "one", "zero", "zero", "one"], ["y"])],
                [
                    weights("w", [8, 8, 3, 3]), TestTensor("one", dims: [8], floats: [Float](repeating: 1, count: 8)),
                    TestTensor("zero", dims: [8], floats: [Float](repeating: 0, count: 8)),
                ]), shape: [2, 8, 16, 16]),
        Network(
            testDescription: "a join, a product and a weight that is not packed",
            graph: image(
                [
                    conv("x", "a", "w"), TestNode("Concat", ["a", "x"], ["b"], [("axis", .int(1))]),
                    TestNode("MatMul", ["b", "m"], ["c"]), TestNode("Mul", ["c", "f"], ["d"]),
                    TestNode("Softmax", ["d"], ["y"]),
                ],
                [weights("w", [8, 8, 3, 3]), weights("m", [12, 5]), weights("f", [16, 1, 5])]), shape: [1, 8, 4, 12]),
        Network(
            testDescription: "a recurrent layer",
            graph: TestGraph(
                nodes: [
                    TestNode("LSTM", ["x", "w", "r"], ["y"], [("hidden_size", .int(6))])
                ], inputs: [TestValue("x", ["T", "N", 5])], outputs: [TestValue("y", nil)],
                initializers: [weights("w", [1, 24, 5]), weights("r", [1, 24, 6])]), shape: [7, 2, 5]),
        Network(
            testDescription: "an empty batch", graph: image([conv("x", "y", "w")], [weights("w", [8, 8, 3, 3])]),
            shape: [0, 8, 5, 5]),
    ]

    @Test(arguments: networks)
    func whatIsHeldIsWhatWasPredicted(_ network: Network) throws {
        for optimizes in [true, false] {
            var options = Session.Options()
            options.optimizes = optimizes
            let session = try Session(Self.model(network.graph), options: options)
            let constants = session.memoryInUse
            let plan = try session.plan(for: ["x": network.shape])
            guard case .exact(let bytes) = plan.peakMemory else {
                Issue.record("the plan of a static network is exact")
                return
            }
            #expect(
                bytes == plan.arenaByteCount + plan.packedWeightByteCount + plan.constantByteCount)
            let x = Tensor(
                shape: network.shape, scalars: [Float](repeating: 0.5, count: network.shape.reduce(1, *)))
            for _ in 0..<3 {
                _ = try session.run(["x": x])
                #expect(session.memoryInUse == bytes)
            }
            #expect(session.peakMemoryInUse == bytes)
            // The budget is this figure, not a byte less.
            options.memoryBudget = .bytes(bytes)
            _ = try Session(Self.model(network.graph), options: options).run(["x": x])
            if bytes == constants { continue }
            options.memoryBudget = .bytes(bytes - 1)
            let tight = try Session(Self.model(network.graph), options: options)
            let error = #expect(throws: SardonyxError.self) { try tight.run(["x": x]) }
            #expect(error?.code == .memory)
            #expect(error?.message.contains("a budget of \(bytes) would do") == true)
            #expect(try tight.plan(for: ["x": network.shape]).peakMemory == .exact(bytes))
            #expect(tight.memoryInUse == constants)
        }
    }

    /// What is said to fit fits.
    @Test(arguments: [([1, 8, 256, 256], "H = "), ([16, 8, 12, 12], "N = ")])
    func aRefusalNamesWhatWouldFit(shape: [Int], symbol: String) throws {
        let network = Self.networks[0]
        let whole = try Session(Self.model(network.graph)).plan(for: ["x": shape]).peakMemory.byteCount
        var options = Session.Options()
        options.memoryBudget = .bytes(whole * 2 / 3)
        let session = try Session(Self.model(network.graph), options: options)
        let x = try Tensor(dataType: .float, shape: shape)
        let error = try #require(#expect(throws: SardonyxError.self) { try session.run(["x": x]) })
        let advice = try #require(error.message.split(separator: "and so would ").last)
        #expect(advice.hasPrefix(symbol))
        var smaller = shape
        for part in advice.split(separator: ", ") {
            let words = part.split(separator: " ")
            let axis = try #require(["N": 0, "H": 2, "W": 3][String(words[0])])
            smaller[axis] = try #require(Int(words[2]))
        }
        #expect(smaller != shape)
        _ = try session.run(["x": Tensor(dataType: .float, shape: smaller)])
        #expect(session.peakMemoryInUse <= whole * 2 / 3)
    }

    @Test func aBudgetOfNothingRunsWhatNeedsNothing() throws {
        var options = Session.Options()
        options.memoryBudget = .bytes(0)
        let x = Tensor(shape: [3], scalars: [-1, 0, 2] as [Float])
        func session(_ nodes: [TestNode]) throws -> Session {
            try Session(
                Self.model(TestGraph(nodes: nodes, inputs: [TestValue("x", ["N"])], outputs: [TestValue("y", nil)])),
                options: options)
        }
        let one = try session([TestNode("Relu", ["x"], ["y"])])
        #expect(try one.run(["x": x])["y"]?.scalars() == [0, 0, 2] as [Float])
        let two = try session([TestNode("Relu", ["x"], ["a"]), TestNode("ReduceSum", ["a"], ["y"])])
        let error = #expect(throws: SardonyxError.self) { try two.run(["x": x]) }
        #expect(error?.code == .memory)
        options.memoryBudget = .bytes(-1)
        let negative = #expect(throws: SardonyxError.self) { try session([TestNode("Relu", ["x"], ["y"])]) }
        #expect(negative?.code == .invalidOption)
    }

    /// Results whose size only the data tell are refused at the step that asks for them; what came before is let go.
    @Test func theBudgetHoldsForDynamicSteps() throws {
        let model = try Self.model(
            TestGraph(
                nodes: [
                    TestNode("NonZero", ["x"], ["places"]),
                    TestNode("Expand", ["places", "shape"], ["wide"], name: "expander"),
                    TestNode("ReduceSum", ["wide"], ["y"]),
                ], inputs: [TestValue("x", ["N"])], outputs: [TestValue("y", nil)],
                initializers: [TestTensor("shape", integers: [1000, 1])]))
        func inputs(_ count: Int) -> [String: Tensor] {
            ["x": Tensor(shape: [100], scalars: (0..<100).map { Float($0 < count ? 1 : 0) })]
        }
        var options = Session.Options()
        options.memoryBudget = .bytes(200_000)
        let session = try Session(model, options: options)
        guard case .lowerBound = try session.plan(for: ["x": [100]]).peakMemory else {
            Issue.record("the shapes depend on the data")
            return
        }
        _ = try session.run(inputs(10))
        let error = #expect(throws: SardonyxError.self) { try session.run(inputs(100)) }
        #expect(error?.code == .memory)
        #expect(error?.node == "expander")
        #expect(session.peakMemoryInUse <= 200_000)
        let held = session.memoryInUse
        for count in [0, 10, 20] { _ = try session.run(inputs(count)) }
        // A kernel for one more shape may stay; the values do not.
        #expect(session.memoryInUse <= held + 8 * 1024)
    }

    /// Plans are let go, the one used longest ago first, when a new one needs their room.
    @Test func plansMakeRoomForEachOther() throws {
        let network = Self.networks[0]
        let largest = try Session(Self.model(network.graph)).plan(for: ["x": [1, 8, 64, 64]]).peakMemory.byteCount
        var options = Session.Options()
        options.memoryBudget = .bytes(largest + largest / 2)
        let session = try Session(Self.model(network.graph), options: options)
        for size in [64, 32, 48, 64, 16, 64, 56] {
            _ = try session.run(["x": Tensor(dataType: .float, shape: [1, 8, size, size])])
            #expect(session.memoryInUse <= largest + largest / 2)
        }
    }

    struct Sizes: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let graph: TestGraph
        let shapes: [[Int]]
    }

    /// Layers whose packed weights differ from size to size.
    static let sizes = [
        Sizes(
            testDescription: "Winograd's tiles, by the batch",
            graph: TestGraph(
                nodes: [conv("x", "y", "w")], inputs: [TestValue("x", ["N", 128, 12, 12])],
                outputs: [TestValue("y", nil)], initializers: [weights("w", [128, 128, 3, 3])]),
            shapes: [[1, 128, 12, 12], [16, 128, 12, 12], [1, 128, 12, 12]]),
        Sizes(
            testDescription: "a transposed convolution to a few channels, where an axis is shorter than its stride",
            graph: TestGraph(
                nodes: [
                    conv("x", "a", "w"),
                    TestNode(
                        "ConvTranspose", ["a", "v"], ["y"],
                        [("strides", .ints([2, 2])), ("pads", .ints([1, 1, 1, 1]))]),
                ], inputs: [TestValue("x", ["N", 8, "H", "W"])], outputs: [TestValue("y", nil)],
                initializers: [weights("w", [8, 8, 3, 3]), weights("v", [8, 2, 3, 3])]),
            shapes: [[1, 8, 16, 16], [1, 8, 16, 1], [1, 8, 16, 16]]),
    ]

    /// Plans for other sizes share weights only where they are the same: one session gives what a session for each gives.
    @Test(arguments: sizes)
    func plansDoNotTakeEachOthersWeights(_ network: Sizes) throws {
        let model = try Self.model(network.graph)
        let session = try Session(model)
        for shape in network.shapes {
            let count = shape.reduce(1, *)
            let x = Tensor(shape: shape, scalars: (0..<count).map { Float($0 % 11) - 5 })
            let result: [Float] = try #require(try session.run(["x": x])["y"]).scalars()
            let alone = try Session(Self.model(network.graph))
            #expect(try result == #require(try alone.run(["x": x])["y"]).scalars())
        }
    }

    /// A matrix product in a branch: its weights count once, though the branch is planned in the middle of a run.
    @Test func weightsOfBranchesCountOnce() throws {
        let branch = { (name: String) in
            TestGraph(nodes: [TestNode("MatMul", ["x", "w"], [name])], outputs: [TestValue(name, nil)])
        }
        let model = try Self.model(
            TestGraph(
                nodes: [
                    TestNode(
                        "If", ["c"], ["y"],
                        [("then_branch", .graph(branch("a"))), ("else_branch", .graph(branch("b")))])
                ], inputs: [TestValue("c", [], type: 9), TestValue("x", ["N", 64])], outputs: [TestValue("y", nil)],
                initializers: [Self.weights("w", [64, 64])]))
        var options = Session.Options()
        options.memoryBudget = .bytes(64 * 64 * 4 + 4096)
        let session = try Session(model, options: options)
        for isThen in [true, false, true] {
            let x = Tensor(shape: [1, 64], scalars: [Float](repeating: 1, count: 64))
            #expect(try session.run(["c": Tensor(isThen), "x": x])["y"]?.count == 64)
        }
    }

    /// What can never fit is refused before other plans are let go.
    @Test func aRefusalKeepsThePlans() throws {
        let network = Self.networks[0]
        let whole = try Session(Self.model(network.graph)).plan(for: ["x": [1, 8, 32, 32]]).peakMemory.byteCount
        var options = Session.Options()
        options.memoryBudget = .bytes(whole)
        let session = try Session(Self.model(network.graph), options: options)
        _ = try session.run(["x": Tensor(dataType: .float, shape: [1, 8, 32, 32])])
        #expect(session.memoryInUse == whole)
        #expect(throws: SardonyxError.self) {
            try session.run(["x": Tensor(dataType: .float, shape: [1, 8, 512, 512])])
        }
        #expect(session.memoryInUse == whole)
    }

    /// Two sessions of one model pack its weights once; each counts them.
    @Test func sessionsOfAModelShareItsWeights() throws {
        let model = try Self.model(Self.networks[0].graph)
        let sessions = try (0..<2).map { _ in try Session(model) }
        let x = try Tensor(dataType: .float, shape: [1, 8, 6, 6])
        for session in sessions { _ = try session.run(["x": x]) }
        let packed = try sessions.map {
            try Set($0.boundPlan(for: ["x": .tensor(x)]).plan.packedWeights.map(ObjectIdentifier.init))
        }
        #expect(packed[0].count == 1)
        #expect(packed[0] == packed[1])
        #expect(sessions[0].memoryInUse == sessions[1].memoryInUse)
    }

    /// Results belong to the caller and count no longer.
    @Test func resultsAreNotHeld() throws {
        let model = try Self.model(
            TestGraph(
                nodes: [TestNode("NonZero", ["x"], ["y"])], inputs: [TestValue("x", ["N"])],
                outputs: [TestValue("y", nil)]))
        let session = try Session(model)
        let result = try session.run(["x": Tensor(shape: [4], scalars: [1, 0, 1, 1] as [Float])])["y"]
        #expect(result?.scalars() == [0, 2, 3] as [Int64])
        #expect(session.memoryInUse == 0)
        #expect(session.peakMemoryInUse >= 24)
    }
}
