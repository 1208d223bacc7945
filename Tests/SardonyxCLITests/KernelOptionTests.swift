import SardonyxTestSupport
import Testing

/// `--precision` and `--autotune`.
@Suite struct KernelOptionTests {
    private static func prepared() -> TemporaryFolder {
        let folder = TemporaryFolder()
        let weights = [16, 16, 3, 3] as [Int64]
        folder.write(
            modelBytes(
                TestGraph(
                    nodes: [TestNode("Conv", ["x", "w"], ["y"], [("pads", .ints([1, 1, 1, 1]))])],
                    inputs: [TestValue("x", ["N", 16, 32, 32])], outputs: [TestValue("y", nil)],
                    initializers: [
                        TestTensor("w", dims: weights, floats: randomNumbers(Int(weights.reduce(1, *))))
                    ])), to: "conv.onnx")
        return folder
    }

    private static func hash(_ output: String) -> Substring? {
        output.firstMatch(of: /"plan_hash": "([0-9a-f]{16})"/)?.1
    }

    @Test func choicesAreMadeOnce() throws {
        let folder = Self.prepared()
        let arguments = ["bench", "conv.onnx", "--seconds", "0", "--json", "--autotune", "c.json"]
        let first = try sardonyx(arguments, in: folder)
        #expect(first.status == 0, "\(first.errors)")
        let choices = fileBytes(folder.path + "/c.json")
        #expect(String(decoding: choices, as: UTF8.self).contains("\"algorithm\": "))
        let second = try sardonyx(arguments, in: folder)
        #expect(second.status == 0, "\(second.errors)")
        #expect(Self.hash(first.output) != nil && Self.hash(first.output) == Self.hash(second.output))
        #expect(fileBytes(folder.path + "/c.json") == choices)
    }

    @Test func precisionIsPartOfThePlan() throws {
        let folder = Self.prepared()
        let hashes = try ["standard", "strict"].map { precision in
            let bench = try sardonyx(
                "bench", "conv.onnx", "--seconds", "0", "--json", "--precision", precision, in: folder)
            let inspect = try sardonyx("inspect", "conv.onnx", "--json", "--precision", precision, in: folder)
            #expect(bench.status == 0 && inspect.status == 0, "\(bench.errors) \(inspect.errors)")
            #expect(Self.hash(bench.output) != nil && Self.hash(bench.output) == Self.hash(inspect.output))
            return Self.hash(bench.output)
        }
        #expect(hashes[0] != hashes[1])
    }

    @Test func aProfileNamesTheAlgorithm() throws {
        let folder = Self.prepared()
        let result = try sardonyx(
            "bench", "conv.onnx", "--seconds", "0", "--profile", "--precision", "strict", in: folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("Conv, blocks "), "\(result.output)")
    }

    @Test(
        arguments: [
            (["--autotune", "conv.onnx"], 2, "conv.onnx: this is no file of measured choices"),
            (["--autotune", "none/c.json"], 3, "none/c.json: the choices cannot be written"),
            (["--precision", "loose"], 2, "strict"),
        ] as [([String], Int32, String)])
    func badOnesAreAnswered(arguments: [String], status: Int32, message: String) throws {
        let folder = Self.prepared()
        for command in [["bench", "conv.onnx", "--seconds", "0"], ["run", "conv.onnx", "--output-dir", "o"]] {
            folder.write(
                npyBytes(
                    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 16, 32, 32), }",
                    [UInt8](repeating: 0, count: 4 * 16 * 32 * 32)), to: "x.npy")
            let result = try sardonyx(command + ["--input", "x=x.npy"] + arguments, in: folder)
            #expect(result.status == status, "\(result.errors)")
            #expect(result.errors.contains(message), "\(result.errors)")
        }
    }
}
