/// Why a pipeline cannot run: it and the model, or the images, do not fit together.
public struct PipelineFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure; names are stable between versions.
    public enum Code: String, Sendable, CaseIterable {
        /// The model has not the inputs or outputs that the pipeline names, or their shapes do not fit it.
        case badModel
        /// The number of images, channels or dimensions is not what the pipeline takes.
        case badInput
        /// Results cannot be written, or are there already.
        case cannotWrite
        /// The run would take more memory than the budget.
        case overBudget
    }

    /// The kind of failure.
    public let code: Code
    /// The model or the image that it is about, as the caller named it; empty where the message says that.
    public let path: String
    /// What was expected, what was found, what to do.
    public let message: String

    init(_ code: Code, path: String = "", _ message: String) {
        self.code = code
        self.path = path
        self.message = message
    }

    /// "path: message".
    public var description: String { path.isEmpty ? message : "\(path): \(message)" }

    /// The same failure about a file; what names one already stays.
    func at(_ path: String) -> PipelineFailure {
        let isKnown = !self.path.isEmpty || code == .badInput || code == .cannotWrite
        return isKnown ? self : PipelineFailure(code, path: path, message)
    }
}
