import SardonyxGraph

/// The element types that reductions take.
enum ReductionTypes {
    static let arithmetic: TypeSet = .floats + [.int32, .int64, .uint32, .uint64]
    static let comparison: TypeSet = arithmetic + [.int8, .uint8, .bool]
}
