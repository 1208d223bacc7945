import Sardonyx
import SardonyxExecution
import SardonyxTestSupport
import Synchronization
import Testing

/// Runs at once, inside each other, cancelled, and of sessions that are let go: each gives the bits that it gives alone.
@Suite struct ConcurrencyTests {
    /// A network with enough work in each layer for several threads.
    private static func network() throws -> Model {
        var random = SeededGenerator(seed: 1)
        func weights(_ name: String, _ dims: Int64...) -> TestTensor {
            TestTensor(
                name, dims: dims, floats: (0..<dims.reduce(1, *)).map { _ in Float(random.below(2001)) / 1000 - 1 })
        }
        let pads: [(String, TestAttribute)] = [("pads", .ints([1, 1, 1, 1]))]
        let bytes = modelBytes(
            TestGraph(
                nodes: [
                    TestNode("Conv", ["x", "w1"], ["a"], pads), TestNode("Relu", ["a"], ["b"]),
                    TestNode("Conv", ["b", "w2"], ["c"], pads), TestNode("Add", ["b", "c"], ["d"]),
                    TestNode("InstanceNormalization", ["d", "scale", "scale"], ["e"]),
                    TestNode("MatMul", ["e", "w3"], ["f"]), TestNode("Softmax", ["f"], ["y"]),
                ], inputs: [TestValue("x", ["N", 3, 48, 48])], outputs: [TestValue("y", nil)],
                initializers: [
                    weights("w1", 16, 3, 3, 3), weights("w2", 16, 16, 3, 3), weights("w3", 48, 40),
                    weights("scale", 16),
                ]))
        return try bytes.withUnsafeBytes { try Model(bytes: $0) }
    }

    private static func image(_ seed: Int) -> Tensor {
        var random = SeededGenerator(seed: UInt64(seed))
        return Tensor(
            shape: [1, 3, 48, 48], scalars: (0..<3 * 48 * 48).map { _ in Float(random.below(2001)) / 1000 - 1 })
    }

    private static func session(_ model: Model, _ threads: Session.Options.Threads) throws -> Session {
        var options = Session.Options()
        options.threads = threads
        return try Session(model, options: options)
    }

    /// Not the asynchronous one.
    private static func run(_ session: Session, _ seed: Int) throws -> [Float] {
        try session.run(["x": image(seed)])["y"]?.scalars() ?? []
    }

