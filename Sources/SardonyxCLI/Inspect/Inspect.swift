import ArgumentParser
import Sardonyx

/// `sardonyx inspect`: what a model is and what it takes to run it.
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what a model takes, gives, and needs.",
        discussion: """
            Prints inputs, outputs, opsets, operators with their counts, parameters, and for given shapes the \
            multiply-adds (MACs) and the peak memory of a run. A model that cannot run is answered with everything in \
            it that is unsupported, and exit code 3.

            Examples:
              sardonyx inspect unet.onnx
              sardonyx inspect unet.onnx --shape image=1,1,512,512 --explain
            """)

    @Argument(help: ArgumentHelp("The ONNX file.", valueName: "model"))
    var model: String

    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp("A shape for an input; dimensions left open are 1 otherwise.", valueName: "name=shape"))
    var shape: [String] = []

    @OptionGroup var exactness: PrecisionOption

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "List what each rewrite did, and would not do and why.")
    var explain = false

    func run() throws {
        let report = try InspectReport(path: model, shapes: shape, explains: explain, precision: exactness.precision)
        Terminal.print(json ? report.json.prettyText : report.text)
        // What can be said of the model has been said; it cannot run all the same.
        if case .unsupported(let error) = report.state { throw CommandFailure(.badModel, "\(error)") }
    }
}
