import ArgumentParser
import Glibc
import Sardonyx

/// A child process of `verify`: reads folders from standard input, a line each, and answers each with a line. A fault of
/// ours that ends the process then costs one case and not the whole verification.
struct VerifyWorker: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "verify-worker", shouldDisplay: false)

    @Option var threads: Int?
    @Flag var unoptimized = false
    @OptionGroup var exactness: PrecisionOption

    func run() throws {
        var options = Session.Options(threads: threads)
        options.optimizes = !unoptimized
        options.precision = exactness.precision
        while let folder = readLine() {
            let result = VerifyCase(folder: folder, name: folder).run(options)
            Terminal.print(result.line)
        }
    }
}

extension VerifyCase.Result {
    /// The result as one line without line breaks.
    var line: String {
        JSON.array([.string(outcome.rawValue), .number(maximumError), .number(milliseconds), .string(message)]).text
    }

    init?(line: String) {
        guard case .array(let values)? = JSON(parsing: line), values.count == 4, case .string(let name) = values[0],
            let outcome = VerifyCase.Outcome(rawValue: name), case .string(let message) = values[3]
        else { return nil }
        self.init(
            outcome: outcome, maximumError: values[1].number ?? 0, message: message,
            milliseconds: values[2].number ?? 0)
    }
}

/// The parent's end of a worker.
final class WorkerProcess {
    private var process: pid_t = 0
    private var toChild: Int32 = -1
    private(set) var fromChild: Int32 = -1
    private var received: [UInt8] = []
    private let options: Session.Options

    init(_ options: Session.Options) { self.options = options }

    deinit { stop() }

    /// Hands a case over; starts the process when there is none.
    func send(_ folder: String) throws {
        if process == 0 { try start() }
        let line = Array((folder + "\n").utf8)
        var done = 0
        while done < line.count {
            let count = line[done...].withUnsafeBytes { write(toChild, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            // The child has died; reading tells.
            if count < 0 { break }
            done += count
        }
    }

    /// Takes what the child has written.
    /// - Returns: the answer when it is complete; nil when more is to come.
    func receive() -> VerifyCase.Result? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(fromChild, &buffer, buffer.count)
        if count < 0 && errno == EINTR { return nil }
        guard count > 0 else { return VerifyCase.Result(outcome: .error, maximumError: 0, message: death()) }
        received += buffer[..<count]
        guard let end = received.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let line = String(decoding: received[..<end], as: UTF8.self)
        received.removeSubrange(...end)
        return VerifyCase.Result(line: line)
            ?? VerifyCase.Result(outcome: .error, maximumError: 0, message: "the worker answered '\(line)'")
    }

    private func start() throws {
        var input: [Int32] = [0, 0]
        var output: [Int32] = [0, 0]
        guard pipe(&input) == 0, pipe(&output) == 0 else {
            throw CommandFailure(.badInput, "no pipe to a worker: \(String(cString: strerror(errno)))")
        }
        // A worker that held another's pipe open would hide that one's death.
        for descriptor in input + output { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO)
        // A crash's long report would bury the results.
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        let words =
            [
                "sardonyx", "verify-worker", "--threads", "\(options.threads.number)", "--precision",
                options.precision.rawValue,
            ]
            + (options.optimizes ? [] : ["--unoptimized"])
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var status = posix_spawn(&process, "/proc/self/exe", &actions, nil, &arguments, environ)
        if status != 0 { status = posix_spawnp(&process, CommandLine.arguments[0], &actions, nil, &arguments, environ) }
        close(input[0])
        close(output[1])
        guard status == 0 else {
            process = 0
            throw CommandFailure(.badInput, "no worker could be started: \(String(cString: strerror(status)))")
        }
        toChild = input[1]
        fromChild = output[0]
        received = []
    }

    /// What the dead child died of.
    private func death() -> String {
        let status = stop()
        let signal = status & 0x7F
        if signal == 0 { return "the process ended with exit code \(status >> 8 & 0xFF)" }
        return "crashed: \(String(cString: strsignal(signal))); for the report run "
            + "SWIFT_BACKTRACE=enable=yes sardonyx verify --in-process on this case"
    }

    @discardableResult
    func stop() -> Int32 {
        guard process != 0 else { return 0 }
        close(toChild)
        close(fromChild)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        process = 0
        return status
    }
}
