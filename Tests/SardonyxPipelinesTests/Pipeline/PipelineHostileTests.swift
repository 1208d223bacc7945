import SardonyxTestSupport
import Testing

@testable import SardonyxPipelines

#if canImport(Glibc)
    import Glibc
#endif

/// Texts and folders that mean harm, or are damaged.
struct PipelineHostileTests {
    static func first(_ text: String) -> String { problems(text).first ?? "" }

    @Test func aliases() {
        let anchor = smallPipeline.changing("name: Liver", to: "name: &n Liver")
        #expect(PipelineHostileTests.first(anchor).hasPrefix("1:7: anchors and aliases are not read"))
        let alias = smallPipeline.changing("name: Liver", to: "name: &n Liver").changing("name: CT", to: "name: *n")
        #expect(PipelineHostileTests.first(alias).contains("anchors and aliases are not read"))
        // The billion laughs, as values and inside keys.
        var values = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        var keys = "? &a0 [x, x, x, x, x, x, x, x, x]\n: 1\n"
        for n in 1..<30 {
            let nine = Array(repeating: "*a\(n - 1)", count: 9).joined(separator: ", ")
            values += "a\(n): &a\(n) [\(nine)]\n"
            keys += "? &a\(n) [\(nine)]\n: 1\n"
        }
        #expect(PipelineHostileTests.first(values).contains("it holds aliases"))
        #expect(PipelineHostileTests.first(keys).contains("it holds aliases"))
        // Stars in quotes and comments are no aliases.
        #expect(problems(smallPipeline.changing("name: Liver", to: "name: \"*a *b *c\"  # *d *e *f")) == [])
    }

    @Test func nestingAndSize() {
        for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", "")] {
            for depth in [41, 900, 100_000] {
                let text = String(repeating: open, count: depth) + "x" + String(repeating: close, count: depth)
                let first = PipelineHostileTests.first(text)
                #expect(
                    first.contains("levels stand inside each other") || first.contains("not YAML"), "\(open) \(depth)")
            }
        }
        let long = "name: " + String(repeating: "x", count: 1_000_001)
        #expect(PipelineHostileTests.first(long) == "1:1: it has 1000007 bytes, more than 1000000: check the file")
    }

    @Test(arguments: [
        ("name: a\nname: b", "1:1: more than one field is called 'name'"), ("", "1:1: it is empty"),
        ("[]", "1:1: a list of 0 was found, a mapping was expected"), ("x", "1:1: x was found, a mapping was expected"),
        ("a: [", "not YAML"), ("a: b: c", "1:5: this is not YAML"), ("\tx", "not YAML"), ("a: \"x", "not YAML"),
        ("a: 1\n---\na: 2", "not YAML"), ("? [a]\n: b", "1:3: a field's name is one word"), ("\u{0}", "not YAML"),
        ("!!binary x: 1", "is missing"), ("a: *b", "not YAML"), ("%YAML 9.9\n---\na: b", "not YAML"),
    ])
    func notYAML(_ text: String, _ problem: String) {
        let found = problems(text)
        #expect(!found.isEmpty && found.contains { $0.contains(problem) }, "\(found)")
    }

    /// Truncation at every fifth byte and every seventh bit flipped: read or refused, and what is read is right.
    @Test(arguments: [smallPipeline, repositoryText("Models/brain-extraction/pipeline.yaml")])
    func damage(_ text: String) throws {
        let bytes = Array(text.utf8)
        var read = 0
        for length in stride(from: 0, to: bytes.count, by: 5) {
            if problems(String(decoding: bytes[..<length], as: UTF8.self)).isEmpty { read += 1 }
        }
        for bit in stride(from: 0, to: bytes.count * 8, by: 7) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            let text = String(decoding: damaged, as: UTF8.self)
            if let pipeline = try? Pipeline(yaml: text) {
                read += 1
                #expect(pipeline.problems().isEmpty)
                #expect(try Pipeline(yaml: pipeline.text()) == pipeline)
            }
        }
        #expect(read > 10 && read < bytes.count * 3)
    }

    /// A megabyte of problems takes seconds at most, and gives the first of them.
    @Test(arguments: [
        ("", "f#: 1\n", ""), ("labels:\n", "- {n: 1}\n", ""), ("labels: [1", ", [0]", "]"),
        ("results:\n  measures: [1", ", a#", "]"),
    ])
    func manyProblems(_ start: String, _ line: String, _ end: String) {
        let parts = line.split(separator: "#", omittingEmptySubsequences: false)
        let text = start + (0..<60_000).map { parts.joined(separator: "\($0)") }.joined() + end
        let time = ContinuousClock().measure { #expect((1...200).contains(problems(text).count)) }
        #expect(time < .seconds(60))
    }

    @Test func otherTools() throws {
        // The importers too refuse or read what is damaged.
        for name in ["nnunet-ct", "nnunet-mr"] {
            let plans = Array(repositoryText("Tests/Pipelines/\(name)/plans.json").utf8)
            let dataset = Array(repositoryText("Tests/Pipelines/\(name)/dataset.json").utf8)
            var numbers = SeededGenerator(seed: 3)
            var read = 0
            for _ in 0..<150 {
                var damaged = (plans, dataset)
                let place = numbers.below(plans.count)
                damaged.0[place] ^= 1 << UInt8(numbers.below(7))
                damaged.1[place % dataset.count] ^= 1 << UInt8(numbers.below(7))
                let trees = (
                    try? Tree(yaml: String(decoding: damaged.0, as: UTF8.self), path: "p"),
                    try? Tree(yaml: String(decoding: damaged.1, as: UTF8.self), path: "d")
                )
                guard let plans = trees.0, let dataset = trees.1 else { continue }
                let importer = NNUNetPlans(plans: plans, dataset: dataset, path: "p", folder: "x", configuration: "2d")
                if let pipeline = try? importer.pipeline() {
                    read += 1
                    #expect(pipeline.problems().isEmpty)
                }
            }
            #expect(read > 5)
        }
        let bundle = Array(MONAIBundleTests.spleen.utf8)
        var read = 0
        for bit in stride(from: 0, to: bundle.count * 8, by: 11) {
            var damaged = bundle
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            let text = String(decoding: damaged, as: UTF8.self)
            guard let tree = try? Tree(yaml: text, path: "b") else { continue }
            if let pipeline = try? MONAIBundle(inference: tree, metadata: nil, path: "b", name: "x").pipeline() {
                read += 1
                #expect(pipeline.problems().isEmpty)
            }
        }
        #expect(read > 10)
    }
}

