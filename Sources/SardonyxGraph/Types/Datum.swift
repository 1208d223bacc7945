/// A value as it flows through a running model: a tensor, or what ONNX builds from tensors.
public indirect enum Datum: Sendable {
    case tensor(Tensor)
    /// All elements have the same type; the type is kept for the empty sequence.
    case sequence([Datum])
    case optional(Datum?)
    case map([(key: MapKey, value: Datum)])

    /// A key of an ONNX map.
    public enum MapKey: Sendable, Hashable {
        case integer(Int64)
        case string(String)
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
