import Sardonyx
import SardonyxTestSupport
import Testing

/// Operators of a user's own domain, written with the public interface alone.
@Suite struct CustomOperatorTests {
    private static func node(_ type: String, _ domain: String = "com.example.imaging", width: Float? = nil) -> TestNode
    {
        TestNode(
            type, ["x"], ["y"], domain: domain,
            [("center", .float(40))] + (width.map { [("width", .float($0))] } ?? []))
    }

    private static func model(
        _ nodes: [TestNode], _ operators: [any CustomOperator.Type] = [Window.self, Foreground.self]
    ) throws -> Model {
        let graph = TestGraph(
            nodes: nodes, inputs: [TestValue("x", ["N", 3])], outputs: [TestValue("y", nil)])
        var options = Model.Options()
        options.operators = operators
        return try modelBytes(graph, opsets: [("", 20), ("com.example.imaging", 1)]).withUnsafeBytes {
            try Model(bytes: $0, options: options)
        }
    }

    private static let slice = Tensor(shape: [2, 3], scalars: [-1000, 0, 40, 80, 400, 41] as [Float])

    @Test func givesWhatItsExamplesShow() throws {
        try Window.checkExamples()
        try Foreground.checkExamples()
        #expect(throws: SardonyxError.self) { try Wrong.checkExamples() }
    }

    @Test(arguments: [1, 2, 7])
    func runsAmongOthers(threads: Int) throws {
        let nodes = [
            TestNode("Add", ["x", "x"], ["sum"]),
            TestNode(
                "Window", ["sum"], ["w"], domain: "com.example.imaging",
                [("center", .float(40)), ("width", .float(400))]),
            TestNode("Relu", ["w"], ["y"]),
        ]
        let model = try Self.model(nodes)
        var options = Session.Options()
        options.threads = .count(threads)
        let session = try Session(model, options: options)
        let result = try #require(try session.run(["x": Self.slice])["y"])
        #expect(result.shape == [2, 3])
        #expect(result.scalars(Float.self) == [0, 0.4, 0.6, 0.8, 1, 0.605])
        guard case .exact = try session.plan(for: ["x": [2, 3]]).peakMemory else {
            Issue.record("the memory is not told exactly")
            return
        }
        #expect(model.operatorCounts["com.example.imaging.Window"] == 1)
    }

    @Test func makesOutputsWhoseSizesDependOnData() throws {
        let model = try Self.model([
            TestNode("Foreground", ["x"], ["f"], domain: "com.example.imaging"), TestNode("Neg", ["f"], ["y"]),
        ])
        let session = try Session(model)
        #expect(try session.run(["x": Self.slice])["y"]?.scalars(Float.self) == [-40, -80, -400, -41])
        let nothing = Tensor(shape: [0, 3], scalars: [] as [Float])
        #expect(try session.run(["x": nothing])["y"]?.shape == [0])
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: SardonyxError.Code
        let text: String
        let nodes: [TestNode]
        var operators: [any CustomOperator.Type] = [Window.self]
    }

    static let refused = [
        Refused(testDescription: "unknown", code: .unsupported, text: "no such operator", nodes: [node("Windows")]),
        Refused(
            testDescription: "not given", code: .unsupported, text: "com.example.imaging.Window",
            nodes: [node("Window")],
            operators: []),
        Refused(
            testDescription: "an attribute out of range", code: .invalidModel, text: "width is 0",
            nodes: [node("Window", width: 0)]),
        Refused(
            testDescription: "an attribute is missing", code: .invalidModel, text: "'width' is missing",
            nodes: [node("Window")]),
        Refused(
            testDescription: "twice", code: .invalidOption, text: "two operators 'com.example.imaging.Window'",
            nodes: [node("Window", width: 1)], operators: [Window.self, Window.self]),
        Refused(
            testDescription: "in ONNX's own domain", code: .invalidOption, text: "needs a domain of its own",
            nodes: [node("Window", width: 1)], operators: [Taken.self]),
    ]

    @Test(arguments: refused)
    func refuses(_ test: Refused) throws {
        let error = #expect(throws: SardonyxError.self) { _ = try Self.model(test.nodes, test.operators) }
        #expect(error?.code == test.code)
        #expect("\(error.map { "\($0)" } ?? "")".contains(test.text))
    }
}

extension CustomOperatorTests {
    struct Broken: Sendable, CustomTestStringConvertible {
        let type: any CustomOperator.Type
        let code: SardonyxError.Code
        let text: String
        var testDescription: String { type.schema.name }
    }

    static let broken = [
        Broken(
            type: BadView.self, code: .invalidModel, text: "output 0 in the memory of input 0, which does not fit"),
        Broken(
            type: BadPlace.self, code: .invalidModel, text: "output 0 in the memory of input 0, which does not fit"),
        Broken(type: NoInput.self, code: .invalidModel, text: "output 0 in the memory of input 3, which does not fit"),
        Broken(type: OtherType.self, code: .invalidValue, text: "output 0 is int64, which its schema does not allow"),
        Broken(type: TooFew.self, code: .invalidValue, text: "the operator gave 0 outputs; the node wants 1"),
    ]

