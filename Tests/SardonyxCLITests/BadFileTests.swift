import Glibc
import SardonyxTestSupport
import Testing

/// Files that are damaged or lie, through the command: an exit code that tells whose fault it is, one message, no trap.
@Suite struct BadFileTests {
    private static let x = TestValue("x", ["N", 3])
    private static let condition = TestValue("c", [], type: 9)
    private static func relu(_ input: String, _ output: String) -> TestNode { TestNode("Relu", [input], [output]) }
    private static func choice(_ then: TestGraph) -> TestNode {
        let other = TestGraph(nodes: [relu("x", "b")], outputs: [TestValue("b", nil)])
        return TestNode("If", ["c"], ["y"], [("then_branch", .graph(then)), ("else_branch", .graph(other))])
    }

    private static func model(
        _ nodes: [TestNode], initializers: [TestTensor] = [], inputs: [TestValue] = [x]
    ) -> [UInt8] {
        modelBytes(
            TestGraph(nodes: nodes, inputs: inputs, outputs: [TestValue("y", nil)], initializers: initializers))
    }

    /// If inside If, `depth` times.
    private static func nested(_ depth: Int) -> [UInt8] {
        var graph = TestGraph(nodes: [relu("x", "y")], outputs: [TestValue("y", nil)])
        for _ in 0..<depth { graph = TestGraph(nodes: [choice(graph)], outputs: [TestValue("y", nil)]) }
        return model(graph.nodes, inputs: [x, condition])
    }

    private static func external(_ entries: [(String, String)]) -> [UInt8] {
        model([relu("w", "y")], initializers: [TestTensor("w", dims: [4], raw: nil, external: entries)])
    }

    struct BadModel: Sendable, CustomTestStringConvertible {
        let title: String
        /// A part of the message.
        let says: String
        let bytes: [UInt8]
        var testDescription: String { title }

        init(_ title: String, _ says: String, _ bytes: [UInt8]) {
            (self.title, self.says, self.bytes) = (title, says, bytes)
        }
    }

    static let models: [BadModel] = [
        BadModel("empty", "empty", []),
        BadModel("random bytes", "", (0..<4096).map { UInt8(truncatingIfNeeded: ($0 &* $0 &* 31 &+ 17) >> 3) }),
        BadModel(
            "dimensions whose product overflows", "impossible shape",
            model([relu("x", "y")], initializers: [TestTensor("w", dims: [1 << 40, 1 << 40], raw: [])])),
        BadModel(
            "dimensions that overflow beside a zero", "impossible shape",
            model([relu("x", "y")], initializers: [TestTensor("w", dims: [0, 1 << 62], raw: [])])),
        BadModel(
            "negative dimension", "impossible shape",
            model([relu("x", "y")], initializers: [TestTensor("w", dims: [-4], raw: [])])),
        BadModel(
            "huge dimension", "needs 4398046511104 bytes",
            model([relu("x", "y")], initializers: [TestTensor("w", dims: [1 << 40], raw: [1])])),
        BadModel("negative extent of an input", "extent -7", model([relu("x", "y")], inputs: [TestValue("x", [-7])])),
        BadModel("cycle", "circle", model([relu("a", "b"), relu("b", "a"), relu("b", "y")])),
        BadModel("undefined name", "'nowhere' is not defined", model([relu("nowhere", "y")])),
        BadModel("name defined twice", "'y' is defined twice", model([relu("x", "y"), relu("x", "y")])),
        BadModel(
            "all that is unsupported, by name", "Wrap 'two'",
            model([TestNode("Frobnicate", ["x"], ["z"], name: "one"), TestNode("Wrap", ["z"], ["y"], name: "two")])),
        BadModel(
            "subgraph that refers to nothing", "'nothing' is not defined",
            model(
                [choice(TestGraph(nodes: [relu("nothing", "a")], outputs: [TestValue("a", nil)]))],
                inputs: [x, condition])),
        BadModel("deep nesting", "deeper", nested(110)), BadModel("very deep nesting", "too deep", nested(400)),
        BadModel("absolute external path", "outside the model's folder", external([("location", "/etc/passwd")])),
        BadModel("external path upwards", "outside the model's folder", external([("location", "../weights")])),
        BadModel("external link outwards", "outside the model's folder", external([("location", "link")])),
        BadModel("missing external file", "missing", external([("location", "missing")])),
        BadModel(
            "external offset past the end", "wants 16 bytes at 8", external([("location", "weights"), ("offset", "8")])),
        BadModel(
            "external length past the end", "wants 17 bytes", external([("location", "weights"), ("length", "17")])),
    ]

    @Test(arguments: models)
    func modelsAreRefused(_ test: BadModel) throws {
        let folder = TemporaryFolder()
        folder.write(test.bytes, to: "in/bad.onnx")
        folder.write([UInt8](repeating: 0, count: 16), to: "in/weights")
        symlink("/etc/passwd", folder.path + "/in/link")
        for command in [
            ["inspect", "in/bad.onnx"], ["run", "in/bad.onnx", "--output-dir", "out"],
            ["bench", "in/bad.onnx", "--seconds", "0"], ["bench", "in/bad.onnx", "--loading"],
        ] {
            let result = try sardonyx(command, in: folder)
            #expect(result.status == 3, "\(command): \(result.errors)")
            #expect(result.errors.contains("in/bad.onnx") && says(result.errors, test.says), "\(result.errors)")
        }
        #expect(TemporaryFolder.names(in: folder.path) == ["in"])
    }

