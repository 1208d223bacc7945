import Glibc
import SardonyxTestSupport
import Testing

/// `sardonyx apply` as a process: many studies, interruptions, budgets, memory.
@Suite(.serialized) struct ApplyTests {
    /// Five outputs of a 3×3×3 convolution of one input.
    private static let network = modelBytes(
        TestGraph(
            nodes: [
                TestNode("Conv", ["image", "w"], ["logits"], [("pads", .ints([1, 1, 1, 1, 1, 1]))])
            ], inputs: [TestValue("image", ["N", 1, "D", "H", "W"])],
            outputs: [TestValue("logits", ["N", 5, "D", "H", "W"])],
            initializers: [
                TestTensor("w", dims: [5, 1, 3, 3, 3], floats: (0..<135).map { Float(($0 * 37) % 11) / 10 - 0.5 })
            ]))

    private static let pipeline = """
        name: five
        task: segmentation
        model: model.onnx
        input:
          channels: [{name: image, intensity: [{scale: {from: [0, 1000], to: [0, 1]}}]}]
          axes: RAS
        tiling: {scheme: monai, size: [64, 64, 32], overlap: 0.25, weight: gaussian}
        output: {activation: softmax, decision: argmax}
        labels: [{value: 1, name: one}, {value: 2, name: two}, {value: 3, name: three}, {value: 4, name: four}]
        results: {image: labels.nii.gz, measures: measures.csv}
        """

    private func prepared() -> TemporaryFolder {
        let folder = TemporaryFolder()
        folder.write(Self.network, to: "five/model.onnx")
        folder.write(Array(Self.pipeline.utf8), to: "five/pipeline.yaml")
        return folder
    }

