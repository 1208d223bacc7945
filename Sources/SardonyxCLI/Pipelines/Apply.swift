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
            channels, NAME=FILE; NAME_0000, NAME_0001, … in a folder are the channels of one study.

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

    @Flag(help: "Leave studies alone whose results are there; run the others.")
    var resume = false

    @Flag(help: "Replace results that are there.")
    var overwrite = false

    @Option(help: ArgumentHelp("The most memory that a run may hold: 800MB, 2GB.", valueName: "bytes"))
    var memoryBudget: String?

    @Option(help: ArgumentHelp("Labels to compare with; prints the Dice overlap of each label.", valueName: "file"))
    var reference: String?

    @Option(help: ArgumentHelp("nnU-Net's configuration, where there are several: 3d_fullres.", valueName: "name"))
    var configuration: String?

    @Option(help: ArgumentHelp("Threads to run on; all CPUs by default.", valueName: "n"))
    var threads: Int?

    @OptionGroup var kernels: KernelOptions

    func validate() throws {
        if resume && overwrite { throw ValidationError("--resume and --overwrite exclude each other") }
        if let memoryBudget, ByteSize.parse(memoryBudget) == nil {
            throw ValidationError("--memory-budget '\(memoryBudget)': expected bytes, or a number with kB, MB or GB")
        }
        if inputs.isEmpty { throw ValidationError("no input") }
    }

    func run() throws {
        let began = Process.now
        let pipeline = try Pipeline(contentsOf: pipeline, configuration: configuration)
        let studies = try Study.list(inputs, channels: pipeline.input.channels.map(\.name))
        if reference != nil, studies.count > 1 {
            throw CommandFailure(.badInput, "--reference is for one study; there are \(studies.count)")
        }
        var options = PipelineRunner.Options()
        options.session = Session.Options(threads: threads)
        kernels.apply(to: &options.session)
        options.memoryBudget = memoryBudget.flatMap(ByteSize.parse)
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

    private func print(_ reports: [StudyReport], _ pipeline: Pipeline, seconds: Double) throws {
        let failed = reports.filter { $0.failure != nil }
        if reports.count == 1, let report = reports.first {
            try printStudy(report, pipeline)
        } else {
            Terminal.print(StudyTable(reports, pipeline).text)
        }
        Terminal.print("time          \(fixed(seconds, 2)) s")
        Terminal.print("peak memory   \(fixed(Process.peakResidentBytes / 1e6, 0)) MB")
        guard failed.isEmpty else {
            throw CommandFailure(.badInput, "\(failed.count) of \(reports.count) studies failed")
        }
    }

    private func printStudy(_ report: StudyReport, _ pipeline: Pipeline) throws {
        if report.wasDone {
            Terminal.print("'\(report.study.name)' is done; its results were left alone")
            return
        }
        for line in StudyTable.findings(report, pipeline) { Terminal.print(line) }
        if let reference {
            for (name, overlap) in try report.dice(with: reference, pipeline) {
                Terminal.print("Dice overlap  \(fixed(overlap, 4))\(pipeline.labels.count > 1 ? "  \(name)" : "")")
            }
        }
        for file in report.files { Terminal.print("written       \(file)") }
        Terminal.print("expected      \(fixed(Double(report.expectedMemory) / 1e6, 0)) MB for the run")
        let parts = report.times.map { "\($0.part) \(fixed($0.seconds, 2))" }
        Terminal.print("seconds       \(parts.joined(separator: ", "))")
    }
}

/// "800MB", "2GB", "4096".
enum ByteSize {
    static func parse(_ text: String) -> Int? {
        let units: [(String, Double)] = [("kb", 1e3), ("mb", 1e6), ("gb", 1e9), ("tb", 1e12), ("b", 1), ("", 1)]
        let lower = text.lowercased()
        for (unit, factor) in units where lower.hasSuffix(unit) {
            guard let number = Double(lower.dropLast(unit.count)), number >= 0, number * factor < 9e18 else {
                return nil
            }
            return Int(number * factor)
        }
        return nil
    }
}
