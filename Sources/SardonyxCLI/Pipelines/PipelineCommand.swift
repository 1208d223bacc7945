import ArgumentParser
import Sardonyx
import SardonyxImaging
import SardonyxPipelines

/// `sardonyx pipeline`: what has to do with pipelines themselves.
struct PipelineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipeline", abstract: "Makes and checks pipelines.", subcommands: [New.self, Check.self])

    /// `sardonyx pipeline new`: a first pipeline for a model.
    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes a commented first pipeline for a model.",
            discussion: """
                Guesses from the model's inputs and outputs what it is for, and says in comments what was guessed. \
                Without --output the text goes to standard output. Every field is described in Docs/Pipelines.md.

                Example:
                  sardonyx pipeline new unet.onnx --output unet
                """)

        @Argument(help: ArgumentHelp("The model.", valueName: "model"))
        var model: String

        @Option(help: ArgumentHelp("The folder for pipeline.yaml; made when it is missing.", valueName: "dir"))
        var output: String?

        @Option(
            help: ArgumentHelp("What people call the pipeline; the model's file name by default.", valueName: "name"))
        var name: String?

        @Flag(help: "Replace a pipeline.yaml that is there.")
        var overwrite = false

        func run() throws {
            let file = model.split(separator: "/").last.map(String.init) ?? model
            let stem = file.hasSuffix(".onnx") ? String(file.dropLast(5)) : file
            let draft = try Pipeline.draft(
                of: ModelDescription(Model(contentsOf: model)), name: name ?? stem, file: file)
            let text = draft.pipeline.text(notes: draft.notes)
            guard let output else { return Terminal.print(text) }
            let path = Files.join(output, "pipeline.yaml")
            if Files.exists(path), !overwrite {
                throw CommandFailure(.badInput, "\(path) is there already: --overwrite replaces it")
            }
            try makeFolder(output)
            try Files.write(text, to: path)
            Terminal.print("written       \(path)")
            if !Files.exists(Files.join(output, file)) { Terminal.print("next          put \(file) beside it") }
        }
    }

    /// `sardonyx pipeline check`: all that is wrong with a pipeline.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says what a pipeline does, or all that is wrong with it.",
            discussion: """
                Reads pipeline.yaml, nnU-Net's plans or a MONAI bundle and prints the pipeline that they mean.

                Example:
                  sardonyx pipeline check nnUNetTrainer__nnUNetPlans__3d_fullres
                """)

        @Argument(help: ArgumentHelp("The pipeline's folder or file.", valueName: "pipeline"))
        var pipeline: String

        @Option(help: ArgumentHelp("nnU-Net's configuration, where there are several.", valueName: "name"))
        var configuration: String?

        func run() throws {
            Terminal.print(try Pipeline(contentsOf: pipeline, configuration: configuration).text(comments: true))
        }
    }
}
