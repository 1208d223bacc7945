import ArgumentParser
import Glibc
import Sardonyx
import SardonyxImaging
import SardonyxPipelines

/// The command's root: subcommands, and what becomes of errors.
@main
struct SardonyxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sardonyx",
        abstract: "Runs ONNX models, natively and without Python.",
        discussion: """
            From a scan to a result, with a pipeline's folder:
              sardonyx apply Models/brain-extraction head.nii.gz --output out
            A first look at a model, one run of it, and its speed:
              sardonyx inspect unet.onnx
              sardonyx run unet.onnx --input image=scan.npy --output-dir out
              sardonyx bench unet.onnx --profile

            Exit codes: 0 done, 1 a verification failed, 2 bad usage, 3 a model or pipeline that is bad, unsupported or over \
            the memory budget, 4 bad input, or output that cannot be written; 70 anything else.
            """,
        version: Version.text,
        subcommands: [
            Apply.self, PipelineCommand.self, View.self, Convert.self, Inspect.self, Run.self, Verify.self, Bench.self,
            VerifyWorker.self,
        ])

    static func main() {
        // A reader that has gone away (`sardonyx … | head`) shows as a failed write, not as a signal.
        signal(SIGPIPE, SIG_IGN)
        // So does a file that grows beyond `ulimit -f`.
        signal(SIGXFSZ, SIG_IGN)
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            if let status = ExitStatus(error) {
                let message = "\(error)"
                if !message.isEmpty { Terminal.error(message) }
                Glibc.exit(status.rawValue)
            }
            let (code, message) = (exitCode(for: error), fullMessage(for: error))
            if code == .success {
                Terminal.print(message)
                Glibc.exit(0)
            }
            Terminal.write(message + "\n")
            Glibc.exit((code == .validationFailure ? ExitStatus.badUsage : .other).rawValue)
        }
    }
}

/// What the process tells its caller.
enum ExitStatus: Int32 {
    case verificationFailed = 1
    case badUsage = 2
    case badModel = 3
    case badInput = 4
    case other = 70

    /// The code for an error of the library's or of a command's; `nil` for others, such as the argument parser's.
    init?(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure.code
        case let error as SardonyxError:
            switch error.code {
            case .invalidOption: self = .badUsage
            case .invalidInput, .invalidValue: self = .badInput
            case .file, .malformed, .invalidModel, .unsupported, .memory, .cancelled: self = .badModel
            }
        case let failure as PipelineFailure:
            switch failure.code {
            case .badModel, .overBudget: self = .badModel
            case .badInput, .cannotWrite: self = .badInput
            }
        case is PipelineError: self = .badModel
        case is ImagingError: self = .badInput
        default: return nil
        }
    }
}

/// An error with its exit code. An empty message means that everything has been said.
struct CommandFailure: Error, CustomStringConvertible {
    let code: ExitStatus
    let message: String
    var description: String { message }

    init(_ code: ExitStatus, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// Gives errors of reading inputs and writing outputs the code for bad input.
func asInput<R>(_ body: () throws -> R) throws -> R {
    do {
        return try body()
    } catch let error as SardonyxError {
        throw CommandFailure(.badInput, "\(error)")
    }
}