    /// An operator that breaks its word gets an error that names the node, never the memory of others.
    @Test(arguments: broken)
    func anOperatorThatBreaksItsWord(_ test: Broken) throws {
        let node = TestNode(test.type.schema.name, ["x"], ["y"], name: "broken", domain: "com.example.imaging")
        let error = #expect(throws: SardonyxError.self) {
            try Session(try Self.model([node], [test.type])).run(["x": Self.slice])
        }
        #expect(error?.code == test.code && error?.node == "broken", "\(error.map { "\($0)" } ?? "")")
        #expect("\(error.map { "\($0)" } ?? "")".contains(test.text), "\(error.map { "\($0)" } ?? "")")
    }
}

/// One number of x, which is no view of all of it.
private enum BadView: CustomOperator {
    static let schema = named("BadView")
    static func infer(_ context: inout InferenceContext) throws { context.set(0, .float, [.fixed(1)]) }
    static func prepare(_ context: PreparationContext) throws -> Kernel { .view }
}

/// One number of x, which cannot take the place of all of it.
private enum BadPlace: CustomOperator {
    static let schema = named("BadPlace")
    static func infer(_ context: inout InferenceContext) throws { context.set(0, .float, [.fixed(1)]) }
    static func prepare(_ context: PreparationContext) throws -> Kernel {
        var kernel = Kernel { frame in frame.output(0, as: Float.self)[0] = frame.input(0, as: Float.self)[0] }
        kernel.inPlace = [0: [0]]
        return kernel
    }
}

/// In the place of an input that it does not have.
private enum NoInput: CustomOperator {
    static let schema = named("NoInput")
    static func infer(_ context: inout InferenceContext) throws { context.set(0, .float, context.shape(0)) }
    static func prepare(_ context: PreparationContext) throws -> Kernel {
        var kernel = Kernel { _ in }
        kernel.inPlace = [0: [3]]
        return kernel
    }
}

/// A result of a type that its schema does not know.
private enum OtherType: CustomOperator {
    static let schema = named("OtherType")
    static let isDynamic = true
    static func infer(_ context: inout InferenceContext) throws { context.set(0, .float, [.unknown]) }
    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        [.tensor(Tensor(shape: [1], scalars: [1] as [Int64]))]
    }
}

/// No result.
private enum TooFew: CustomOperator {
    static let schema = named("TooFew")
    static let isDynamic = true
    static func infer(_ context: inout InferenceContext) throws { context.set(0, .float, [.unknown]) }
    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] { [] }
}

private func named(_ name: String) -> Schema {
    Schema(
        name, domain: "com.example.imaging", versions: [1], inputs: [Parameter("X", "T", [.float])],
        outputs: [Parameter("Y", "T", [.float])])
}

/// y = the position of x between center − width / 2 and center + width / 2, from 0 to 1: how a CT slice is shown.
enum Window: CustomOperator {
    static let schema = Schema(
        "Window", domain: "com.example.imaging", versions: [1], inputs: [Parameter("X", "T", [.float])],
        outputs: [Parameter("Y", "T", [.float])],
        attributes: [AttributeSpec("center", .float), AttributeSpec("width", .float, required: true)])

    static func infer(_ context: inout InferenceContext) throws {
        let width = context.node.float("width", default: 0)
        guard width > 0 else { throw SardonyxError(.invalidModel, "width is \(width); it must be above 0") }
        context.set(0, try context.dataType(0), context.shape(0))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let count = try context.input(0).elementCount
        let width = context.node.float("width", default: 1)
        let low = context.node.float("center", default: 0) - width / 2
        var kernel = Kernel.parallel(count: count, grain: 16384) { frame, range in
            let x = frame.input(0, as: Float.self)
            let y = frame.output(0, as: Float.self)
            for i in range { y[i] = min(max((x[i] - low) / width, 0), 1) }
        }
        kernel.inPlace = [0: [0]]
        return kernel
    }

    static let examples = [
        Example(
            "soft tissue", attributes: ["center": .float(40), "width": .float(400)],
            inputs: [Tensor(shape: [3], scalars: [-1000, 40, 140] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [0, 0.5, 0.75] as [Float])])
    ]
}

/// y = the elements of x above 0.
enum Foreground: CustomOperator {
    static let schema = Schema(
        "Foreground", domain: "com.example.imaging", versions: [1], inputs: [Parameter("X", "T", [.float])],
        outputs: [Parameter("Y", "T", [.float])])
    static let isDynamic = true

    static func infer(_ context: inout InferenceContext) throws {
        context.set(0, try context.dataType(0), [.unknown])
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let found = try context.tensor(0).scalars(Float.self).filter { $0 > 0 }
        return [.tensor(Tensor(shape: [found.count], scalars: found))]
    }

    static let examples = [
        Example(
            "two of three", inputs: [Tensor(shape: [3], scalars: [1, -1, 2] as [Float])],
            outputs: [Tensor(shape: [2], scalars: [1, 2] as [Float])])
    ]
}

/// An operator whose example is wrong.
private enum Wrong: CustomOperator {
    static let schema = Foreground.schema
    static let isDynamic = true
    static func infer(_ context: inout InferenceContext) throws { try Foreground.infer(&context) }
    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] { try Foreground.evaluate(context) }
    static let examples = [
        Example(
            "one of three", inputs: [Tensor(shape: [3], scalars: [1, -1, 2] as [Float])],
            outputs: [Tensor(shape: [2], scalars: [1, 3] as [Float])])
    ]
}

/// An operator that would stand in ONNX's own domain.
private enum Taken: CustomOperator {
    static let schema = Schema("Window", versions: [1], inputs: Window.schema.inputs, outputs: Window.schema.outputs)
    static func infer(_ context: inout InferenceContext) throws { try Window.infer(&context) }
}