    /// A NIfTI file of int16 voxels of 1 mm, 0 but for a ramp in its first slices; the rest of the file is a hole.
    private func writeVolume(_ folder: TemporaryFolder, _ name: String, _ dims: [Int]) {
        var header = [UInt8](repeating: 0, count: 352)
        func put(_ value: UInt32, _ offset: Int, _ bytes: Int) {
            for byte in 0..<bytes { header[offset + byte] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(byte))) }
        }
        put(348, 0, 4)
        for (index, size) in ([3] + dims + [1, 1, 1, 1]).enumerated() { put(UInt32(size), 40 + 2 * index, 2) }
        put(4, 70, 2)
        put(16, 72, 2)
        for index in 0..<4 { put(Float(1).bitPattern, 76 + 4 * index, 4) }
        put(Float(352).bitPattern, 108, 4)
        put(1, 254, 2)
        for axis in 0..<3 { put(Float(1).bitPattern, 280 + 20 * axis, 4) }
        for (index, byte) in Array("n+1".utf8).enumerated() { header[344 + index] = byte }
        let ramp = (0..<dims[0] * dims[1] * min(3, dims[2])).flatMap { [UInt8($0 % 251), UInt8($0 / 251 % 4)] }
        folder.write(header + ramp, to: name)
        truncate(folder.path + "/" + name, 352 + 2 * dims.reduce(1, *))
    }

    /// What a run holds does not depend on how many slices there are.
    @Test func memoryDoesNotGrowWithSlices() throws {
        let folder = prepared()
        var peaks: [Double] = []
        for count in [200, 400, 800] {
            writeVolume(folder, "scan\(count).nii", [512, 512, count])
            let result = try sardonyx("apply", "five", "scan\(count).nii", "--output", "out", in: folder)
            #expect(result.status == 0, "\(result.errors)")
            let line = try #require(result.output.split(separator: "\n").first { $0.hasPrefix("peak memory") })
            peaks.append(try #require(Double(line.split(separator: " ")[2])))
        }
        #expect(peaks.max()! <= 1.05 * peaks.min()!, "\(peaks)")
    }

    /// What is there is not replaced unasked, and a study that is done is not run again.
    @Test func existingResults() throws {
        let folder = prepared()
        writeVolume(folder, "a.nii", [40, 36, 20])
        let first = try sardonyx("apply", "five", "a.nii", "--output", "out", in: folder)
        #expect(first.status == 0, "\(first.errors)")
        #expect(
            TemporaryFolder.names(in: folder.path + "/out/a") == ["labels.nii.gz", "measures.csv", "provenance.json"])
        let labels = fileBytes(folder.path + "/out/a/labels.nii.gz")
        #expect(labels.count > 300)
        let again = try sardonyx("apply", "five", "a.nii", "--output", "out", in: folder)
        #expect(again.status == 4)
        #expect(again.errors.contains("--resume"))
        let resumed = try sardonyx("apply", "five", "a.nii", "--output", "out", "--resume", in: folder)
        #expect(resumed.status == 0)
        #expect(resumed.output.contains("is done"))
        // The image has changed where it lies.
        writeVolume(folder, "a.nii", [40, 36, 22])
        let other = try sardonyx("apply", "five", "a.nii", "--output", "out", "--resume", in: folder)
        #expect(other.status == 0)
        #expect(!other.output.contains("is done"))
        #expect(fileBytes(folder.path + "/out/a/labels.nii.gz") != labels)
        let replaced = try sardonyx("apply", "five", "a.nii", "--output", "out", "--overwrite", in: folder)
        #expect(replaced.status == 0)
    }

    /// One bad study does not stop the others.
    @Test func manyStudies() throws {
        let folder = prepared()
        for name in ["a", "b", "d"] { writeVolume(folder, "scans/\(name).nii", [24, 20, 18]) }
        folder.write([1, 2, 3], to: "scans/c.nii")
        let result = try sardonyx("apply", "five", "scans", "--output", "out", in: folder)
        #expect(result.status == 4)
        #expect(result.output.contains("scans/c.nii"))
        #expect(result.errors.contains("1 of 4 studies failed"))
        #expect(TemporaryFolder.names(in: folder.path + "/out") == ["a", "b", "d"])
        for name in ["a", "b", "d"] {
            #expect(TemporaryFolder.names(in: folder.path + "/out/\(name)").contains("provenance.json"))
        }
    }

    /// A budget that is too small is refused, one that is enough is not.
    @Test func budget() throws {
        let folder = prepared()
        writeVolume(folder, "a.nii", [70, 66, 40])
        let refused = try sardonyx(
            "apply", "five", "a.nii", "--output", "out", "--memory-budget", "1MB", in: folder)
        #expect(refused.status == 3)
        #expect(refused.errors.contains("the budget is 1 MB"), "\(refused.errors)")
        #expect(!TemporaryFolder.names(in: folder.path).contains("out"))
        let done = try sardonyx(
            "apply", "five", "a.nii", "--output", "out", "--memory-budget", "200MB", in: folder)
        #expect(done.status == 0, "\(done.errors)")
    }

    /// The code is that of the studies' failures where they agree.
    @Test func exitCodes() throws {
        let folder = prepared()
        let misfit = Self.pipeline.replacing("image,", with: "a}, {name: b,")
        folder.write(Array(misfit.utf8), to: "five/misfit.yaml")
        for name in ["a", "b"] { writeVolume(folder, "scans/\(name).nii", [24, 20, 18]) }
        for name in ["a", "b"] {
            for channel in 0..<2 { writeVolume(folder, "two/\(name)_000\(channel).nii", [24, 20, 18]) }
        }
        let refused = try sardonyx("apply", "five/misfit.yaml", "two", "--output", "out", in: folder)
        #expect(refused.status == 3)
        #expect(refused.output.contains("five/model.onnx: the model takes 1 channels, the pipeline gives 2"))
        // What a script gives whose variable is empty is not the root of the file system.
        let nowhere = try sardonyx("apply", "five", "scans/a.nii", "--output", "", in: folder)
        #expect((nowhere.status, nowhere.errors.contains("--output is empty")) == (2, true))
        folder.write([1], to: "two/b_0000.nii")
        #expect(try sardonyx("apply", "five/misfit.yaml", "two", "--output", "out", in: folder).status == 4)
        #expect(!TemporaryFolder.names(in: folder.path).contains("out"))
    }

    /// A limit of file size, and a standard output that is full: a reason and a code, not a signal.
    @Test func limits() throws {
        let folder = prepared()
        writeVolume(folder, "a.nii", [40, 36, 20])
        func apply(_ script: String) throws -> CommandResult {
            try runBuilt(
                "sardonyx", ["apply", "five", "a.nii", "--output", "out"], in: folder,
                under: ["/bin/sh", "-c", script + " exec \"$0\" \"$@\""])
        }
        let large = try apply("ulimit -f 1;")
        #expect(large.status == 4)
        #expect(large.errors.contains("File too large"), "\(large.errors)")
        #expect(!TemporaryFolder.names(in: folder.path).contains("out"))
        let full = try apply("exec >/dev/full;")
        #expect(full.status == 4)
        #expect(full.errors.contains("standard output cannot be written: No space left"), "\(full.errors)")
    }

    /// A reference that nothing can be compared with is refused before anything runs; one study's is compared, whether
    /// it is run or was done before.
    @Test func reference() throws {
        let folder = prepared()
        writeVolume(folder, "scans/a.nii", [24, 20, 18])
        writeVolume(folder, "scans/b.nii", [24, 20, 18])
        let picture = Self.pipeline.replacing("image: labels.nii.gz, ", with: "picture: p.png, ")
        folder.write(Array(picture.utf8), to: "five/picture.yaml")
        func apply(_ pipeline: String, _ input: String, _ reference: String, _ more: String...) throws -> CommandResult
        {
            try sardonyx(
                ["apply", pipeline, input, "--output", "out", "--reference", reference] + more, in: folder)
        }
        let several = try apply("five", "scans", "scans/a.nii")
        #expect((several.status, several.errors.contains("--reference is for one study; there are 2")) == (2, true))
        let unlabelled = try apply("five/picture.yaml", "scans/a.nii", "scans/a.nii")
        #expect((unlabelled.status, unlabelled.errors.contains("--reference compares labels")) == (2, true))
        #expect(try apply("five", "scans/a.nii", "missing.nii").status == 4)
        #expect(!TemporaryFolder.names(in: folder.path).contains("out"))
        #expect(try sardonyx("apply", "five", "scans/a.nii", "--output", "out", in: folder).status == 0)
        let itself = try apply("five", "scans/a.nii", "out/a/../a/labels.nii.gz", "--overwrite")
        #expect((itself.status, itself.errors.contains("is where a result goes")) == (2, true))
        folder.write(fileBytes(folder.path + "/out/a/labels.nii.gz"), to: "truth.nii.gz")
        let done = try apply("five", "scans/a.nii", "truth.nii.gz", "--resume")
        #expect(done.output.contains("is done"))
        #expect(done.output.contains("Dice overlap  1.0000  four"), "\(done.output)")
    }
}