    @Test(arguments: [1, 2, 4])
    func runsAtTheSameTimeGiveTheSameBits(sessions count: Int) async throws {
        let model = try Self.network()
        let alone = try (0..<8).map { try Self.run(Self.session(model, .count(1)), $0) }
        for threads in [Session.Options.Threads.available, .count(3)] {
            let sessions = try (0..<count).map { _ in try Self.session(model, threads) }
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        let session = sessions[number % count]
                        for turn in 0..<4 {
                            let seed = (number + turn) % 8
                            if try Self.run(session, seed) != alone[seed] { return false }
                        }
                        return true
                    }
                }
                for try await isSame in group { #expect(isSame) }
            }
        }
    }

    /// Into memory of the callers', with inputs that change in place between runs.
    @Test func warmRunsAtTheSameTimeGiveTheSameBits() async throws {
        let session = try Self.session(Self.network(), .available)
        let alone = try (0..<8).map { try Self.run(session, $0) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<8 {
                group.addTask {
                    var inputs = ["x": Self.image(number)]
                    var outputs = ["y": try Tensor(dataType: .float, shape: [1, 16, 48, 40])]
                    var kept: [Tensor?] = []
                    for seed in [number, (number + 1) % 8, number] {
                        let image = Self.image(seed)
                        try inputs["x"]?.withUnsafeMutableBytes { to in
                            image.withUnsafeBytes { to.copyMemory(from: $0) }
                        }
                        try session.run(inputs, into: &outputs)
                        if outputs["y"]?.scalars() != alone[seed] { return false }
                        // A copy that is kept must not see the next run.
                        kept.append(outputs["y"])
                    }
                    return kept[0]?.scalars() == alone[number] && kept[1]?.scalars() == alone[(number + 1) % 8]
                }
            }
            for try await isSame in group { #expect(isSame) }
        }
    }

    /// A run that begins on the same thread and pool before another has ended, of the same session and of another.
    @Test func runsInsideRuns() throws {
        let model = try Self.network()
        let sessions = try (0..<2).map { _ in try Self.session(model, .available) }
        let alone = try (0..<3).map { try Self.run(sessions[0], $0) }
        for inner in sessions {
            var inside: [[Float]] = []
            var failure: (any Error)?
            let outer = try sessions[0].runValues(["x": .tensor(Self.image(0))], cancellation: nil) { step, _, _ in
                do { inside.append(try Self.run(inner, 1 + step % 2)) } catch { failure = error }
            }
            #expect(failure == nil)
            #expect(outer["y"]?.tensor?.scalars() == alone[0])
            #expect(inside.count > 2 && inside.indices.allSatisfy { inside[$0] == alone[1 + $0 % 2] })
        }
    }

    /// Sessions with pools of their own, let go by everybody but their runs.
    @Test func runsOutliveTheirSessions() async throws {
        let model = try Self.network()
        let alone = try (0..<4).map { try Self.run(Self.session(model, .count(1)), $0) }
        for round in 0..<5 {
            let tasks = try (0..<4).map { seed in
                let session = try Self.session(model, .count(1 + (round + seed) % 4))
                return Task { try await session.run(["x": Self.image(seed)])["y"]?.scalars(Float.self) }
            }
            for (seed, task) in tasks.enumerated() { #expect(try await task.value == alone[seed]) }
        }
    }

    @Test func aSessionRunsAfterACancelledRun() async throws {
        let session = try Self.session(Self.network(), .available)
        let alone = try Self.run(session, 0)
        for _ in 0..<3 {
            let cancellation = Cancellation()
            // In the middle of a run: after the second step.
            let error = #expect(throws: SardonyxError.self) {
                try session.runValues(["x": .tensor(Self.image(1))], cancellation: cancellation) { step, _, _ in
                    if step == 1 { cancellation.cancel() }
                }
            }
            #expect(error?.code == .cancelled)
            #expect(try Self.run(session, 0) == alone)
        }
        // From outside, wherever the runs are by then.
        let tasks = (0..<6).map { seed in Task { try await session.run(["x": Self.image(seed)]) } }
        for task in tasks.dropFirst(2) { task.cancel() }
        for (seed, task) in tasks.enumerated() {
            switch await task.result {
            case .success(let outputs): #expect(seed > 0 || outputs["y"]?.scalars() == alone)
            case .failure(let error):
                #expect(seed >= 2)
                #expect((error as? SardonyxError)?.code == .cancelled)
            }
        }
        #expect(try Self.run(session, 0) == alone)
    }

    /// A loop that ends when it is cancelled, and whose session then counts as it should.
    @Test func aSessionLoopsAfterACancelledLoop() async throws {
        let body = TestGraph(
            nodes: [TestNode("Identity", ["go"], ["on"]), TestNode("Add", ["v", "v"], ["next"])],
            inputs: [TestValue("i", [], type: 7), TestValue("go", [], type: 9), TestValue("v", nil)],
            outputs: [TestValue("on", [], type: 9), TestValue("next", nil)])
        let bytes = modelBytes(
            TestGraph(
                nodes: [TestNode("Loop", ["trips", "", "x"], ["y"], [("body", .graph(body))])],
                inputs: [TestValue("x", ["N"]), TestValue("trips", [], type: 7)], outputs: [TestValue("y", nil)]))
        let session = try Session(bytes.withUnsafeBytes { try Model(bytes: $0) })
        let x = Tensor(shape: [1], scalars: [1] as [Float])
        for trips in 1...3 {
            let task = Task { try await session.run(["x": x, "trips": Tensor(Int64.max)]) }
            try await Task.sleep(for: .milliseconds(5))
            task.cancel()
            let error = await #expect(throws: SardonyxError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            let outputs = try await session.run(["x": x, "trips": Tensor(Int64(trips))])
            #expect(outputs["y"]?.scalars() == [Float(1 << trips)])
        }
    }
}
