import Glibc
import Sardonyx
import SardonyxTestSupport
import Testing

/// Models that break a rule: each gives its own error, and none traps.
@Suite struct BadModelTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let title: String
        let code: SardonyxError.Code
        /// A part of the message.
        let says: String
        let bytes: [UInt8]
        var testDescription: String { title }

        init(_ title: String, _ code: SardonyxError.Code, _ says: String, _ bytes: [UInt8]) {
            self.title = title
            self.code = code
            self.says = says
            self.bytes = bytes
        }
    }

    private static let x = TestValue("x", ["N", 3])
    private static let y = TestValue("y", nil)
    private static func relu(_ input: String, _ output: String) -> TestNode { TestNode("Relu", [input], [output]) }

    private static func model(
        _ nodes: [TestNode], initializers: [TestTensor] = [], inputs: [TestValue] = [x], outputs: [TestValue] = [y],
        functions: [TestFunction] = [], opset: Int64 = 20
    ) -> [UInt8] {
        modelBytes(
            TestGraph(nodes: nodes, inputs: inputs, outputs: outputs, initializers: initializers),
            opsets: [("", opset), ("f", 1)], functions: functions)
    }

    /// If inside If inside If …
    private static func nested(_ depth: Int) -> TestGraph {
        var graph = TestGraph(nodes: [relu("x", "y0")], outputs: [TestValue("y0", nil)])
        for level in 1...depth {
            graph = TestGraph(
                nodes: [
                    TestNode(
                        "If", ["c"], ["y\(level)"], [("then_branch", .graph(graph)), ("else_branch", .graph(graph))])
                ], outputs: [TestValue("y\(level)", nil)])
            if depth > 20 {
                // Only one branch nests, or the file would double with each level.
                graph.nodes[0].attributes[1].1 = .graph(
                    TestGraph(nodes: [relu("x", "z\(level)")], outputs: [TestValue("z\(level)", nil)]))
            }
        }
        return graph
    }

    static let cases: [Case] = [
        Case("empty", .malformed, "empty", []),
        Case("random bytes", .malformed, "", (0..<512).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }),
        Case("undefined input", .invalidModel, "'nowhere' is not defined", model([relu("nowhere", "y")])),
        Case("undefined output", .invalidModel, "output 'y' is not defined", model([relu("x", "z")])),
        Case("defined twice", .invalidModel, "'y' is defined twice", model([relu("x", "y"), relu("x", "y")])),
        Case(
            "shadows an input", .invalidModel, "'x' is defined twice",
            model([relu("w", "x"), relu("x", "y")], initializers: [TestTensor("w", dims: [1], floats: [1])])),
        Case("cycle", .invalidModel, "circle", model([relu("a", "b"), relu("b", "a"), relu("b", "y")])),
        Case("self-cycle", .invalidModel, "circle", model([relu("y", "y")])),
        Case(
            "two initialisers of one name", .invalidModel, "two initialisers",
            model(
                [relu("x", "y")],
                initializers: [TestTensor("w", dims: [1], floats: [1]), TestTensor("w", dims: [1], floats: [2])])),
        Case("two inputs of one name", .invalidModel, "two inputs", model([relu("x", "y")], inputs: [x, x])),
        Case(
            "overflowing dimensions", .malformed, "impossible shape",
            model([relu("x", "y")], initializers: [TestTensor("w", dims: [1 << 40, 1 << 40], raw: [])])),
        Case(
            "negative dimension", .malformed, "impossible shape",
            model([relu("x", "y")], initializers: [TestTensor("w", dims: [-4], raw: [])])),
        Case(
            "too few bytes", .malformed, "needs 16 bytes",
            model([relu("x", "y")], initializers: [TestTensor("w", dims: [4], raw: [0, 0])])),
        Case(
            "unknown element type", .unsupported, "element type number 99",
            model([relu("x", "y")], initializers: [TestTensor("w", dims: [1], type: 99, raw: [0])])),
        Case(
            "unknown operator", .unsupported, "Frobnicate 'f'", model([TestNode("Frobnicate", ["x"], ["y"], name: "f")])
        ),
        Case(
            "all unsupported operators at once", .unsupported, "Wrap 'two'",
            model([TestNode("Frobnicate", ["x"], ["z"], name: "one"), TestNode("Wrap", ["z"], ["y"], name: "two")])),
        Case("opset of the future", .unsupported, "newer than", model([relu("x", "y")], opset: 1000)),
        Case(
            "no opset", .unsupported, "imports no opset",
            modelBytes(TestGraph(nodes: [relu("x", "y")], inputs: [x], outputs: [y]), opsets: [])),
        Case("too many inputs", .invalidModel, "takes 1", model([TestNode("Relu", ["x", "x"], ["y"])])),
        Case("missing input", .invalidModel, "'X' is missing", model([TestNode("Relu", [""], ["y"])])),
        Case(
            "unknown attribute", .invalidModel, "no attribute 'slope'",
            model([TestNode("Relu", ["x"], ["y"], [("slope", .int(1))])])),
        Case(
            "attribute of another kind", .invalidModel, "must be INT",
            model(
                [TestNode("Reshape", ["x", "s"], ["y"], [("allowzero", .text("no"))])],
                initializers: [TestTensor("s", integers: [-1])])),
        Case(
            "attribute given twice", .invalidModel, "given twice",
            model(
                [
                    TestNode("Reshape", ["x", "s"], ["y"], [("allowzero", .int(1)), ("allowzero", .int(0))])
                ], initializers: [TestTensor("s", integers: [-1])])),
        Case(
            "wrong type", .invalidModel, "has the type string",
            model([relu("x", "y")], inputs: [TestValue("x", [2], type: 8)])),
        Case(
            "shape that does not fit", .invalidModel, "cannot take the shape",
            model(
                [TestNode("Reshape", ["w", "s"], ["y"])],
                initializers: [TestTensor("w", dims: [4], floats: [1, 2, 3, 4]), TestTensor("s", integers: [3])])),
        Case(
            "subgraph that refers to nothing", .invalidModel, "'nothing' is not defined",
            model(
                [
                    TestNode(
                        "If", ["c"], ["y"],
                        [
                            (
                                "then_branch",
                                .graph(TestGraph(nodes: [relu("nothing", "a")], outputs: [TestValue("a", nil)]))
                            ),
                            ("else_branch", .graph(TestGraph(nodes: [relu("x", "b")], outputs: [TestValue("b", nil)]))),
                        ])
                ], inputs: [x, TestValue("c", [], type: 9)])),
        Case(
            "deep nesting", .invalidModel, "deeper",
            modelBytes(
                TestGraph(
                    nodes: nested(110).nodes, inputs: [x, TestValue("c", [], type: 9)],
                    outputs: [TestValue("y110", nil)]))),
        Case(
            "very deep nesting", .malformed, "",
            modelBytes(
                TestGraph(
                    nodes: nested(400).nodes, inputs: [x, TestValue("c", [], type: 9)],
                    outputs: [TestValue("y400", nil)]))),
        Case(
            "function that calls itself", .invalidModel, "calls itself",
            model(
                [TestNode("F", ["x"], ["y"], domain: "f")],
                functions: [
                    TestFunction(
                        "F", domain: "f", inputs: ["a"], outputs: ["b"],
                        nodes: [TestNode("F", ["a"], ["b"], domain: "f")])
                ])),
        Case(
            "reference outside a function", .invalidModel, "in no function",
            model(
                [TestNode("Reshape", ["x", "s"], ["y"], [("allowzero", .reference("a", type: 2))])],
                initializers: [TestTensor("s", integers: [-1])])),
        Case(
            "function that reads what stands around its call", .invalidModel, "'x' is not defined",
            model(
                [
                    TestNode(
                        "If", ["c"], ["y"],
                        [
                            (
                                "then_branch",
                                .graph(
                                    TestGraph(
                                        nodes: [TestNode("F", [], ["a"], domain: "f")], outputs: [TestValue("a", nil)]))
                            ),
                            ("else_branch", .graph(TestGraph(nodes: [relu("x", "b")], outputs: [TestValue("b", nil)]))),
                        ])
                ], inputs: [x, TestValue("c", [], type: 9)],
                functions: [TestFunction("F", domain: "f", inputs: [], outputs: ["o"], nodes: [relu("x", "o")])])),
        Case(
            "branch with an input", .invalidModel, "take no inputs",
            model(
                [
                    TestNode(
                        "If", ["c"], ["y"],
                        [
                            (
                                "then_branch",
                                .graph(
                                    TestGraph(
                                        nodes: [relu("q", "a")], inputs: [TestValue("q", [1])],
                                        outputs: [TestValue("a", nil)]))
                            ),
                            ("else_branch", .graph(TestGraph(nodes: [relu("x", "b")], outputs: [TestValue("b", nil)]))),
                        ])
                ], inputs: [x, TestValue("c", [], type: 9)])),
        Case(
            "name read from outside and then defined inside", .invalidModel, "circle",
            model(
                [
                    relu("x", "t"),
                    TestNode(
                        "If", ["c"], ["y"],
                        [
                            (
                                "then_branch",
                                .graph(
                                    TestGraph(
                                        nodes: [
                                            TestNode(
                                                "If", ["c"], ["a"],
                                                [
                                                    (
                                                        "then_branch",
                                                        .graph(
                                                            TestGraph(
                                                                nodes: [relu("t", "p")], outputs: [TestValue("p", nil)])
                                                        )
                                                    ),
                                                    (
                                                        "else_branch",
                                                        .graph(
                                                            TestGraph(
                                                                nodes: [relu("x", "q")], outputs: [TestValue("q", nil)])
                                                        )
                                                    ),
                                                ]), relu("a", "t"),
                                        ], outputs: [TestValue("t", nil)]))
                            ),
                            ("else_branch", .graph(TestGraph(nodes: [relu("x", "b")], outputs: [TestValue("b", nil)]))),
                        ]),
                ], inputs: [x, TestValue("c", [], type: 9)])),
        Case(
            "node without outputs", .invalidModel, "no outputs", model([TestNode("Shape", ["x"], []), relu("x", "y")])),
        Case(
            "shape that overflows on the way", .invalidModel, "impossible shape",
            model(
                [TestNode("Expand", ["x", "s"], ["z"]), relu("z", "y")],
                initializers: [TestTensor("s", integers: [1 << 40, 1 << 40, 1, 1])], inputs: [TestValue("x", [1, 1])])),
        Case(
            "elements that overflow in bytes", .malformed, "impossible shape",
            model([relu("x", "y")], initializers: [TestTensor("w", dims: [1 << 58], type: 15, raw: [])])),
        Case(
            "negative extent of an input", .invalidModel, "extent -7",
            model([relu("x", "y")], inputs: [TestValue("x", [-7])])),
    ]

    @Test(arguments: cases)
    func refused(_ test: Case) {
        do {
            _ = try test.bytes.withUnsafeBytes { try Model(bytes: $0) }
            Issue.record("the model was taken")
        } catch let error as SardonyxError {
            #expect(error.code == test.code, "\(error)")
            #expect(error.description.contains(test.says), "\(error)")
        } catch {
            Issue.record("another error: \(error)")
        }
    }

    /// Every hundredth of a file that is cut short is refused; the whole one is taken.
    @Test func cutShort() throws {
        let bytes = Self.model(
            [TestNode("Reshape", ["w", "s"], ["z"]), Self.relu("x", "y")],
            initializers: [
                TestTensor("w", dims: [512], floats: (0..<512).map(Float.init)), TestTensor("s", integers: [2, 256]),
            ])
        _ = try bytes.withUnsafeBytes { try Model(bytes: $0) }
        let folder = TemporaryFolder()
        for percent in 0..<100 {
            let path = folder.write(Array(bytes[..<(bytes.count * percent / 100)]), to: "cut.onnx")
            let error = #expect(throws: SardonyxError.self) { try Model(contentsOf: path) }
            #expect(error?.file == path)
        }
    }

    struct External: Sendable, CustomTestStringConvertible {
        let entries: [(String, String)]
        let says: String
        var testDescription: String { entries.map { "\($0)=\($1)" }.joined(separator: " ") }
    }

    @Test(arguments: [
        External(entries: [("location", "/etc/passwd")], says: "outside the model's folder"),
        External(entries: [("location", "../weights")], says: "outside the model's folder"),
        External(entries: [("location", "a/../../weights")], says: "outside the model's folder"),
        External(entries: [("location", "link")], says: "outside the model's folder"),
        External(entries: [("location", "missing")], says: "cannot open"),
        External(entries: [("location", "")], says: "no location"),
        External(entries: [], says: ""),
        External(entries: [("location", "weights"), ("offset", "8")], says: "wants 16 bytes at 8"),
        External(entries: [("location", "weights"), ("length", "17")], says: "wants 17 bytes"),
        External(entries: [("location", "weights"), ("length", "8")], says: "needs 16 bytes"),
        External(entries: [("location", "weights"), ("offset", "-1")], says: "offset '-1'"),
        External(entries: [("location", "weights"), ("offset", "99999999999999999999")], says: "offset"),
        External(entries: [("location", "weights"), ("offset", "9223372036854775807")], says: "wants"),
    ])
    func externalData(_ test: External) {
        let folder = TemporaryFolder()
        _ = folder.write([UInt8](repeating: 0, count: 16), to: "weights")
        symlink("/etc/passwd", folder.path + "/link")
        let path = folder.write(
            Self.model(
                [Self.relu("w", "y")],
                initializers: [
                    TestTensor(
                        "w", dims: [4], raw: nil, external: test.entries.isEmpty ? [("key", "value")] : test.entries)
                ]), to: "m.onnx")
        let error = #expect(throws: SardonyxError.self) { try Model(contentsOf: path) }
        #expect(error?.description.contains(test.says) == true, "\(error.map(\.description) ?? "")")
    }

    @Test func externalDataInTheFolderIsRead() throws {
        let folder = TemporaryFolder()
        let values: [Float] = [0, -1, 2, -3, 4]
        _ = folder.write([9, 9] + values.flatMap { withUnsafeBytes(of: $0) { Array($0) } }, to: "weights")
        let path = folder.write(
            Self.model(
                [Self.relu("w", "y")],
                initializers: [
                    TestTensor(
                        "w", dims: [5], raw: nil,
                        external: [("location", "weights"), ("offset", "2"), ("length", "20")])
                ]), to: "m.onnx")
        let session = try Session(Model(contentsOf: path))
        let outputs = try session.run(["x": Tensor(shape: [1, 3], scalars: [0, 0, 0] as [Float])])
        #expect(outputs["y"]?.scalars() == [0, 0, 2, 0, 4] as [Float])
    }
}
