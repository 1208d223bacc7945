import ArgumentParser
import Sardonyx

/// `sardonyx run`: one run from files to files.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs a model once, from files to files.",
        discussion: """
            Inputs are .npy files (numpy.save) or .pb files (ONNX TensorProto, SequenceProto or OptionalProto, as the \
            model's input asks). Every output is written to DIR/<output>.npy, or to DIR/<output>.pb where numpy has no \
            such type; a '/' in an output's name becomes '_'.

            Example:
              sardonyx run unet.onnx --input image=scan.npy --output-dir out

            `sardonyx inspect unet.onnx` lists the names and shapes that a model takes.
            """)

    @Argument(help: ArgumentHelp("The ONNX file.", valueName: "model"))
    var model: String

    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp("An input's name and the file with its value. Once an input.", valueName: "name=file"))
    var input: [String] = []

    @Option(help: ArgumentHelp("The folder for the outputs; made when it is missing.", valueName: "dir"))
    var outputDir: String

    @Option(help: ArgumentHelp("Threads to run on; all CPUs by default.", valueName: "n"))
    var threads: Int?

    @OptionGroup var memory: MemoryOption

    @OptionGroup var kernels: KernelOptions

    @Option(help: ArgumentHelp("End the run when its loops go on after so many iterations in all.", valueName: "n"))
    var loopLimit: Int?

    func validate() throws {
        if let loopLimit, loopLimit < 0 { throw ValidationError("--loop-limit must be 0 or more") }
    }

    func run() throws {
        var options = Session.Options(threads: threads, memoryBudget: memory.memoryBudget)
        kernels.apply(to: &options)
        if let loopLimit { options.loopLimit = loopLimit }
        let model = try Model(contentsOf: model)
        let inputs = try model.readInputs(input)
        let session = try Session(model, options: options)
        let outputs = try session.runValues(inputs)
        try Files.writeOutputs(
            model.outputs.names.compactMap { name in outputs[name].map { (name, $0) } }, to: outputDir)
    }
}

extension Session.Options {
    /// Options with this number of threads, or all CPUs.
    init(threads count: Int?, memoryBudget: MemoryBudget = .unlimited) {
        self.init()
        if let count { threads = .count(count) }
        self.memoryBudget = memoryBudget
    }
}
