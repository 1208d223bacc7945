import ArgumentParser
import Sardonyx
import SardonyxImaging
import SardonyxPipelines

/// `sardonyx apply`: from scans to results.
struct Apply: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs a pipeline on a study, or on a folder of them.",
        discussion: """
            A pipeline is a folder with model.onnx and pipeline.yaml (Docs/Pipelines.md), with nnU-Net's plans.json and \
            dataset.json, or a MONAI bundle. Each INPUT is an image, a folder of images or, for pipelines of several \
            channels, NAME=FILE; NAME_0000, NAME_0001, … in a folder are the channels of one study, as are images named \
            for the channels in a folder of their own within it.

            Results go to DIR/<study>/, each in one piece, with a provenance.json. A study that fails does not stop the \
            others.

            Examples:
              sardonyx apply Models/brain-extraction head.nii.gz --output out
              sardonyx apply tumour T1=t1.nii.gz FLAIR=flair.nii.gz --output out --memory-budget 2GB
              sardonyx apply liver scans/ --output out --resume
            """)

    @Argument(help: ArgumentHelp("The pipeline's folder or file.", valueName: "pipeline"))
    var pipeline: String

    @Argument(help: ArgumentHelp("Images, folders of images, or NAME=FILE for each channel.", valueName: "input"))
    var inputs: [String]

    @Option(help: ArgumentHelp("The folder for results; made when it is missing.", valueName: "dir"))
    var output: String

    @Flag(
        help: """
            Leave studies alone whose results are there, by the same pipeline, model and images; run the others.
            """)
    var resume = false

    @Flag(help: "Replace results that are there.")
    var overwrite = false

    @OptionGroup var memory: MemoryOption

    @Option(help: ArgumentHelp("Labels to compare with; prints the Dice overlap of each label.", valueName: "file"))
    var reference: String?

    @Option(help: ArgumentHelp("nnU-Net's configuration, where there are several: 3d_fullres.", valueName: "name"))
    var configuration: String?

    @Option(help: ArgumentHelp("Threads to run on; all CPUs by default.", valueName: "n"))
    var threads: Int?

    @OptionGroup var kernels: KernelOptions

    func validate() throws {
        if resume && overwrite { throw ValidationError("--resume and --overwrite exclude each other") }
        if inputs.isEmpty { throw ValidationError("no input") }
        if output.isEmpty { throw ValidationError("--output is empty: name a folder, or . for this one") }
    }

    func run() throws {
        let began = Process.now
        let pipeline = try Pipeline(contentsOf: pipeline, configuration: configuration)
        let studies = try Study.list(inputs, channels: pipeline.input.channels.map(\.name))
        if let reference { try check(reference, pipeline, studies) }
        var options = PipelineRunner.Options()
        options.session = Session.Options(threads: threads)
        kernels.apply(to: &options.session)
        options.memoryBudget = memory.memoryBudget.byteCount
        options.existing = overwrite ? .overwrite : resume ? .resume : .refuse
        let runner = try PipelineRunner(pipeline, options: options)
        var bar = StudyBar(studies.count)
        defer { bar.end() }
        let reports: [StudyReport]
        if studies.count == 1 {
            reports = [try runner.run(studies[0], into: output) { bar.show(0, studies[0].name, $1, $2) }]
        } else {
            reports = runner.run(studies, into: output) { bar.show($0, studies[$0].name, $1, $2) }
        }
        bar.end()
        try print(reports, pipeline, seconds: Double(Process.now - began) / 1e9)
    }

    /// - Throws: for a reference that nothing can be compared with, before anything runs.
    private func check(_ reference: String, _ pipeline: Pipeline, _ studies: [Study]) throws {
        guard studies.count == 1 else {
            throw CommandFailure(.badUsage, "--reference is for one study; there are \(studies.count)")
        }
        guard pipeline.labelImage != nil else {
            throw CommandFailure(
                .badUsage,
                "--reference compares labels, and \(self.pipeline) writes none as a volume: add 'image: labels.nii.gz' to "
                    + "results")
        }
        let results = pipeline.results.map { "\(output)/\(studies[0].name)/\($0.file)" }
        if let file = FileIdentity(reference), results.contains(where: { FileIdentity($0) == file }) {
            throw CommandFailure(
                .badUsage, "--reference \(reference) is where a result goes: name another --output, or keep a copy")
        }
        // Not a volume of several: only the first is compared.
        let file = try VolumeFile(contentsOf: reference)
        guard file.frames == 1 else {
            throw CommandFailure(
                .badUsage, "--reference is one volume of labels; \(reference) holds \(file.frames)")
        }
    }

    private func print(_ reports: [StudyReport], _ pipeline: Pipeline, seconds: Double) throws {
        let failures = reports.compactMap(\.failure)
        if reports.count == 1, let report = reports.first {
            try printStudy(report, pipeline)
        } else {
            Terminal.print(StudyTable(reports, pipeline).text)
        }
        Terminal.print("time          \(fixed(seconds, 2)) s")
        Terminal.print("peak memory   \(fixed(Process.peakResidentMegabytes, 1)) MB")
        if !failures.isEmpty {
            let statuses = Set(failures.map { ExitStatus($0) ?? .other })
            throw CommandFailure(
                statuses.count == 1 ? statuses.first ?? .other : .badInput,
                "\(failures.count) of \(reports.count) studies failed")
        }
    }

    private func printStudy(_ report: StudyReport, _ pipeline: Pipeline) throws {
        if report.wasDone {
            Terminal.print("'\(report.study.name)' is done; its results were left alone")
        } else {
            for line in StudyTable.findings(report, pipeline) { Terminal.print(line) }
        }
        if let reference {
            for (name, overlap) in try report.dice(with: reference, pipeline) {
                Terminal.print("Dice overlap  \(fixed(overlap, 4))\(pipeline.labels.count > 1 ? "  \(name)" : "")")
            }
        }
        if report.wasDone { return }
        for file in report.files { Terminal.print("written       \(file)") }
        Terminal.print("expected      \(Megabytes.text(report.expectedMemory)) for the run")
        let parts = report.times.map { "\($0.part) \(fixed($0.seconds, 2))" }
        Terminal.print("seconds       \(parts.joined(separator: ", "))")
    }
}
