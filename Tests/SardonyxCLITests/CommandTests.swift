import SardonyxTestSupport
import Testing

/// The command as a process: exit codes, output, files.
@Suite struct CommandTests {
    /// y = relu(x) for x of [N, 3].
    private static let relu = modelBytes(
        TestGraph(
            nodes: [TestNode("Relu", ["x"], ["y"], name: "act")], inputs: [TestValue("x", ["N", 3])],
            outputs: [TestValue("y", ["N", 3])]))

    /// The same with a value in between.
    private static let sums = modelBytes(
        TestGraph(
            nodes: [TestNode("Relu", ["x"], ["a"]), TestNode("ReduceSum", ["a"], ["y"])],
            inputs: [TestValue("x", ["N", 3])], outputs: [TestValue("y", nil)]))

    /// Windows of two by two, which need more than the 1 that stands for an open axis.
    private static let pool = modelBytes(
        TestGraph(
            nodes: [TestNode("MaxPool", ["x"], ["y"], [("kernel_shape", .ints([2, 2]))])],
            inputs: [TestValue("x", ["N", 1, "H", "W"])], outputs: [TestValue("y", nil)]))

    /// A pipeline around the model, which no image fits.
    static let pipeline = """
        name: relu
        task: segmentation
        model: relu.onnx
        input: {channels: [{name: image}]}
        output: {decision: argmax}
        labels: [one]
        results: {image: labels.nii.gz}
        """

