import ArgumentParser
import Glibc
import Sardonyx

/// `sardonyx verify`: models against their expected outputs.
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares models' outputs with expected ones.",
        discussion: """
            A case is a folder with model.onnx and test_data_set_0/input_0.pb, output_0.pb …, the layout of ONNX's own \
            test data. PATH is such a folder or a tree of them. Types and shapes must be the same, and values \
            |a − b| ≤ atol + rtol · |b|, with rtol and atol from tolerance.json beside the model, or 1e-3 and 1e-7.

            Prints a line a case and "N passed, N failed" at the end. The exit code is 1 unless all pass.

            Examples:
              sardonyx verify Models/resnet50
              sardonyx verify cases --filter conv --junit report.xml
            """)

    @Argument(help: ArgumentHelp("A case's folder, or a folder with cases below it.", valueName: "path"))
    var paths: [String]

    @Option(help: ArgumentHelp("Write the results as JSON.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write the results as JUnit XML.", valueName: "file"))
    var junit: String?

    @Option(help: ArgumentHelp("CPUs to use: cases at a time, or threads for a single case.", valueName: "n"))
    var threads: Int?

    @Option(help: ArgumentHelp("Run only the cases whose name has this in it.", valueName: "text"))
    var filter: String?

    @Flag(help: "Run the cases one by one in this process, for debuggers and profilers.")
    var inProcess = false

    @Flag(help: "Run every node as the model has it: no passes, plain tensors.")
    var unoptimized = false

    @OptionGroup var exactness: PrecisionOption

    @Flag(help: "Print only the cases that do not pass.")
    var quiet = false

    func validate() throws {
        if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be from 1 to 1024") }
    }

    func run() throws {
        let cases = try paths.flatMap(VerifyCase.find).filter { filter == nil || $0.name.contains(filter ?? "") }
        if cases.isEmpty {
            let what = filter.map { " whose name has '\($0)' in it" } ?? ""
            throw CommandFailure(.badInput, "there is no model.onnx\(what) under \(paths.joined(separator: ", "))")
        }
        let count = threads ?? Session.Options.Threads.available.number
        var results: [VerifyCase.Result?] = Array(repeating: nil, count: cases.count)
        var printed = 0
        var failed = 0
        func record(_ result: VerifyCase.Result, _ index: Int) {
            results[index] = result
            if result.outcome != .pass { failed += 1 }
            Terminal.endProgress()
            while printed < cases.count, let next = results[printed] {
                if !quiet || next.outcome != .pass { Terminal.print(Self.line(cases[printed], next)) }
                printed += 1
            }
            if printed < cases.count {
                Terminal.progress("\(printed) of \(cases.count), \(failed) failed: \(cases[printed].name)")
            }
        }
        if inProcess {
            for (index, item) in cases.enumerated() { record(item.run(options(threads: count)), index) }
        } else {
            try runInWorkers(cases, count, record)
        }
        let complete = zip(cases, results).compactMap { item, result in result.map { (item, $0) } }
        if let json { try Files.write(VerifyReport.json(complete).prettyText + "\n", to: json) }
        if let junit { try Files.write(VerifyReport.junit(complete), to: junit) }
        Terminal.print("\(cases.count - failed) passed, \(failed) failed")
        if failed > 0 { throw CommandFailure(.verificationFailed, "") }
    }

    private func options(threads: Int) -> Session.Options {
        var options = Session.Options(threads: threads)
        options.optimizes = !unoptimized
        options.precision = exactness.precision
        return options
    }

    /// Gives cases to worker processes, the next one to whichever is free.
    private func runInWorkers(
        _ cases: [VerifyCase], _ count: Int, _ record: (VerifyCase.Result, Int) -> Void
    ) throws {
        let options = options(threads: cases.count == 1 ? count : 1)
        let workers = (0..<min(count, cases.count)).map { _ in WorkerProcess(options) }
        var busy = [Int?](repeating: nil, count: workers.count)
        var next = 0
        while true {
            for index in workers.indices where busy[index] == nil && next < cases.count {
                try workers[index].send(cases[next].folder)
                busy[index] = next
                next += 1
            }
            let waiting = workers.indices.filter { busy[$0] != nil }
            if waiting.isEmpty { break }
            var descriptors = waiting.map { pollfd(fd: workers[$0].fromChild, events: Int16(POLLIN), revents: 0) }
            if poll(&descriptors, nfds_t(descriptors.count), -1) < 0 { continue }
            for (place, worker) in waiting.enumerated() where descriptors[place].revents != 0 {
                guard let item = busy[worker], let result = workers[worker].receive() else { continue }
                busy[worker] = nil
                record(result, item)
            }
        }
    }

    private static func line(_ item: VerifyCase, _ result: VerifyCase.Result) -> String {
        switch result.outcome {
        case .pass: "pass   \(item.name)"
        case .fail: "fail   \(item.name): max error \(significant(result.maximumError)): \(result.message)"
        case .error:
            "error  \(item.name): \(result.message.split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: "; "))"
        }
    }
}
