import ArgumentParser
import Sardonyx

/// How exact kernels are.
struct PrecisionOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "'strict' leaves out what rounds otherwise than the model's operators: Winograd's convolution and rewrites.",
            valueName: "precision"))
    var precision: Session.Options.Precision = .standard
}

/// How kernels are chosen.
struct KernelOptions: ParsableArguments {
    @OptionGroup var exactness: PrecisionOption

    @Option(
        help: ArgumentHelp(
            "Choose convolutions' algorithms by measured times, which this file keeps: measured where it has none yet.",
            valueName: "file"))
    var autotune: String?

    func apply(to options: inout Session.Options) {
        options.precision = exactness.precision
        options.autotune = autotune
    }
}

extension Session.Options.Precision: ExpressibleByArgument {}