    private static let input = npyBytes(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }", bytes("000080bf 00000040 000040c0"))
    private static let output = npyBytes(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }", bytes("00000000 00000040 00000000"))
    private static let square = npyBytes(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 2, 2), }", [UInt8](repeating: 0, count: 16))
    /// The same as TensorProtos.
    private static let inputMessage = bytes("0801080310014a0c000080bf00000040000040c0")
    private static let outputMessage = bytes("0801080310014a0c000000000000004000000000")
    private static let wrongMessage = bytes("0801080310014a0c000000000000004000000041")

    private func prepared() -> TemporaryFolder {
        let folder = TemporaryFolder()
        folder.write(Self.relu, to: "relu.onnx")
        folder.write(Self.sums, to: "sums.onnx")
        folder.write(Self.pool, to: "pool.onnx")
        folder.write(Self.input, to: "x.npy")
        folder.write(Self.square, to: "square.npy")
        folder.write(Self.inputMessage, to: "x.pb")
        folder.write(Array(Self.pipeline.utf8), to: "pipe/pipeline.yaml")
        folder.write(Self.relu, to: "pipe/relu.onnx")
        return folder
    }

    private func writeCase(_ folder: TemporaryFolder, _ name: String, _ output: [UInt8] = outputMessage) {
        folder.write(Self.relu, to: "\(name)/model.onnx")
        folder.write(Self.inputMessage, to: "\(name)/test_data_set_0/input_0.pb")
        folder.write(output, to: "\(name)/test_data_set_0/output_0.pb")
    }

    @Test(arguments: ["x.npy", "x.pb"])
    func runsFromFilesToFiles(file: String) throws {
        let folder = prepared()
        let result = try sardonyx("run", "relu.onnx", "--input", "x=\(file)", "--output-dir", "a/b", in: folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect(fileBytes(folder.path + "/a/b/y.npy") == Self.output)
    }

    @Test func takesTheLongestNameBeforeAnEquals() throws {
        let folder = prepared()
        folder.write(
            modelBytes(
                TestGraph(
                    nodes: [TestNode("Add", ["a", "a=b"], ["out/sum"])],
                    inputs: [TestValue("a", [1, 3]), TestValue("a=b", [1, 3])],
                    outputs: [TestValue("out/sum", [1, 3])])), to: "add.onnx")
        let result = try sardonyx(
            "run", "add.onnx", "--input", "a=b=x.npy", "--input", "a=x.npy", "--output-dir", ".", in: folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect(fileBytes(folder.path + "/out_sum.npy").suffix(12) == bytes("000000c0 00008040 0000c0c0")[...])
    }

    @Test func verifiesCases() throws {
        let folder = TemporaryFolder()
        writeCase(folder, "cases/deep/good")
        writeCase(folder, "cases/wrong", Self.wrongMessage)
        folder.write(Self.relu, to: "cases/empty/model.onnx")
        folder.write([1, 2, 3], to: "cases/broken/model.onnx")
        folder.write([], to: "cases/broken/test_data_set_0/output_0.pb")
        let result = try sardonyx("verify", "cases", "--json", "r.json", "--junit", "r.xml", in: folder)
        #expect(result.status == 1)
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 5)
        #expect(lines[0].hasPrefix("error  broken: "))
        #expect(lines[1] == "pass   deep/good")
        #expect(lines[2] == "error  empty: there is no test_data_set_0")
        #expect(
            lines[3]
                == "fail   wrong: max error 8: output 'y': 1 of 3 values differ; the worst is [0, 2]: 0, expected 8 "
                + "(rtol 0.001, atol 1e-07)")
        #expect(lines[4] == "1 passed, 3 failed")
        #expect(result.errors.isEmpty)
        let json = String(decoding: fileBytes(folder.path + "/r.json"), as: UTF8.self)
        #expect(json.contains("\"passed\": 1") && json.contains("\"name\": \"deep/good\""))
        let junit = String(decoding: fileBytes(folder.path + "/r.xml"), as: UTF8.self)
        #expect(junit.contains("tests=\"4\" failures=\"1\" errors=\"2\""))
    }

    @Test func verifiesWithATolerance() throws {
        let folder = TemporaryFolder()
        writeCase(folder, "wide", Self.wrongMessage)
        folder.write(Array("{\"rtol\": 0, \"atol\": 8}".utf8), to: "wide/tolerance.json")
        let result = try sardonyx("verify", "wide", "--in-process", in: folder)
        #expect(result.status == 0)
        #expect(result.output == "pass   wide\n1 passed, 0 failed\n")
    }

    @Test func benches() throws {
        let folder = prepared()
        let result = try sardonyx(
            "bench", "relu.onnx", "--seconds", "0", "--input", "x=x.npy", "--dump-outputs", "out", "--trace", "t.json",
            "--json", in: folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.split(separator: "\n").count == 1)
        for key in ["median_ms", "min_ms", "p95_ms", "start_ms", "base_mb", "peak_mb", "runs"] {
            #expect(result.output.contains("\"\(key)\": "))
        }
        #expect(fileBytes(folder.path + "/out/y.npy") == Self.output)
        let trace = String(decoding: fileBytes(folder.path + "/t.json"), as: UTF8.self)
        for text in ["\"name\": \"Relu\"", "\"name\": \"process_name\"", "sardonyx bench relu.onnx", "\"ph\": \"X\""] {
            #expect(trace.contains(text), "\(trace)")
        }
    }

    /// A process that may use one CPU has one thread by default, and as many as it asks for.
    @Test(arguments: [nil, 1, 7])
    func benchesOnOneCPU(threads: Int?) throws {
        let folder = prepared()
        let arguments = [
            "bench", "relu.onnx", "--seconds", "0", "--input", "x=x.npy", "--dump-outputs", "out", "--json",
        ]
        let result = try runBuilt(
            "sardonyx", arguments + (threads.map { ["--threads", "\($0)"] } ?? []), in: folder,
            under: ["taskset", "--cpu-list", firstAllowedCPU()])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("\"threads\": \(threads ?? 1)"), "\(result.output)")
        #expect(fileBytes(folder.path + "/out/y.npy") == Self.output)
    }

    /// What opening a model says about being ready: with shapes given, with those of inputs given, for a model that needs
    /// other shapes than 1, and with too small a budget.
    @Test(arguments: [
        ("relu.onnx", "[0-9.]+ ms from the file to packed weights, the first time"),
        ("pool.onnx --shape x=1,1,2,2", "[0-9.]+ ms .*"), ("pool.onnx --input x=square.npy", "[0-9.]+ ms .*"),
        ("pool.onnx", "none: MaxPool 'y': .*; give shapes with --shape x=1,1,64,64"),
        ("sums.onnx --memory-budget 8 --shape x=1000,3", "none: a run needs [0-9]+ bytes, and the budget is 8"),
    ])
    func benchesOpening(_ arguments: String, says ready: String) throws {
        let result = try sardonyx(
            ["bench", "--loading"] + arguments.split(separator: " ").map(String.init), in: prepared())
        #expect(result.status == 0, "\(result.errors)")
        let line = result.output.split(separator: "\n").last ?? ""
        #expect(try line.wholeMatch(of: Regex("ready   " + ready)) != nil, "\(line)")
    }

    @Test func profiles() throws {
        let folder = prepared()
        let result = try sardonyx("bench", "relu.onnx", "--seconds", "0", "--shape", "x=5,3", "--profile", in: folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("GFLOP/s  peak  operator  output       node\n"))
        #expect(result.output.contains("Relu      float[5, 3]  act"))
        let closing = result.output.split(separator: "\n").last ?? ""
        #expect(closing.contains(/^all steps [0-9.]+ ms; peak [1-9][0-9.]* GFLOP\/s \([a-z0-9]+, [0-9]+ threads?\)$/))
    }

    @Test func inspects() throws {
        let folder = prepared()
        let result = try sardonyx("inspect", "relu.onnx", "--explain", in: folder)
        #expect(result.status == 0)
        expectSnapshot(result.output, "inspect/relu.txt")
        let json = try sardonyx("inspect", "relu.onnx", "--json", "--shape", "x=2,3", in: folder)
        expectSnapshot(json.output, "inspect/relu.json")
    }

    /// Chains are fused once shapes are concrete.
    @Test func explainsWhatAPlanFuses() throws {
        let folder = TemporaryFolder()
        folder.write(
            modelBytes(
                TestGraph(
                    nodes: [
                        TestNode("Abs", ["x"], ["a"], name: "first"), TestNode("Sqrt", ["a"], ["y"], name: "second"),
                    ],
                    inputs: [TestValue("x", ["N", 3])], outputs: [TestValue("y", nil)])), to: "chain.onnx")
        let result = try sardonyx("inspect", "chain.onnx", "--explain", "--shape", "x=5,3", in: folder)
        #expect(result.status == 0)
        #expect(result.output.contains("fuse elementwise"), "\(result.output)")
        #expect(result.output.contains("Abs in one walk with Sqrt"), "\(result.output)")
    }

    @Test func inspectsWhatCannotRun() throws {
        let folder = TemporaryFolder()
        folder.write(
            modelBytes(
                TestGraph(
                    nodes: [
                        TestNode("Wonder", ["x"], ["a"], name: "first"),
                        TestNode("Relu", ["a"], ["b"]),
                        TestNode("Marvel", ["b"], ["y"], name: "second", domain: "my.domain"),
                    ], inputs: [TestValue("x", ["N", 3])], outputs: [TestValue("y", nil)]),
                opsets: [("", 20), ("my.domain", 1)]), to: "odd.onnx")
        let result = try sardonyx("inspect", "odd.onnx", in: folder)
        #expect(result.status == 3)
        expectSnapshot(result.output + result.errors, "inspect/unsupported.txt")
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let status: Int32
        /// A part of the message.
        let message: String
        var testDescription: String { arguments.joined(separator: " ") }

        init(_ arguments: String, _ status: Int32, _ message: String) {
            self.arguments = arguments.split(separator: " ").map(String.init)
            self.status = status
            self.message = message
        }
    }

    static let bad = [
        Bad("", 0, ""),
        Bad("wonder", 2, "wonder"),
        Bad("run", 2, "Missing expected argument"),
        Bad("run relu.onnx --output-dir out --input x", 2, "needs NAME="),
        Bad("run relu.onnx --output-dir out --input x=x.npy --input x=x.pb", 2, "'x' twice"),
        Bad("bench relu.onnx --seconds -1", 2, "--seconds"),
        Bad("bench relu.onnx --shape x=a,b", 2, "numbers with commas"),
        Bad("bench relu.onnx --threads 0", 2, "threads"),
        Bad("bench relu.onnx --threads 10000", 2, "threads"),
        Bad("bench relu.onnx --memory-budget much", 2, "--memory-budget"),
        Bad("bench relu.onnx --memory-budget -1", 2, "--memory-budget"),
        Bad("run sums.onnx --output-dir out --input x=x.npy --memory-budget 8", 3, "the memory budget is 8 bytes"),
        Bad("verify . --threads 0", 2, "--threads"),
        Bad("run missing.onnx --output-dir out", 3, "missing.onnx"),
        Bad("run x.npy --output-dir out", 3, "x.npy"),
        Bad("inspect .", 3, "."),
        Bad("run relu.onnx --output-dir out", 4, "input 'x' is missing; it takes float[N, 3]"),
        Bad("run relu.onnx --output-dir out --input z=x.npy", 4, "'x' float[N, 3]"),
        Bad("run relu.onnx --output-dir out --input x=missing.npy", 4, "missing.npy"),
        Bad("run relu.onnx --output-dir out --input x=relu.onnx", 4, "relu.onnx"),
        Bad("run relu.onnx --output-dir out --input x=wide.npy", 4, "must have the shape [N, 3]; it has [3]"),
        Bad("run relu.onnx --output-dir out --input x=double.npy", 4, "must have the type float; it has double"),
        Bad("run relu.onnx --output-dir x.npy --input x=x.npy", 4, "x.npy: the folder cannot be made"),
        Bad("run relu.onnx --output-dir /proc/none --input x=x.npy", 4, "/proc/none: the folder cannot be made"),
        Bad("bench relu.onnx --shape x=1,4", 4, "float[N, 3]"),
        Bad("bench pool.onnx", 3, "were taken as 1: give shapes with --shape x=1,1,64,64"),
        Bad("bench relu.onnx --shape x=4611686018427387904,3", 4, "4611686018427387904"),
        Bad("verify missing", 4, "missing"),
        Bad("verify .", 4, "there is no model.onnx"),
        Bad("apply pipe missing.nii --output out", 4, "missing.nii"),
        Bad("apply pipe x.npy --output out --resume --overwrite", 2, "--resume"),
        Bad("apply pipe x.npy --output out --memory-budget much", 2, "--memory-budget"),
        Bad("apply pipe x.npy --output out --memory-budget 1.5GB", 2, "--memory-budget"),
        Bad("apply pipe", 2, "input"),
        Bad("apply missing x.npy --output out", 3, "missing"),
        Bad("apply pipe x.npy --output out", 4, "x.npy"),
        Bad("view missing.nii -o out.png", 4, "missing.nii"),
        Bad("pipeline new missing.onnx", 3, "missing.onnx"),
    ]

    @Test(arguments: bad)
    func answersBadUse(row: Bad) throws {
        let folder = prepared()
        folder.write(
            npyBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", [UInt8](repeating: 0, count: 12)),
            to: "wide.npy")
        folder.write(
            npyBytes("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 3), }", [UInt8](repeating: 0, count: 24)),
            to: "double.npy")
        let result = try sardonyx(row.arguments, in: folder)
        #expect(result.status == row.status)
        #expect(row.message.isEmpty || result.errors.contains(row.message), "\(result.errors)")
        #expect(result.status == 0 || result.output.isEmpty)
        // Nothing half done is left.
        #expect(!TemporaryFolder.names(in: folder.path).contains { $0.hasPrefix(".") })
    }
}
