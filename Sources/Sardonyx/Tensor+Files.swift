import SardonyxGraph
import SardonyxLoading

extension Tensor {
    /// Reads a tensor from a file: numpy's form when the name ends in `.npy`, otherwise an ONNX TensorProto (`.pb`).
    /// - Throws: `SardonyxError`: `file` when it cannot be read, `malformed` when it is broken, `unsupported` when it holds
    ///   a type that ONNX does not have.
    public init(contentsOf path: String) throws {
        if path.hasSuffix(".npy") {
            self = try NumPyFile.read(path)
            return
        }
        guard case .tensor(let tensor) = try ProtobufFile.read(path) else {
            throw SardonyxError(.malformed, "the file holds no tensor", file: path)
        }
        self = tensor
    }

    /// Whether a `.npy` file can hold the tensor; strings, bfloat16, float8 and types narrower than a byte need `.pb`.
    public var hasNumPyForm: Bool { NumPyFile.canHold(dataType) }

    /// Writes the tensor: numpy's form when the name ends in `.npy`, otherwise an ONNX TensorProto. The file appears
    /// whole or not at all.
    /// - Throws: `SardonyxError`: `file` when it cannot be written, `unsupported` when numpy has no such type.
    public func write(to path: String) throws {
        if path.hasSuffix(".npy") {
            try NumPyFile.write(self, to: path)
        } else {
            try ProtobufWriter.write(.tensor(self), to: path)
        }
    }
}

extension Datum {
    /// Reads a value that a model's input or output takes: a `.npy` file, or a `.pb` file with the message that the
    /// port's type asks for (TensorProto, SequenceProto, OptionalProto, MapProto).
    /// - Throws: as `Tensor.init(contentsOf:)`.
    public init(contentsOf path: String, as port: Port) throws {
        if path.hasSuffix(".npy") {
            self = .tensor(try NumPyFile.read(path))
        } else {
            self = try ProtobufFile.read(path, as: port.type)
        }
    }

    /// Writes a value: a tensor as `Tensor.write(to:)`, anything else as the ONNX message for it.
    public func write(to path: String) throws {
        if case .tensor(let tensor) = self {
            try tensor.write(to: path)
        } else {
            try ProtobufWriter.write(self, to: path)
        }
    }
}
