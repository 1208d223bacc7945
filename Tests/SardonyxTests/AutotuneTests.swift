import Glibc
import Sardonyx
import SardonyxExecution
import SardonyxGraph
import SardonyxTestSupport
import Synchronization
import Testing

/// Measured choices of kernels: written once, obeyed ever after, and no harm from a bad file.
@Suite struct AutotuneTests {
    /// Three convolutions of `x`, two of them alike.
    private static func network(_ dims: [TestValue.Dim], channels: Int64 = 16) throws -> Model {
        let rank = dims.count - 2
        let kernel = [Int64](repeating: 3, count: rank)
        let pads: [(String, TestAttribute)] = [("pads", .ints([Int64](repeating: 1, count: 2 * rank)))]
        func weights(_ name: String, _ count: Int64, skipping: Int) -> TestTensor {
            let dims = [count, channels] + kernel
            return TestTensor(
                name, dims: dims, floats: randomNumbers(Int(dims.reduce(1, *)), skipping: skipping).map { $0 / 16 })
        }
        let bytes = modelBytes(
            TestGraph(
                nodes: [
                    TestNode("Conv", ["x", "w1"], ["a"], name: "first", pads), TestNode("Relu", ["a"], ["b"]),
                    TestNode("Conv", ["b", "w2"], ["c"], name: "second", pads),
                    TestNode("Conv", ["c", "w3"], ["y"], name: "third", pads),
                ], inputs: [TestValue("x", dims)], outputs: [TestValue("y", nil)],
                initializers: [
                    weights("w1", channels, skipping: 1), weights("w2", channels, skipping: 9),
                    weights("w3", 8, skipping: 20),
                ]))
        return try bytes.withUnsafeBytes { try Model(bytes: $0) }
    }

    private static let shape = [1, 16, 20, 24]
    private static let fixed: [TestValue.Dim] = [1, 16, 20, 24]
    private static let open: [TestValue.Dim] = ["N", 16, "H", "W"]
    private static func image(_ shape: [Int] = shape) -> Tensor {
        Tensor(shape: shape, scalars: randomNumbers(shape.reduce(1, *)))
    }

    private static func session(
        _ model: Model, _ file: String?, threads: Int = 2, budget: MemoryBudget = .unlimited
    ) throws -> Session {
        var options = Session.Options()
        options.threads = .count(threads)
        options.autotune = file
        options.memoryBudget = budget
        return try Session(model, options: options)
    }

    private static func run(_ session: Session, _ x: Tensor = image()) throws -> [Float] {
        try session.run(["x": x])["y"]?.scalars() ?? []
    }

    /// The algorithms of a plan's convolutions.
    private static func algorithms(_ session: Session, _ shape: [Int] = shape) throws -> [String] {
        try session.plan(for: ["x": shape]).plan.steps.compactMap { step in
            if case .kernel(let kernel) = step.work, step.node.operatorType == "Conv" { kernel.algorithm } else { nil }
        }
    }

    private static func entries(_ path: String) throws -> [JSON] {
        let text = String(decoding: fileBytes(path), as: UTF8.self)
        guard case .array(let values)? = JSON(parsing: text)?["choices"] else { return [] }
        return values
    }

    /// A file with these entries' algorithms replaced.
    private static func write(
        _ entries: [JSON], _ replacing: [(String, JSON)], to folder: TemporaryFolder
    ) -> String {
        let changed = entries.map { entry -> JSON in
            guard case .object(let fields) = entry else { return entry }
            return .object(fields.map { field in (field.key, replacing.first { $0.0 == field.key }?.1 ?? field.value) })
        }
        let file = JSON.object([("sardonyx_choices", .int(1)), ("choices", .array(changed))])
        return folder.write(Array(file.text.utf8), to: "changed.json")
    }

