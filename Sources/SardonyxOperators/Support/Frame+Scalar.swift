import SardonyxGraph

extension Frame {
    /// The only element of an input, or nil when the input is omitted.
    func scalar<T>(_ index: Int, as type: T.Type = T.self) -> T? { optionalInput(index, as: type)?.pointee }
}
