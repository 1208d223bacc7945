import SardonyxGraph

extension TypeSet {
    /// Every type but the float8 ones and those narrower than a byte: what the standard lets most operators move.
    static let movable: TypeSet = .numbers + [.bool, .complex64, .complex128, .string]
}

extension DataType {
    /// Whether a sequence may hold tensors of the type.
    package var isSequenceElement: Bool { TypeSet.movable.contains(self) }
}