    @Test(arguments: [true, false])
    func whatIsMeasuredOnceIsMeasuredNeverAgain(isFixed: Bool) throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/choices.json"
        let model = try Self.network(isFixed ? Self.fixed : Self.open)
        let first = try Self.session(model, path)
        // Fixed shapes are known with the session, others with a run.
        #expect(first.measuredCount == (isFixed ? 2 : 0))
        let expected = try Self.run(first)
        #expect(first.measuredCount == 2)
        #expect(try Self.entries(path).count == 2)
        // Nothing is left beside the file.
        #expect(TemporaryFolder.names(in: folder.path) == ["choices.json"])
        let lines = String(decoding: fileBytes(path), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 4, "an entry a line")
        let bytes = fileBytes(path)
        for threads in [1, 2, 3, 7] {
            let later = try Self.session(isFixed ? model : Self.network(Self.open), path, threads: threads)
            #expect(try Self.run(later) == expected)
            #expect(later.measuredCount == 0)
            #expect(
                try later.plan(for: ["x": Self.shape]).hash == first.plan(for: ["x": Self.shape]).hash)
        }
        #expect(fileBytes(path) == bytes)
        if isFixed { return }
        // New shapes are new questions.
        _ = try first.run(["x": Self.image([2, 16, 9, 9])])
        #expect(first.measuredCount == 4)
        #expect(try Self.entries(path).count == 4)
    }

    /// Shapes for every form, and the algorithms that can compute them.
    static let pinned: [([Int], [String])] = [
        ([1, 16, 20, 24], ["plain", "blocks", "winograd 2", "winograd 4"]),
        (
            [1, 16, 6, 10, 11],
            ["plain", "blocks", "winograd 2", "winograd 2 deep", "winograd 4", "winograd 4 deep"]
        ),
        ([3, 16, 30], ["plain", "blocks"]),
    ]

    @Test(arguments: pinned)
    func pinnedChoicesAreObeyed(shape: [Int], algorithms: [String]) throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/choices.json"
        let model = try Self.network(shape.map { .extent(Int64($0)) })
        _ = try Self.session(model, path)
        let entries = try Self.entries(path)
        #expect(entries.count == 2)
        for entry in entries {
            guard case .object(let times)? = entry["microseconds"] else {
                Issue.record("there are no times")
                continue
            }
            #expect(Set(times.map(\.key)) == Set(algorithms))
            #expect(times.allSatisfy { ($0.value.number ?? 0) > 0 })
        }
        let x = Self.image(shape)
        var results: [[Float]] = []
        for algorithm in algorithms {
            let changed = Self.write(entries, [("algorithm", .string(algorithm))], to: folder)
            let session = try Self.session(model, changed)
            #expect(session.measuredCount == 0)
            #expect(try Self.algorithms(session, shape) == [String](repeating: algorithm, count: 3))
            let y = try Self.run(session, x)
            // Whatever the number of threads.
            for threads in [1, 3, 7] { #expect(try Self.run(Self.session(model, changed, threads: threads), x) == y) }
            results.append(y)
        }
        let limit = 2e-5 * (results[0].map(abs).max() ?? 0)
        #expect(limit > 0)
        for result in results { #expect(zip(result, results[0]).allSatisfy { abs($0 - $1) <= limit }) }
        // Other algorithms are other plans.
        let hashes = try algorithms.map { algorithm in
            let changed = Self.write(entries, [("algorithm", .string(algorithm))], to: folder)
            return try Self.session(model, changed).plan(for: ["x": shape]).hash
        }
        #expect(Set(hashes).count == algorithms.count)
    }

    /// Entries of other machines are no concern of this one, and stay.
    @Test(arguments: [("isa", JSON.string("none")), ("l2_bytes", JSON.int(12345))])
    func otherMachinesKeepTheirChoices(field: String, value: JSON) throws {
        let folder = TemporaryFolder()
        let model = try Self.network(Self.fixed)
        _ = try Self.session(model, folder.path + "/choices.json")
        let own = try Self.entries(folder.path + "/choices.json")
        let path = Self.write(own, [(field, value), ("algorithm", .string("what nobody knows"))], to: folder)
        let session = try Self.session(model, path)
        #expect(session.measuredCount == 2)
        let entries = try Self.entries(path)
        #expect(entries.count == 4)
        #expect(entries.prefix(2).allSatisfy { $0["algorithm"]?.string == "what nobody knows" })
    }

    struct Damage: Sendable, CustomTestStringConvertible {
        let text: String
        let message: String
        var testDescription: String { message }
    }

    private static func line(_ changes: (String, String)...) -> String {
        var fields = [
            ("convolution", "\"c\""), ("isa", "\"avx2\""), ("l2_bytes", "1"), ("algorithm", "\"blocks\""),
            ("microseconds", "{}"),
        ]
        for (name, value) in changes {
            fields.removeAll { $0.0 == name }
            if !value.isEmpty { fields.append((name, value)) }
        }
        return "{" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    }

    private static func file(_ lines: String...) -> String {
        "{\"sardonyx_choices\": 1, \"choices\": [" + lines.joined(separator: ",") + "]}"
    }

    static let damages = [
        Damage(text: "", message: "no file of measured choices"),
        Damage(text: "[]", message: "no file of measured choices"),
        Damage(text: "{\"choices\": []}", message: "no file of measured choices"),
        Damage(text: String(repeating: "[", count: 100_000), message: "no file of measured choices"),
        Damage(text: "{\"sardonyx_choices\": 2, \"choices\": []}", message: "version 2 of choices"),
        Damage(text: "{\"sardonyx_choices\": 1}", message: "there is no list 'choices'"),
        Damage(text: file("7"), message: "choice 1: 'convolution' is no text"),
        Damage(text: file(line(("convolution", "\"\""))), message: "choice 1: 'convolution' is no text"),
        Damage(text: file(line(), line(("convolution", "\"d\""), ("isa", ""))), message: "choice 2 ('d'): 'isa'"),
        Damage(text: file(line(("l2_bytes", "1e99"))), message: "choice 1 ('c'): 'l2_bytes' is no size"),
        Damage(text: file(line(("l2_bytes", "-1"))), message: "'l2_bytes' is no size"),
        Damage(text: file(line(("algorithm", "[]"))), message: "'algorithm' is no text"),
        Damage(text: file(line(("microseconds", "3"))), message: "'microseconds' is no object"),
        Damage(text: file(line(), line()), message: "choice 2 ('c'): there is an earlier choice"),
        Damage(text: file(line()).dropLast(9) + "", message: "no file of measured choices"),
        Damage(text: String(repeating: " ", count: 5_000_000), message: "bytes of choices are too many"),
    ]

    @Test(arguments: damages)
    func damagedFilesAreRefused(_ damage: Damage) throws {
        let folder = TemporaryFolder()
        let path = folder.write(Array(damage.text.utf8), to: "choices.json")
        let model = try Self.network(Self.open)
        let error = #expect(throws: SardonyxError.self) { try Self.session(model, path) }
        #expect(error?.file == path)
        #expect([.invalidOption, .file].contains(error?.code))
        #expect(error?.message.contains(damage.message) == true, "\(error?.message ?? "")")
        // The file stays as it is.
        #expect(fileBytes(path).count == damage.text.utf8.count)
    }

    /// Bytes changed, cut out and doubled: refused or read, and answers are never anything but what can compute the shape.
    @Test func anyBytesAreSurvived() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/choices.json"
        _ = try Self.session(Self.network(Self.fixed), path)
        let whole = fileBytes(path)
        let questions = try Self.entries(path).compactMap { $0["convolution"]?.string }
        #expect(questions.count == 2)
        var random = SeededGenerator(seed: 7)
        let marks = Array("{}[]\",:0-e\\u ".utf8)
        var refused = 0
        for _ in 0..<1000 {
            var bytes = whole
            for _ in 0...random.below(3) {
                let start = random.below(bytes.count)
                let end = min(bytes.count, start + random.below(1 + bytes.count / 4))
                switch random.below(4) {
                case 0: bytes[start] = UInt8(random.below(256))
                case 1: bytes[start] = marks[random.below(marks.count)]
                case 2: bytes.removeSubrange(start..<end)
                default: bytes.insert(contentsOf: bytes[start..<end], at: random.below(bytes.count))
                }
                if bytes.isEmpty { bytes = [0x20] }
            }
            let damaged = folder.write(bytes, to: "damaged.json")
            do {
                let choices = try PinnedChoices(path: damaged, account: MemoryAccount())
                for question in questions {
                    let answer = try choices.answer(to: question, possible: ["plain", "blocks"])
                    #expect(answer.map { ["plain", "blocks"].contains($0) } ?? true)
                }
            } catch let error as SardonyxError {
                #expect(error.code == .invalidOption && error.file == damaged, "\(error)")
                refused += 1
            }
        }
        #expect(refused > 300)
    }

    @Test(arguments: ["winograd 4 deep", "", "wonder"])
    func whatCannotComputeAShapeIsRefused(algorithm: String) throws {
        let folder = TemporaryFolder()
        let model = try Self.network(Self.fixed)
        _ = try Self.session(model, folder.path + "/choices.json")
        let entries = try Self.entries(folder.path + "/choices.json")
        let path = Self.write(entries, [("algorithm", .string(algorithm))], to: folder)
        let error = #expect(throws: SardonyxError.self) { try Self.session(model, path) }
        #expect(error?.code == .invalidOption)
        #expect(error?.file == path)
        #expect(error?.node == "first")
        let message = error?.message ?? ""
        #expect(message.contains("choice 1 ('1 x 16 to 16 channels"), "\(message)")
        #expect(message.contains("'\(algorithm)' cannot compute this here; possible are 'blocks', 'plain'"))
        #expect(message.contains("delete it so that all is measured anew"))
    }

    @Test(arguments: ["none/choices.json", ".", "pipe"])
    func aPlaceThatCannotHoldAFileIsAnError(place: String) throws {
        let folder = TemporaryFolder()
        // Nobody ever writes into it.
        mkfifo(folder.path + "/pipe", 0o600)
        let model = try Self.network(Self.fixed)
        let error = #expect(throws: SardonyxError.self) { try Self.session(model, folder.path + "/" + place) }
        #expect(error?.code == .file)
        #expect(error?.file == folder.path + "/" + place)
    }

    /// Measuring stays within the budget, and frees what it took; without room for it the choice is made as without a file.
    @Test func measuringStaysWithinTheBudget() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/choices.json"
        let model = try Self.network(Self.fixed)
        let untuned = try Self.session(model, nil)
        let plan = try untuned.plan(for: ["x": Self.shape])
        let expected = try Self.run(untuned)
        let need = plan.peakMemory.byteCount
        let tight = try Self.session(model, path, budget: .bytes(need))
        #expect(tight.measuredCount == 0)
        #expect(try Self.run(tight) == expected)
        #expect(try tight.plan(for: ["x": Self.shape]).hash == plan.hash)
        #expect(tight.peakMemoryInUse <= need)
        #expect(try Self.entries(path).isEmpty)

        let roomy = try Self.session(model, path, budget: .megabytes(64))
        #expect(roomy.measuredCount == 2)
        #expect(roomy.peakMemoryInUse > need)
        #expect(roomy.peakMemoryInUse <= 64 << 20)
        #expect(try roomy.memoryInUse <= roomy.plan(for: ["x": Self.shape]).peakMemory.byteCount)
    }

    @Test func measuringEndsWhenItIsCancelled() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/choices.json"
        let session = try Self.session(Self.network(Self.open), path)
        let cancellation = Cancellation()
        cancellation.cancel()
        let error = #expect(throws: SardonyxError.self) {
            try session.runValues(["x": .tensor(Self.image())], cancellation: cancellation)
        }
        #expect(error?.code == .cancelled)
        #expect(session.measuredCount == 0)
        #expect(fileBytes(path).isEmpty)
        #expect(session.memoryInUse == 0)
        _ = try Self.run(session)
        #expect(session.measuredCount == 2)
    }

    @Test func aCancelledTaskMakesNoSession() async throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/choices.json"
        let model = try Self.network(Self.fixed)
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try Self.session(model, path)
        }
        task.cancel()
        let error = await #expect(throws: SardonyxError.self) { _ = try await task.value }
        #expect(error?.code == .cancelled)
    }

    /// Sessions that measure at the same time leave one whole file with everything in it.
    @Test func sessionsShareAFile() async throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/choices.json"
        let measured = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<6 {
                group.addTask {
                    // Each layer in two of the sessions.
                    let side = 6 + number / 2
                    let model = try Self.network([1, 16, .extent(Int64(side)), 8])
                    let session = try Self.session(model, path, threads: 1)
                    _ = try Self.run(session, Self.image([1, 16, side, 8]))
                    return session.measuredCount
                }
            }
            return try await group.reduce(0, +)
        }
        // What one of them has measured, the other finds.
        #expect(measured == 6)
        #expect(try Self.entries(path).count == 6)
        #expect(TemporaryFolder.names(in: folder.path) == ["choices.json"])
    }
}
