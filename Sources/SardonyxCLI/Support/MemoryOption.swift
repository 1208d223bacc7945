import ArgumentParser
import Sardonyx

/// How much memory a command may hold.
struct MemoryOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Refuse to hold more than this much memory besides the program's own 40 MB: 800000000, 800MB or 2GB, of \
            1,048,576 bytes a MB.
            """,
            valueName: "bytes"))
    var memoryBudget: MemoryBudget = .unlimited
}

extension MemoryBudget: ExpressibleByArgument {
    /// A number of bytes, or of KB, MB or GB of 1,024, 1,024² or 1,024³ bytes.
    public init?(argument: String) {
        let units = ["KB": 10, "MB": 20, "GB": 30]
        let shift = units[String(argument.suffix(2)).uppercased()]
        guard let count = Int(shift == nil ? argument : String(argument.dropLast(2))), count >= 0 else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: 1 << (shift ?? 0))
        if overflow { return nil }
        self = .bytes(bytes)
    }

    /// As help texts show it.
    public var defaultValueDescription: String { byteCount.map { "\($0)" } ?? "unlimited" }
}
