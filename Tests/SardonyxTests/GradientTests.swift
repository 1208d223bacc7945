import Sardonyx
import SardonyxTestSupport
import Testing

/// `Gradient` against central differences, in double: first and second derivatives of every operator that has a rule.
@Suite struct GradientTests {
    /// y as a function of the inputs, which are drawn from a range.
    struct Case: Sendable, CustomTestStringConvertible {
        struct Input: Sendable {
            let name: String
            let shape: [Int]
            let range: ClosedRange<Double>
        }
        let title: String
        let nodes: [TestNode]
        let inputs: [Input]
        var initializers: [TestTensor] = []
        /// Whether the derivative has a derivative again.
        var isTwice = true
        /// The step of the differences. A long one makes a linear function's exact, also where it is computed in float.
        var step = 1e-5
        var opset: Int64 = 28
        var moreOpsets: [(String, Int64)] = []
        var testDescription: String { title }
    }

    /// Beside the differences' own error, which is about step² + 1e-16 / step.
    static let tolerance = 1e-6

    /// First derivatives by PyTorch, of what it knows too.
    @Test(arguments: GradientReferences.all, [true, false])
    func pyTorch(_ reference: GradientReferences.Reference, isStatic: Bool) throws {
        let test = try #require((GradientCases.all + GradientCases.inFloat).first { $0.title == reference.title })
        let shape = try #require(GradientModel(test, isStatic: isStatic, derivatives: 0).run(test.draw())["y"]).shape
        var inputs = test.draw()
        inputs["r_"] = Self.numbers(shape, -1...1, seed: 7)
        let slopes = try GradientModel(test, isStatic: isStatic, derivatives: 1, result: shape).run(inputs)
        for (name, expected) in reference.slopes {
            let result = try #require(slopes["d_\(name)"]).scalars(Double.self)
            try #require(result.count == expected.count, "\(name)")
            for (index, (a, b)) in zip(result, expected).enumerated()
            where abs(a - b) > reference.tolerance * (1 + abs(b)) {
                Issue.record("\(name), element \(index): \(a), and by PyTorch \(b)")
                return
            }
        }
    }

    @Test(arguments: GradientCases.all, [true, false])
    func centralDifferences(_ test: Case, isStatic: Bool) throws {
        let shape = try #require(GradientModel(test, isStatic: isStatic, derivatives: 0).run(test.draw())["y"]).shape
        var inputs = test.draw()
        inputs["r_"] = Self.numbers(shape, -1...1, seed: 7)
        let names = test.inputs.map(\.name)
        let first = try GradientModel(test, isStatic: isStatic, derivatives: 1, result: shape)
        let forward = try GradientModel(test, isStatic: isStatic, derivatives: 0)
        let slopes = try first.run(inputs)
        for name in names {
            let expected = try Self.differences(name, inputs, step: test.step) { changed in
                var changed = changed
                let weights = changed.removeValue(forKey: "r_")
                return try Self.dot(forward.run(changed)["y"], weights)
            }
            try Self.expectClose(slopes["d_\(name)"], expected, "first derivative by \(name)")
        }
        guard test.isTwice else { return }
        for (index, input) in test.inputs.enumerated() {
            inputs["q_\(input.name)"] = Self.numbers(input.shape, -1...1, seed: 11 + index)
        }
        let second = try GradientModel(test, isStatic: isStatic, derivatives: 2, result: shape)
        let curvatures = try second.run(inputs)
        for name in names {
            let expected = try Self.differences(name, inputs, step: test.step) { changed in
                let slopes = try first.run(changed.filter { !$0.key.hasPrefix("q_") })
                return try names.reduce(0) { try $0 + Self.dot(slopes["d_\($1)"], changed["q_\($1)"]) }
            }
            try Self.expectClose(curvatures["h_\(name)"], expected, "second derivative by \(name)")
        }
    }

    /// (f(x + step) − f(x − step)) / (2 · step) for each element of an input.
    static func differences(
        _ name: String, _ inputs: [String: Tensor], step: Double, _ f: ([String: Tensor]) throws -> Double
    ) throws -> Tensor {
        let x = try #require(inputs[name])
        let values = x.scalars(Double.self)
        let slopes = try values.indices.map { index in
            let sides = try [step, -step].map { offset in
                var moved = values
                moved[index] += offset
                var changed = inputs
                changed[name] = Tensor(shape: x.shape, scalars: moved)
                return try f(changed)
            }
            return (sides[0] - sides[1]) / (2 * step)
        }
        return Tensor(shape: x.shape, scalars: slopes)
    }

