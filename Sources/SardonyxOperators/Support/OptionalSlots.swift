import SardonyxGraph

// A frame has as many inputs as the node lists: trailing optional ones may not be there at all.
extension PreparationContext {
    /// The index of an optional input that is present.
    func inputSlot(_ index: Int) -> Int? { has(index) ? index : nil }

    /// The index of an output that is wanted.
    func outputSlot(_ index: Int) -> Int? { wants(index) ? index : nil }
}

extension Frame {
    @inline(__always)
    func input<T>(slot: Int?, as type: T.Type = T.self) -> UnsafePointer<T>? {
        slot.flatMap { optionalInput($0, as: T.self) }
    }

    @inline(__always)
    func output<T>(slot: Int?, as type: T.Type = T.self) -> UnsafeMutablePointer<T>? {
        slot.flatMap { optionalOutput($0, as: T.self) }
    }
}
