import Sardonyx
import SardonyxCompiler
import SardonyxTestSupport
import Testing

/// What `Session.Options.precision` leaves out; `OptimizationTests` shows that the bits stay.
@Suite struct PrecisionTests {
    /// A layer that Winograd's algorithm is best for, a batch normalisation and an activation.
    private static func model(_ dims: [TestValue.Dim], _ kernel: [Int64]) throws -> Model {
        let rank = kernel.count
        let weights = [32, 32] + kernel
        func channel(_ name: String, _ value: Float) -> TestTensor {
            TestTensor(name, dims: [32], floats: randomNumbers(32).map { $0 / 4 + value })
        }
        let bytes = modelBytes(
            TestGraph(
                nodes: [
                    TestNode("Conv", ["x", "w"], ["a"], [("pads", .ints([Int64](repeating: 1, count: 2 * rank)))]),
                    TestNode("BatchNormalization", ["a", "s", "b", "m", "v"], ["c"]), TestNode("Relu", ["c"], ["y"]),
                ], inputs: [TestValue("x", dims)], outputs: [TestValue("y", nil)],
                initializers: [
                    TestTensor("w", dims: weights, floats: randomNumbers(Int(weights.reduce(1, *)))),
                    channel("s", 1), channel("b", 0), channel("m", 0), channel("v", 1),
                ]))
        return try bytes.withUnsafeBytes { try Model(bytes: $0) }
    }

    private static func session(
        _ model: Model, _ precision: Session.Options.Precision, file: String? = nil
    ) throws -> Session {
        var options = Session.Options()
        options.precision = precision
        options.autotune = file
        return try Session(model, options: options)
    }

    private static func steps(_ session: Session, _ shape: [Int]) throws -> [String] {
        try session.plan(for: ["x": shape]).plan.steps.map { step in
            guard case .kernel(let kernel) = step.work, !kernel.algorithm.isEmpty else { return step.node.operatorType }
            return "\(step.node.operatorType), \(kernel.algorithm)"
        }
    }

    static let shapes: [([Int], [Int64])] = [([1, 32, 48, 48], [3, 3]), ([1, 32, 16, 16, 16], [3, 3, 3])]

    @Test(arguments: shapes)
    func strictLeavesOutWinograd(shape: [Int], kernel: [Int64]) throws {
        let model = try Self.model(shape.map { .extent(Int64($0)) }, kernel)
        let x = Tensor(shape: shape, scalars: randomNumbers(shape.reduce(1, *)))
        var results: [[Float]] = []
        // Sessions of both kinds live side by side, share a model and may come in any order.
        var sessions: [Session] = []
        for precision in [Session.Options.Precision.standard, .strict, .standard, .strict] {
            let session = try Self.session(model, precision)
            sessions.append(session)
            let steps = try Self.steps(session, shape)
            if precision == .strict {
                #expect(steps == ["Reorder", "Conv, blocks", "BatchNormalization", "Reorder"])
            } else {
                #expect(steps.count == 3 && steps[1].hasPrefix("Conv, winograd"), "\(steps)")
            }
            results.append(try session.run(["x": x])["y"]?.scalars() ?? [])
        }
        for (session, result) in zip(sessions, results) {
            #expect(try session.run(["x": x])["y"]?.scalars() == result)
        }
        #expect(results[0] == results[2] && results[1] == results[3] && results[0] != results[1])
        let limit = 2e-5 * (results[0].map(abs).max() ?? 0)
        #expect(zip(results[0], results[1]).allSatisfy { abs($0 - $1) <= limit })
    }

    /// A file of choices serves both: what a standard session takes is nothing to a strict one.
    @Test func strictSessionsHaveChoicesOfTheirOwn() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/choices.json"
        let (shape, kernel) = Self.shapes[0]
        let model = try Self.model(shape.map { .extent(Int64($0)) }, kernel)
        for _ in 0..<2 {
            for precision in Session.Options.Precision.allCases {
                let steps = try Self.steps(Self.session(model, precision, file: path), shape)
                let usesWinograd = steps.contains { $0.contains("winograd") }
                #expect(usesWinograd == (precision == .standard), "\(steps)")
            }
        }
        let text = String(decoding: fileBytes(path), as: UTF8.self)
        #expect(text.split(separator: "\n").count == 4)
        #expect(text.contains("blocks to blocks, strict\""))
    }

    /// The list that the documentation of `Precision.strict` gives.
    @Test func thesePassesAreLeftOut() {
        let left = Set((Optimizer.standard + Optimizer.last).filter { !$0.keepsRounding }.map { $0.name })
        #expect(
            left == [
                "fold batch normalisation", "fold scale", "fuse bias", "fuse bias of a product", "fuse residual",
                "fuse attention", "recognise Gelu", "recognise HardSwish", "move upsampling",
            ])
    }
}
