import SardonyxGraph

extension Frame {
    /// The only element of an input, or nil when the input is omitted.
    func scalar<T>(slot: Int?, as type: T.Type = T.self) -> T? { input(slot: slot, as: type)?.pointee }
}
