/// A value as it flows through a running model: a tensor, or what ONNX builds from tensors.
public indirect enum Datum: Sendable {
    /// A dense array.
    case tensor(Tensor)
    /// All elements have the same type; the type is kept for the empty sequence.
    case sequence([Datum])
    /// A value that may be missing.
    case optional(Datum?)
    /// Values by key, in the order in which the operator made them.
    case map([(key: MapKey, value: Datum)])

    /// A key of an ONNX map.
    public enum MapKey: Sendable, Hashable {
        /// A key of an integer type.
        case integer(Int64)
        /// A key that is text.
        case string(String)
    }

    /// Gives the tensors to whoever has the value now: they count no longer as memory of the run that made them.
    package func leaveAccount() {
        switch self {
        case .tensor(let tensor): tensor.storage.leaveAccount()
        case .sequence(let elements): for element in elements { element.leaveAccount() }
        case .optional(let value): value?.leaveAccount()
        case .map(let entries): for entry in entries { entry.value.leaveAccount() }
        }
    }

    /// The tensor, also of an optional that holds one; nil for other values.
    public var tensor: Tensor? {
        switch self {
        case .tensor(let tensor): tensor
        case .optional(let datum): datum?.tensor
        default: nil
        }
    }
}
