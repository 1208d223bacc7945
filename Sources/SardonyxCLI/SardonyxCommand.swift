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

            Exit codes: 0 done, 1 a verification failed, 2 bad usage, 3 bad or unsupported model, 4 bad input.
            """,
        version: Version.text,
        subcommands: [
            Apply.self, PipelineCommand.self, View.self, Convert.self, Inspect.self, Run.self, Verify.self, Bench.self,
            VerifyWorker.self,
        ])

    static func main() {
        // A reader that has gone away (`sardonyx … | head`) shows as a failed write, not as a signal.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as CommandFailure {
            if !failure.message.isEmpty { Terminal.error(failure.message) }
            Glibc.exit(failure.code.rawValue)
        } catch let error as SardonyxError {
            Terminal.error("\(error)")
            Glibc.exit(ExitStatus(error.code).rawValue)
        } catch let error as ImagingError {
            Terminal.error("\(error)")
            Glibc.exit(ExitStatus.badInput.rawValue)
        } catch let error as PipelineError {
            Terminal.error("\(error)")
            Glibc.exit(ExitStatus.badModel.rawValue)
        } catch let error as PipelineFailure {
            Terminal.error("\(error)")
            Glibc.exit((error.code == .badModel ? ExitStatus.badModel : .badInput).rawValue)
        } catch {
            let status = exitCode(for: error)
            let message = fullMessage(for: error)
            if status == .success {
                Terminal.print(message)
                Glibc.exit(0)
            }
            Terminal.write(message + "\n")
            Glibc.exit(status == .validationFailure ? ExitStatus.badUsage.rawValue : status.rawValue)
        }
    }
}

/// What the process tells its caller.
enum ExitStatus: Int32 {
    case verificationFailed = 1
    case badUsage = 2
    case badModel = 3
    case badInput = 4

    init(_ code: SardonyxError.Code) {
        switch code {
        case .invalidOption: self = .badUsage
        case .invalidInput, .invalidValue: self = .badInput
        case .file, .malformed, .invalidModel, .unsupported, .memory, .cancelled: self = .badModel
        }
    }
}

/// An error with its exit code. An empty message means that everything has been said.
struct CommandFailure: Error {
    let code: ExitStatus
    let message: String

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