/// Folders with pipelines.
struct PipelineFolderTests {
    private func problem(_ path: String) -> String {
        do {
            _ = try Pipeline(contentsOf: path)
            return "none"
        } catch { return "\(error)" }
    }

    @Test func folderAndFile() throws {
        let folder = TemporaryFolder()
        let file = folder.write(smallPipeline, to: "a/pipeline.yaml")
        #expect(problem(folder.path + "/a").hasPrefix("\(file):1:1: model: there is no file 'model.onnx'"))
        folder.write("x", to: "a/model.onnx")
        for path in [folder.path + "/a", folder.path + "/a/", file] {
            #expect(try Pipeline(contentsOf: path).model == folder.path + "/a/model.onnx")
        }
        #expect(problem(folder.path + "/b") == "\(folder.path)/b: there is no such file or folder: check the path")
        #expect(problem(folder.path).contains("no pipeline is in this folder: neither pipeline.yaml, nor plans.json"))
        folder.write([0xFF, 0xFE, 0xFF], to: "c/pipeline.yaml")
        #expect(problem(folder.path + "/c").hasSuffix("is not UTF-8 text: check the file"))
        folder.write([UInt8](repeating: 0x20, count: 1_000_001), to: "d/pipeline.yaml")
        #expect(problem(folder.path + "/d").contains("has 1000001 bytes, more than 1000000"))
        folder.write("{\"name\": 1,\n \"task\": \"none\"}", to: "e/pipeline.json")
        #expect(problem(folder.path + "/e").contains("/e/pipeline.json:2:10: task: 'none' was found"))
    }

    @Test func links() throws {
        let folder = TemporaryFolder()
        folder.write(smallPipeline, to: "a/pipeline.yaml")
        folder.write("x", to: "secret.onnx")
        #expect(symlink("../secret.onnx", folder.path + "/a/model.onnx") == 0)
        #expect(problem(folder.path + "/a").contains("model: 'model.onnx' is a symbolic link that leaves the folder"))
        unlink(folder.path + "/a/model.onnx")
        folder.write("x", to: "a/weights/v2.onnx")
        #expect(symlink("weights/v2.onnx", folder.path + "/a/model.onnx") == 0)
        #expect(problem(folder.path + "/a") == "none")
        #expect(mkfifo(folder.path + "/a/pipe.onnx", 0o600) == 0)
        folder.write(smallPipeline + "\nmodel: pipe.onnx", to: "a/pipeline.yaml")
        #expect(problem(folder.path + "/a").contains("25:8: model: 'pipe.onnx' is not a file"))
        // Another folder that begins with the same name is outside.
        folder.write("x", to: "ab/m.onnx")
        folder.write(smallPipeline + "\nmodel: other/m.onnx", to: "a/pipeline.yaml")
        #expect(symlink("../ab", folder.path + "/a/other") == 0)
        #expect(problem(folder.path + "/a").contains("is a symbolic link that leaves the folder"))
    }
}
