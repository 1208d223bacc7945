/// Everything that Sardonyx throws.
public struct SardonyxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A stable name for the kind of error; its raw value never changes.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// A file cannot be opened, read or written.
        case file
        /// The bytes are not a well-formed ONNX model or tensor.
        case malformed
        /// The model is well-formed and breaks a rule of the standard.
        case invalidModel
        /// The model needs what this version cannot run.
        case unsupported
        /// An input is missing, extra, or of another type or shape than the model takes.
        case invalidInput
        /// A value met while running breaks a rule of an operator: an index out of bounds, a division by zero.
        case invalidValue
        /// The memory needed is more than the budget, or than the machine gives.
        case memory
        /// An option is out of its range.
        case invalidOption
        /// The run was cancelled.
        case cancelled
    }

    /// The kind of error.
    public var code: Code
    /// What is wrong, what was expected, and what to do.
    public var message: String
    /// The name of the node at fault, or of its first output when the model gives it no name.
    public var node: String?
    /// The operator's type, such as `Conv`.
    public var operatorType: String?
    /// The operator's domain; empty is ai.onnx.
    public var domain: String?
    /// The opset version that the model imports for the domain.
    public var opset: Int?
    /// The file at fault.
    public var file: String?

    /// An error; loading and running fill in the places that are not given.
    public init(
        _ code: Code, _ message: String, node: String? = nil, operatorType: String? = nil, domain: String? = nil,
        opset: Int? = nil, file: String? = nil
    ) {
        self.code = code
        self.message = message
        self.node = node
        self.operatorType = operatorType
        self.domain = domain
        self.opset = opset
        self.file = file
    }

    /// The message after the place: file, operator and node.
    public var description: String {
        var place = ""
        if let file { place += "\(file): " }
        if let operatorType {
            place += domain.map { $0.isEmpty ? "" : "\($0)." } ?? ""
            place += operatorType
            if let node, !node.isEmpty { place += " '\(node)'" }
            place += ": "
        } else if let node, !node.isEmpty {
            place += "'\(node)': "
        }
        return place + message
    }

    /// The same error, with the node's names where it had none.
    package func at(_ node: Node) -> SardonyxError {
        var error = self
        if error.operatorType == nil {
            error.node = node.displayName
            error.operatorType = node.operatorType
            error.domain = node.domain
            error.opset = node.opset
        }
        return error
    }

    package func inFile(_ path: String) -> SardonyxError {
        var error = self
        if error.file == nil { error.file = path }
        return error
    }
}
