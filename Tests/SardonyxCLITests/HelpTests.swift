import ArgumentParser
import SardonyxTestSupport
import Testing

@testable import SardonyxCLI

/// What people read first. With SARDONYX_RECORD=1 in the environment the files are written anew: look at the difference.
@Suite struct HelpTests {
    static let commands: [(String, any ParsableCommand.Type)] = [
        ("sardonyx", SardonyxCommand.self), ("inspect", Inspect.self), ("run", Run.self), ("verify", Verify.self),
        ("bench", Bench.self), ("apply", Apply.self), ("pipeline-new", PipelineCommand.New.self),
        ("pipeline-check", PipelineCommand.Check.self), ("view", View.self), ("convert", Convert.self),
    ]

    @Test(arguments: commands.map(\.0))
    func isAsRecorded(name: String) throws {
        let command = try #require(Self.commands.first { $0.0 == name }?.1)
        let help = SardonyxCommand.helpMessage(for: command, columns: 100) + "\n"
        let lines = help.split(separator: "\n", omittingEmptySubsequences: false)
        let text = lines.map { String($0.reversed().drop { $0 == " " }.reversed()) }.joined(separator: "\n")
        expectSnapshot(text, "help/\(name).txt")
    }
}