    static func dot(_ a: Tensor?, _ b: Tensor?) throws -> Double {
        let (a, b) = (try #require(a), try #require(b))
        return zip(a.scalars(Double.self), b.scalars(Double.self)).reduce(0) { $0 + $1.0 * $1.1 }
    }

    static func expectClose(_ result: Tensor?, _ expected: Tensor, _ what: String) throws {
        let result = try #require(result)
        #expect(result.shape == expected.shape, "\(what)")
        for (index, (a, b)) in zip(result.scalars(Double.self), expected.scalars(Double.self)).enumerated() {
            let isClose = abs(a - b) <= tolerance * (1 + abs(b))
            #expect(isClose, "\(what), element \(index): \(a), and by differences \(b)")
            if !isClose { return }
        }
    }

    /// Numbers that look random and are the same in every run.
    static func numbers(_ shape: [Int], _ range: ClosedRange<Double>, seed: Int) -> Tensor {
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        let values = (0..<shape.reduce(1, *)).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return range.lowerBound + (range.upperBound - range.lowerBound) * Double(state >> 11) / 0x1p53
        }
        return Tensor(shape: shape, scalars: values)
    }
}

extension GradientTests.Case {
    func draw() -> [String: Tensor] {
        Dictionary(
            uniqueKeysWithValues: inputs.enumerated().map { index, input in
                (input.name, GradientTests.numbers(input.shape, input.range, seed: index + 1))
            })
    }
}

/// The model of a case, with as many derivatives of y · r as asked for: `d_x` by each input x, and `h_x`, those of Σ d_x · q_x.
private struct GradientModel {
    private let session: Session

    /// - Parameter result: y's shape, which a model that is not static does not state.
    init(_ test: GradientTests.Case, isStatic: Bool, derivatives: Int, result: [Int] = []) throws {
        var nodes = test.nodes
        let names = test.inputs.map(\.name)
        var inputs = test.inputs.map { input in
            let dims = input.shape.enumerated().map { axis, extent -> TestValue.Dim in
                isStatic ? .extent(Int64(extent)) : .name("\(input.name)\(axis)")
            }
            return TestValue(input.name, dims, type: 11)
        }
        var outputs = ["y"]
        if derivatives > 0 {
            nodes += [TestNode("Mul", ["y", "r_"], ["z_"]), Self.gradient(names, ["r_"], "z_", "d_")]
            inputs.append(TestValue("r_", isStatic ? result.map { .extent(Int64($0)) } : nil, type: 11))
            outputs = names.map { "d_\($0)" }
        }
        if derivatives > 1 {
            for (index, name) in names.enumerated() {
                nodes += [
                    TestNode("Mul", ["d_\(name)", "q_\(name)"], ["w_\(name)"]),
                    TestNode("ReduceSum", ["w_\(name)"], ["s_\(name)"], [("keepdims", .int(0))]),
                ]
                inputs.append(TestValue("q_\(name)", inputs[index].dims, type: 11))
            }
            nodes += [
                TestNode("Sum", names.map { "s_\($0)" }, ["s_"]),
                Self.gradient(names, ["r_"] + names.map { "q_\($0)" }, "s_", "h_"),
            ]
            outputs = names.map { "h_\($0)" }
        }
        let bytes = modelBytes(
            TestGraph(
                nodes: nodes, inputs: inputs, outputs: outputs.map { TestValue($0, nil, type: 11) },
                initializers: test.initializers),
            opsets: [("", test.opset), ("ai.onnx.preview.training", 1)] + test.moreOpsets)
        var options = Session.Options()
        options.optimizes = isStatic
        session = try Session(bytes.withUnsafeBytes { try Model(bytes: $0) }, options: options)
    }

    private static func gradient(_ xs: [String], _ zs: [String], _ y: String, _ prefix: String) -> TestNode {
        TestNode(
            "Gradient", xs + zs, xs.map { prefix + $0 }, name: "gradient", domain: "ai.onnx.preview.training",
            [("xs", .texts(xs)), ("zs", .texts(zs)), ("y", .text(y))])
    }

    func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] { try session.run(inputs) }
}

extension TestTensor {
    init(_ name: String, dims: [Int64], doubles: [Double]) {
        self.init(name, dims: dims, type: 11, raw: doubles.flatMap { withUnsafeBytes(of: $0) { Array($0) } })
    }
}