    @Test func modelsCutShortAreRefused() throws {
        let bytes = Self.model(
            [TestNode("Reshape", ["w", "s"], ["z"]), Self.relu("x", "y")],
            initializers: [
                TestTensor("w", dims: [512], floats: (0..<512).map(Float.init)), TestTensor("s", integers: [2, 256]),
            ])
        let folder = TemporaryFolder()
        folder.write(bytes, to: "whole.onnx")
        #expect(try sardonyx("inspect", "whole.onnx", in: folder).status == 0)
        for percent in 0..<100 {
            folder.write(Array(bytes[..<(bytes.count * percent / 100)]), to: "cut.onnx")
            let result = try sardonyx("inspect", "cut.onnx", in: folder)
            #expect(result.status == 3 && result.errors.contains("cut.onnx"), "\(percent) %: \(result.errors)")
        }
    }

    struct BadInput: Sendable, CustomTestStringConvertible {
        let name: String
        let says: String
        let bytes: [UInt8]
        var testDescription: String { name }
    }

    private static func npy(_ shape: String, _ count: Int, type: String = "<f4") -> [UInt8] {
        npyBytes(
            "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }", [UInt8](repeating: 0, count: count))
    }

    @Test(arguments: [
        BadInput(name: "empty.npy", says: "", bytes: []),
        BadInput(name: "random.npy", says: "", bytes: (0..<512).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ 7) }),
        BadInput(name: "short.npy", says: "", bytes: npy("(1, 3)", 11)),
        BadInput(name: "header.npy", says: "", bytes: Array(npy("(1, 3)", 12).prefix(40))),
        BadInput(name: "huge.npy", says: "impossible shape", bytes: npy("(1099511627776, 1099511627776)", 12)),
        BadInput(name: "zero.npy", says: "impossible shape", bytes: npy("(0, 4611686018427387904)", 0)),
        BadInput(name: "negative.npy", says: "", bytes: npy("(-1, 3)", 12)),
        BadInput(name: "shape.npy", says: "must have the shape [N, 3]; it has [3, 1]", bytes: npy("(3, 1)", 12)),
        BadInput(
            name: "type.npy", says: "must have the type float; it has int64", bytes: npy("(1, 3)", 24, type: "<i8")),
        BadInput(name: "empty.pb", says: "", bytes: []),
        BadInput(name: "short.pb", says: "", bytes: bytes("0801080310014a0c000080bf00")),
        BadInput(name: "lying.pb", says: "impossible shape", bytes: bytes("08ffffffffffffffff7f080310014a00")),
    ])
    func inputsAreRefused(_ test: BadInput) throws {
        let folder = TemporaryFolder()
        folder.write(Self.model([Self.relu("x", "y")]), to: "relu.onnx")
        folder.write(test.bytes, to: test.name)
        let result = try sardonyx("run", "relu.onnx", "--input", "x=\(test.name)", "--output-dir", "out", in: folder)
        #expect(result.status == 4, "\(result.errors)")
        #expect(says(result.errors, test.says) && !result.errors.isEmpty, "\(result.errors)")
        #expect(!TemporaryFolder.names(in: folder.path).contains("out"))
    }

    /// A NIfTI-1 header of a volume of these extents, which the data that follow need not have.
    private static func nifti(_ extents: [Int16], type: Int16 = 16, data: Int) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 352 + data)
        func put<T: FixedWidthInteger>(_ value: T, at offset: Int) {
            withUnsafeBytes(of: value.littleEndian) { header.replaceSubrange(offset..<(offset + $0.count), with: $0) }
        }
        put(Int32(348), at: 0)
        put(Int16(extents.count), at: 40)
        for (axis, extent) in extents.enumerated() {
            put(extent, at: 42 + 2 * axis)
            put(Float(1).bitPattern, at: 80 + 4 * axis)
        }
        put(type, at: 70)
        put(Int16(32), at: 72)
        put(Float(352).bitPattern, at: 108)
        header.replaceSubrange(344..<348, with: [0x6E, 0x2B, 0x31, 0])
        return header
    }

    @Test(arguments: [
        BadInput(name: "empty.nii", says: "", bytes: []),
        BadInput(name: "random.nii", says: "", bytes: (0..<512).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ 7) }),
        BadInput(name: "header.nii", says: "", bytes: Array(nifti([4, 4, 4], data: 0).prefix(200))),
        BadInput(name: "short.nii", says: "", bytes: nifti([4, 4, 4], data: 255)),
        BadInput(name: "large.nii", says: "", bytes: nifti([32767, 32767, 32767, 32767], data: 64)),
        BadInput(name: "negative.nii", says: "", bytes: nifti([4, -4, 4], data: 256)),
        BadInput(name: "type.nii", says: "", bytes: nifti([4, 4, 4], type: 77, data: 256)),
        BadInput(name: "packed.nii.gz", says: "", bytes: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]),
    ])
    func volumesAreRefused(_ test: BadInput) throws {
        let folder = TemporaryFolder()
        folder.write(Self.model([Self.relu("x", "y")]), to: "relu.onnx")
        folder.write(test.bytes, to: test.name)
        folder.write(Array(CommandTests.pipeline.utf8), to: "pipe/pipeline.yaml")
        folder.write(Self.model([Self.relu("x", "y")]), to: "pipe/relu.onnx")
        let result = try sardonyx("apply", "pipe", test.name, "--output", "out", in: folder)
        #expect(result.status == 4, "\(result.errors)")
        #expect(result.errors.contains(test.name), "\(result.errors)")
        #expect(!TemporaryFolder.names(in: folder.path).contains("out"))
    }
}

/// Whether a message holds some words; no words are held by all.
private func says(_ message: String, _ words: String) -> Bool { words.isEmpty || message.contains(words) }
